#pragma once
// How times are spread: percentiles of the latest few thousand, to within a fifth. Lock-free; any thread. Of samples
// that come while it forgets some may be lost.

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>

#include "sluice/core/clock.hpp"

namespace sluice::routing {

class LatencySpread {
 public:
  static constexpr std::uint32_t kEnough = 20;  // samples, before it says anything

  void add(nanoseconds sample);
  // The time that so many percent of the samples stay below; nothing: too few.
  std::optional<milliseconds> percentile(unsigned percent) const;

 private:
  // Four buckets to a doubling, from a millisecond to over an hour.
  static constexpr std::size_t kBuckets = 92;
  static constexpr std::uint32_t kFull = 4096;  // then every count is halved

  static std::size_t bucket_of(nanoseconds sample);
  static milliseconds upper_end(std::size_t bucket);

  std::array<std::atomic<std::uint32_t>, kBuckets> counts_{};
  std::atomic<std::uint32_t> total_{0};
};

}  // namespace sluice::routing
