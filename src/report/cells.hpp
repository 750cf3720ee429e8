#pragma once
// How reports write numbers. Pure.

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "report/spread.hpp"
#include "report/table.hpp"

namespace sluice::report {

std::vector<Column> numbers(std::initializer_list<const char*> names);

// A percentile of microseconds, in milliseconds with one digit behind the point, below ten with three; empty: of
// nothing.
std::string ms(const Spread& spread, double percent);
// "12.34"; of nothing it is 0.00.
std::string percent_of(double part, double whole);
// The nearest whole number.
std::string whole(double count);
// Microseconds as "12.345".
std::string seconds(std::int64_t us);

}  // namespace sluice::report
