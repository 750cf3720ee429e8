#pragma once
// When the calendar periods of budgets begin and end: UTC, weeks from Monday. Pure; any thread.

#include <chrono>

#include "sluice/core/admission.hpp"
#include "sluice/limit/ledger.hpp"

namespace sluice::limit {

// The end of a period that has none. May be compared with and subtracted from any WallTime.
inline constexpr std::chrono::sys_seconds kNoEnd = std::chrono::floor<std::chrono::seconds>(WallTime::max());

// The first second of the period that `at` lies in; the epoch for kTotal.
std::chrono::sys_seconds period_start(Period period, WallTime at);
// The first second after it; kNoEnd for kTotal.
std::chrono::sys_seconds period_end(Period period, WallTime at);

}  // namespace sluice::limit
