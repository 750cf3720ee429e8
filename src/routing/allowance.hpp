#pragma once
// What a provider said is left of one of its limits, less what was sent since. Lock-free; any thread. The amount and
// its time are two atomics: a reader between the two writes goes by a mixture once, and the provider has the last word.

#include <atomic>
#include <cstdint>

#include "routing/rate_limit_fields.hpp"
#include "sluice/core/clock.hpp"

namespace sluice::routing {

class Allowance {
 public:
  // Pacing is a guess of what the provider would say, so after this time it is asked.
  static constexpr std::chrono::seconds kLongestPace{60};
  static constexpr std::chrono::seconds kUntoldReset{1};  // when it said what is left, but not until when

  // When so much may be sent: TimePoint{} if that is now.
  TimePoint waits_until(std::int64_t amount, TimePoint now) const;
  void take(std::int64_t amount, TimePoint now);
  // What an answer said. The latest answer to be heard wins, whichever was the last to be sent.
  void told(const Quota& quota, TimePoint now);

 private:
  std::atomic<std::int64_t> left_{0};
  std::atomic<TimePoint> resets_{TimePoint{}};
};

}  // namespace sluice::routing
