#pragma once
// Where an answer ends that nobody reads: takes everything, at once.

#include "sluice/http/sink.hpp"

namespace sluice::http {

class Nowhere final : public ResponseSink {
 public:
  bool started() const override { return started_; }
  void end_by(TimePoint) override {}
  Task<Result<void>> respond(ResponseStart, std::string_view) override {
    started_ = true;
    co_return Result<void>{};
  }
  void start(ResponseStart) override { started_ = true; }
  Task<Result<void>> finish(std::string_view) override { co_return Result<void>{}; }
  std::optional<Result<void>> write_now(std::string_view) override { return Result<void>{}; }
  Task<Result<void>> flush() override { co_return Result<void>{}; }

 private:
  bool started_ = false;
};

}  // namespace sluice::http
