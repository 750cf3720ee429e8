#pragma once
// One try of one target, on the record whichever way it ends.

#include <memory>

#include "routing/relay.hpp"
#include "sluice/pipeline/exchange.hpp"
#include "sluice/routing/router.hpp"

namespace sluice::routing {

// What holds for all tries of an exchange.
struct AttemptLimits {
  const config::Limits& limits;
  TimePoint total_due;
  bool alternatives = false;  // another target could answer: a stream must have begun in earnest before it is shown
};

// Refers to the exchange and the target, which outlive it.
class Attempt {
 public:
  Attempt(pipeline::Exchange& exchange, const Target& target, const AttemptLimits& limits);
  ~Attempt();
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;

  // Up to the commit point: nothing of the answer has reached the client when it returns, well or not.
  Task<Result<void>> start();
  // Sends the answer. Once, after a start() that went well.
  Task<Result<void>> deliver();

  // Nobody gets its answer. What was used all the same, as far as it is known here.
  Usage give_up();

 private:
  Task<Result<void>> prepare();
  Task<Result<std::unique_ptr<http::ResponseStream>>> open(RelayLimits& limits);
  Task<Result<void>> check_status(http::ResponseStream& upstream, RelayLimits limits) const;
  void note_times(const http::OpenTimes& times);
  void ended(Result<void>& result);

  pipeline::Exchange& exchange_;
  const Target& target_;
  AttemptLimits limits_;
  std::size_t place_;  // in the record's attempts
  std::unique_ptr<Relay> relay_;
};

}  // namespace sluice::routing
