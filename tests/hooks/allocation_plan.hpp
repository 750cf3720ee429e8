#pragma once
// Which allocations of a gateway's worker threads fail: in a file that the test and the gateway map.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace sluice::hooks {

inline constexpr const char* kAllocationPlan = "SLUICE_ALLOCATION_PLAN";  // names the file

struct AllocationPlan {
  static constexpr std::int64_t kOff = INT64_MAX / 2;

  std::atomic<std::int64_t> before{kOff};  // allocations that still succeed; counts on below 0
  std::atomic<std::int64_t> length{1};     // how many then fail
  std::atomic<std::uint64_t> failed{0};
  std::atomic<std::size_t> frames{0};  // who asked for the first that failed: offsets in the program
  std::array<std::atomic<std::uintptr_t>, 24> frame{};
};

}  // namespace sluice::hooks
