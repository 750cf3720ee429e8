#pragma once
// Upstream bytes in, client bytes out: decoding, judging and re-framing the events of one stream. Sans-I/O.

#include <string>
#include <string_view>

#include "sluice/api/answer.hpp"
#include "sluice/core/error.hpp"
#include "sluice/core/redactor.hpp"
#include "sluice/sse/decoder.hpp"

namespace sluice::routing {

class EventFilter {
 public:
  // `redactor` may be null; it sees the events that tell of a failure.
  EventFilter(api::StreamState::Options options, std::size_t event_limit, const Redactor* redactor = nullptr)
      : keep_types_(options.endpoint == Endpoint::kResponses),
        state_(options),
        decoder_(event_limit),
        redactor_(redactor) {}

  // Appends what may be sent to `out`. On an error `out` still holds the good events before it.
  Result<void> feed(std::string_view bytes, std::string& out);
  // The upstream's body ended.
  Result<void> finish(std::string& out);

  bool complete() const { return state_.complete(); }
  std::uint64_t events() const { return events_; }  // sent
  const api::StreamState& state() const { return state_; }

 private:
  bool take(const sse::Event& event, std::string& out);

  bool keep_types_;
  api::StreamState state_;
  sse::Decoder decoder_;
  const Redactor* redactor_;
  std::uint64_t events_ = 0;
  std::optional<Error> failed_;
};

}  // namespace sluice::routing
