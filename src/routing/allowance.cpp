#include "routing/allowance.hpp"

#include <algorithm>

namespace sluice::routing {

TimePoint Allowance::waits_until(std::int64_t amount, TimePoint now) const {
  const TimePoint resets = resets_.load(std::memory_order_relaxed);
  const bool enough = now >= resets || left_.load(std::memory_order_relaxed) >= amount;
  return enough ? TimePoint{} : resets;
}

void Allowance::take(std::int64_t amount, TimePoint now) {
  if (now < resets_.load(std::memory_order_relaxed)) left_.fetch_sub(amount, std::memory_order_relaxed);
}

void Allowance::told(const Quota& quota, TimePoint now) {
  if (!quota.remaining) return;
  const milliseconds reset = std::min<milliseconds>(quota.resets_in.value_or(kUntoldReset), kLongestPace);
  left_.store(*quota.remaining, std::memory_order_relaxed);
  resets_.store(now + reset, std::memory_order_relaxed);
}

}  // namespace sluice::routing
