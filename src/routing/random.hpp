#pragma once
#include <cstdint>
#include <random>

namespace sluice::routing {

// 64 bits that nobody needs to be unable to guess. Any thread.
inline std::uint64_t random_bits() {
  thread_local std::mt19937_64 source{std::random_device{}()};
  return source();
}

}  // namespace sluice::routing
