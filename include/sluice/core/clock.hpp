#pragma once
// Time that only goes forward. Wall-clock time appears in records and nowhere else.

#include <chrono>

namespace sluice {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

inline constexpr TimePoint kNever = TimePoint::max();

}  // namespace sluice
