#pragma once
// The wall clock that a gateway sees: in a file that it and the test map.

#include <atomic>
#include <cstdint>

namespace sluice::hooks {

inline constexpr const char* kWallClock = "SLUICE_WALL_CLOCK";  // names the file

struct WallClock {
  std::atomic<std::int64_t> ahead_ns{0};      // of the real one
  std::atomic<std::int64_t> back_per_ask{0};  // nanoseconds that it steps back each time it is looked at
  std::atomic<bool> frozen{false};
  std::atomic<std::int64_t> frozen_at_ns{0};  // set by the first look at it
};

}  // namespace sluice::hooks
