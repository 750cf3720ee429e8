#pragma once
#include <cstdint>
#include <random>

namespace sluice::routing {

// 64 bits that nobody needs to be unable to guess. Any thread.
inline std::uint64_t random_bits() {
  thread_local std::mt19937_64 source{std::random_device{}()};
  return source();
}

// In [0, 1).
constexpr double uniform(std::uint64_t random) { return static_cast<double>(random >> 11) * 0x1p-53; }

}  // namespace sluice::routing
