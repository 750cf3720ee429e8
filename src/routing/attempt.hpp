#pragma once
// One try of one target, on the record whichever way it ends.

#include <memory>

#include "routing/plan.hpp"
#include "routing/relay.hpp"
#include "sluice/pipeline/exchange.hpp"
#include "sluice/routing/router.hpp"

namespace sluice::routing {

// What holds for all tries of an exchange.
struct AttemptLimits {
  const config::Limits& limits;
  TimePoint total_due;
  TimePoint deadline = kNever;  // the client's; what ends then is not the target's fault
  bool alternatives = false;    // another target could answer: a stream must have begun in earnest before it is shown
  const config::Starve* starve = nullptr;  // and then bring so much; null: anything will do
};

// Refers to the exchange and the target, which outlive it.
class Attempt {
 public:
  Attempt(pipeline::Exchange& exchange, Errand errand, const AttemptLimits& limits);
  ~Attempt();
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;

  // Up to the commit point: nothing of the answer has reached the client when it returns, well or not.
  Task<Result<void>> start();
  // Has the client and the record hear what the upstream's head said of it. Of a race one attempt alone does.
  void tell();
  // Sends the answer. Once, after a start() that went well.
  Task<Result<void>> deliver();

  // Nobody gets its answer. What was used all the same, as reported or else as estimated.
  Usage give_up();
  const Target& target() const { return target_; }

 private:
  Task<Result<void>> prepare();
  Task<Result<std::unique_ptr<http::ResponseStream>>> open(RelayLimits& limits);
  Task<Result<void>> check_status(http::ResponseStream& upstream, RelayLimits limits);
  void note_times(const http::OpenTimes& times);
  RelayLimits relay_limits(TimePoint now) const;
  void heard(const http::ResponseHead& head);
  void note_fields(const http::ResponseHead& head);
  void good_so_far();
  void ended(Result<void>& result);
  void judge(const Result<void>& result);

  pipeline::Exchange& exchange_;
  Errand errand_;
  const Target& target_;
  AttemptLimits limits_;
  TimePoint began_ = Clock::now();
  bool sent_ = false;                                           // the upstream may have got the request
  bool refused_ = false;                                        // and said no
  std::optional<milliseconds> wait_;                            // that the upstream asked for
  std::size_t place_;                                           // in the record's attempts
  std::vector<std::pair<std::string_view, std::string>> told_;  // fields of the head for the client
  std::string upstream_id_;
  std::unique_ptr<Relay> relay_;
};

}  // namespace sluice::routing
