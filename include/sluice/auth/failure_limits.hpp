#pragma once
// How often each source has failed to authenticate within the current minute. Of fixed size whatever comes: sources
// share 4,096 places under a hash nobody outside can foresee, and only failures are ever held up by it.

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "sluice/core/clock.hpp"
#include "sluice/core/ip.hpp"

namespace sluice::auth {

class FailureLimits {
 public:
  FailureLimits();

  // Counts one failure. The time until the next minute if that makes more than `most`; zero otherwise. Any thread.
  // IPv6 sources count by their /64.
  std::chrono::milliseconds note(const IpAddress& source, std::size_t most, TimePoint now);

 private:
  static constexpr std::size_t kPlaces = 4096;
  const std::uint64_t secret_;
  std::array<std::atomic<std::uint64_t>, kPlaces> places_{};  // minute in the upper half, count in the lower one
};

}  // namespace sluice::auth
