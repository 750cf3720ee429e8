#include "sluice/auth/failure_limits.hpp"

#include <cstring>
#include <random>

namespace sluice::auth {
namespace {

std::uint64_t random_word() {
  std::random_device source;
  return std::uint64_t{source()} << 32 | source();
}

// After the finalizer of MurmurHash3.
std::uint64_t mixed(std::uint64_t word) {
  word = (word ^ word >> 33) * 0xff51afd7ed558ccdU;
  word = (word ^ word >> 33) * 0xc4ceb9fe1a85ec53U;
  return word ^ word >> 33;
}

}  // namespace

FailureLimits::FailureLimits() : secret_(random_word()) {}

std::chrono::milliseconds FailureLimits::note(const IpAddress& source, std::size_t most, TimePoint now) {
  std::uint64_t upper = 0;
  std::uint64_t lower = 0;
  std::memcpy(&upper, source.bytes.data(), 8);
  std::memcpy(&lower, source.bytes.data() + 8, 8);
  const bool v4 = upper == 0;
  auto& place = places_[mixed(mixed(upper ^ secret_) + (v4 ? lower : 0)) % kPlaces];
  const auto since = now.time_since_epoch();
  const auto minute = static_cast<std::uint64_t>(std::chrono::floor<std::chrono::minutes>(since).count());
  std::uint64_t seen = place.load(std::memory_order_relaxed);
  std::uint64_t next = 0;
  do {
    const std::uint64_t count = seen >> 32 == (minute & 0xFFFFFFFFU) ? seen & 0xFFFFFFFFU : 0;
    next = minute << 32 | (count == 0xFFFFFFFFU ? count : count + 1);
  } while (!place.compare_exchange_weak(seen, next, std::memory_order_relaxed));
  if (most == 0 || (next & 0xFFFFFFFFU) <= most) return std::chrono::milliseconds(0);
  const auto end = std::chrono::floor<std::chrono::minutes>(since) + std::chrono::minutes(1);
  return std::chrono::ceil<std::chrono::milliseconds>(end - since);
}

}  // namespace sluice::auth
