#pragma once
// Between the stages that answer and the client: somebody listens to an answer on its way. Of one exchange; one thread.

#include <cstddef>
#include <string_view>

#include "sluice/config/config.hpp"
#include "sluice/http/sink.hpp"
#include "sluice/sse/decoder.hpp"

namespace sluice::pipeline {

// Without memory for what it hears it hears no more, and the answer goes on all the same.
class AnswerListener {
 public:
  virtual ~AnswerListener() = default;
  // A whole answer; a large one is read beside the event loop while the exchange waits.
  virtual void body(std::string_view text) = 0;
  // The data of one event of a stream. False: it wants to hear no more.
  virtual bool event(std::string_view data) = 0;
  // All of it has passed but for the last bytes, which the client gets next; it may ask again from then on.
  virtual void ended() {}
};

struct TapLimits {
  std::size_t event_bytes = 0;   // of one event
  std::size_t inline_bytes = 0;  // larger answers are read beside the event loop
};
TapLimits tap_limits(const config::Config& config);

class AnswerTap final : public http::ResponseSink {
 public:
  // `client` and `listener` outlive it.
  AnswerTap(http::ResponseSink& client, AnswerListener& listener, const TapLimits& limits)
      : client_(client), listener_(listener), limits_(limits), decoder_(limits.event_bytes) {}

  bool started() const override { return client_.started(); }
  void end_by(TimePoint due) override { client_.end_by(due); }
  Task<Result<void>> respond(http::ResponseStart start, std::string_view body) override;
  void start(http::ResponseStart start) override { client_.start(std::move(start)); }
  Task<Result<void>> finish(std::string_view last_bytes) override;
  std::optional<Result<void>> write_now(std::string_view bytes) override;
  Task<Result<void>> flush() override { return client_.flush(); }

 private:
  template <class Call>
  void tell(const Call& call);
  void tell_events(std::string_view bytes);

  http::ResponseSink& client_;
  AnswerListener& listener_;
  TapLimits limits_;
  sse::Decoder decoder_;
  bool over_ = false;  // it hears no more
};

}  // namespace sluice::pipeline
