#pragma once
// Between the stages that answer and the client: what passes is kept, as far as it is to be, and handed to those who
// follow. Of one exchange; one thread.

#include <memory>
#include <optional>
#include <string>

#include "cache/flight.hpp"
#include "sluice/cache/entry.hpp"
#include "sluice/core/endpoint.hpp"
#include "sluice/http/sink.hpp"

namespace sluice::cache {

class Tee final : public http::ResponseSink {
 public:
  // Both outlive it.
  Tee(http::ResponseSink& client, Endpoint endpoint, Flight& flight)
      : client_(client), endpoint_(endpoint), flight_(flight) {}

  bool started() const override { return started_; }
  void end_by(TimePoint due) override { client_.end_by(due); }
  Task<Result<void>> respond(http::ResponseStart start, std::string_view body) override;
  void start(http::ResponseStart start) override;
  Task<Result<void>> finish(std::string_view last_bytes) override;
  std::optional<Result<void>> write_now(std::string_view bytes) override;
  Task<Result<void>> flush() override;

  // The client has left, and the answer goes on for those who follow.
  void leave_client() { left_ = true; }
  // All of the answer has come.
  bool complete() const { return complete_; }
  // Its form, pieces and usage event; the flight has its bytes.
  Entry take() { return std::move(kept_); }

 private:
  void keep(std::string_view bytes);
  // The client's end is nobody else's: with followers it is none.
  Result<void> judged(Result<void> sent);

  http::ResponseSink& client_;
  Endpoint endpoint_;
  Flight& flight_;
  Entry kept_;
  std::size_t size_ = 0;
  TimePoint first_{};
  bool started_ = false;
  bool left_ = false;
  bool complete_ = false;
};

}  // namespace sluice::cache
