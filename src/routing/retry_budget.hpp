#pragma once
// How many attempts beyond the first of each request the process may make: retries, hedges. One budget for all targets,
// so that an outage does not multiply the load (faults F40). Lock-free; any thread.
//
// Each request earns `percent` of an attempt, which may be spent for ten seconds. `least` are there from the start, and
// what they were spent on is paid back by requests only, never by time. So over the life of the process, with the
// highest `least` it has had,
//     attempts <= requests * (1 + percent / 100) + least
// exactly, on any number of threads; and from any moment on the same holds, plus what the ten seconds before had earned
// and not spent.

#include <atomic>
#include <cstdint>

#include "routing/outcome_window.hpp"
#include "sluice/config/routing.hpp"
#include "sluice/core/clock.hpp"

namespace sluice::routing {

class RetryBudget {
 public:
  static constexpr std::chrono::seconds kWindow{10};

  explicit RetryBudget(const config::RetryBudget& settings = {});

  // A request is about to make its first attempt.
  void earn(TimePoint now);
  // Whether one further attempt may be made; it is spent then, even if it is not made.
  bool try_spend(TimePoint now);
  // Of a new configuration. `least` then bounds what may be saved up; only what it is beyond all before is given.
  void adopt(const config::RetryBudget& settings);

  std::uint64_t spent() const { return spent_.load(std::memory_order_relaxed); }
  std::uint64_t refused() const { return refused_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> balance_;  // hundredths of an attempt
  std::atomic<std::int64_t> percent_;
  std::atomic<std::int64_t> least_;  // hundredths
  std::atomic<std::int64_t> given_;  // the highest there was
  std::atomic<std::uint64_t> spent_{0};
  std::atomic<std::uint64_t> refused_{0};
  OutcomeWindow earned_{kWindow};  // requests, as good
};

}  // namespace sluice::routing
