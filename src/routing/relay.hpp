#pragma once
// From an upstream's 200 to the client: pull meets push here and nowhere else.

#include <memory>

#include "sluice/config/config.hpp"
#include "sluice/core/redactor.hpp"
#include "sluice/http/client.hpp"
#include "sluice/pipeline/exchange.hpp"

namespace sluice::routing {

struct RelayLimits {
  TimePoint first_token_due;  // streams: when the first event must have come
  TimePoint total_due;
  milliseconds idle;
  std::size_t event_bytes;
  std::size_t response_bytes;
  std::size_t inline_bytes;  // a larger answer is checked beside the event loop
  bool hide_usage = false;
  const Redactor* redactor = nullptr;  // of the provider; null: nothing to keep out
};

// A stream of events, passed on as they come. Nothing is sent before the first event has arrived and is good.
Task<Result<void>> relay_stream(pipeline::Exchange& exchange, std::unique_ptr<http::ResponseStream> upstream,
                                RelayLimits limits);

// A whole answer, read to its end before a byte of it is passed on.
Task<Result<void>> relay_whole(pipeline::Exchange& exchange, std::unique_ptr<http::ResponseStream> upstream,
                               RelayLimits limits);

// Everything up to the end of the body; kUpstreamInvalidResponse beyond `limits.response_bytes`. Keeps
// exchange.held_bytes up to date.
Task<Result<std::string>> read_body(pipeline::Exchange& exchange, http::ResponseStream& upstream, RelayLimits limits);

}  // namespace sluice::routing
