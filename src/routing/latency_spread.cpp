#include "routing/latency_spread.hpp"

#include <algorithm>
#include <cmath>

namespace sluice::routing {

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr double kPerDoubling = 4;

std::size_t LatencySpread::bucket_of(nanoseconds sample) {
  const double ms = std::max(std::chrono::duration<double, std::milli>(sample).count(), 1.0);
  return std::min(static_cast<std::size_t>(std::log2(ms) * kPerDoubling), kBuckets - 1);
}

milliseconds LatencySpread::upper_end(std::size_t bucket) {
  return milliseconds(static_cast<std::int64_t>(std::ceil(std::exp2(static_cast<double>(bucket + 1) / kPerDoubling))));
}

void LatencySpread::add(nanoseconds sample) {
  counts_[bucket_of(sample)].fetch_add(1, kRelaxed);
  if (total_.fetch_add(1, kRelaxed) + 1 != kFull) return;
  std::uint32_t left = 0;
  for (auto& count : counts_) {
    const auto half = count.load(kRelaxed) / 2;
    count.store(half, kRelaxed);
    left += half;
  }
  total_.store(left, kRelaxed);
}

std::optional<milliseconds> LatencySpread::percentile(unsigned percent) const {
  std::array<std::uint32_t, kBuckets> counts{};
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) total += counts[i] = counts_[i].load(kRelaxed);
  if (total < kEnough) return std::nullopt;
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    below += counts[i];
    if (below * 100 >= total * percent) return upper_end(i);
  }
  return upper_end(kBuckets - 1);
}

}  // namespace sluice::routing
