#pragma once
// Between the stages that answer and the client: what an answer says is kept on its way, up to a bound. Of one
// exchange.

#include <cstddef>
#include <string>

#include "sluice/api/plain_text.hpp"
#include "sluice/http/sink.hpp"
#include "sluice/sse/decoder.hpp"

namespace sluice::pipeline {

struct TapLimits {
  std::size_t most = 0;          // bytes of text
  std::size_t event_bytes = 0;   // of one event
  std::size_t inline_bytes = 0;  // larger answers are read beside the event loop
};

class AnswerTap final : public http::ResponseSink {
 public:
  // `held` is kept up to date with what this holds. It and `client` outlive it.
  AnswerTap(http::ResponseSink& client, Endpoint endpoint, const TapLimits& limits, std::size_t& held)
      : client_(client), limits_(limits), text_(endpoint, limits.most), decoder_(limits.event_bytes), held_(held) {}

  bool started() const override { return client_.started(); }
  void end_by(TimePoint due) override { client_.end_by(due); }
  Task<Result<void>> respond(http::ResponseStart start, std::string_view body) override;
  void start(http::ResponseStart start) override { client_.start(std::move(start)); }
  Task<Result<void>> finish(std::string_view last_bytes) override;
  std::optional<Result<void>> write_now(std::string_view bytes) override;
  Task<Result<void>> flush() override { return client_.flush(); }

  std::string text() const { return text_.text(); }

 private:
  void keep_body(std::string_view body);
  void keep_events(std::string_view bytes);

  http::ResponseSink& client_;
  TapLimits limits_;
  api::AnswerText text_;
  sse::Decoder decoder_;
  std::size_t& held_;
  bool over_ = false;  // no more is kept
};

}  // namespace sluice::pipeline
