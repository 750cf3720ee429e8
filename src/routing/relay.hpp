#pragma once
// From an upstream's 200 to the client: pull meets push here and nowhere else. In two parts, with the commit point
// between them: until then nothing has reached the client, and another target may be asked instead.

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
  // Streams: what must have come before the client sees any of it.
  bool until_content = false;      // something to read, not only a role
  std::uint64_t least_events = 0;  // so many events with content,
  milliseconds starve_within{0};   // within so long after the first; fewer: kUpstreamTimeout
};

// One answer. Refers to the exchange, which outlives it.
class Relay {
 public:
  virtual ~Relay() = default;
  // Up to the commit point: what a stream must have begun with, all of any other answer.
  virtual Task<Result<void>> prepare() = 0;
  // Sends what there is and all that follows; before the last of it, notes. Once, after a prepare() that went well.
  virtual Task<Result<void>> deliver() = 0;
  // What was used so far, as reported or else as counted here.
  virtual Usage usage() const = 0;
  // Puts down on the record how far it came, and how to tell the client of a failure from here on.
  virtual void note() const = 0;
};

// For a request for a stream or for a whole answer, as the exchange says.
std::unique_ptr<Relay> make_relay(pipeline::Exchange& exchange, std::unique_ptr<http::ResponseStream> upstream,
                                  const RelayLimits& limits);

// Everything up to the end of the body; kUpstreamInvalidResponse beyond `limits.response_bytes`. Keeps
// exchange.held_bytes up to date.
Task<Result<std::string>> read_body(pipeline::Exchange& exchange, http::ResponseStream& upstream, RelayLimits limits);

}  // namespace sluice::routing
