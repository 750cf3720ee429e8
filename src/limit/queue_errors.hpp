#pragma once
// What is said to those who waited in vain, or were not let in.

#include <chrono>
#include <cstdint>
#include <optional>

#include "sluice/core/error.hpp"
#include "sluice/limit/ledger.hpp"

namespace sluice::limit {

enum class Unserved : std::uint8_t { kFull, kLate, kTimedOut, kEvicted };

// `limit` is the one that was full: the request's own, so its node may be named. `wait` is how long it would have taken
// by the rate at which slots became free, if that is known.
Error queue_error(Unserved why, const Limit& limit, std::optional<std::chrono::nanoseconds> wait);

}  // namespace sluice::limit
