#include "report/cells.hpp"

#include <cmath>

namespace sluice::report {
namespace {

// `rest` with so many digits, behind a point.
std::string fixed(std::int64_t whole, std::int64_t rest, std::int64_t unit) {
  return std::to_string(whole) + "." + std::to_string(unit + rest).substr(1);
}

}  // namespace

std::vector<Column> numbers(std::initializer_list<const char*> names) {
  std::vector<Column> columns;
  for (const char* name : names) columns.push_back({name, true});
  return columns;
}

std::string ms(const Spread& spread, double percent) {
  if (spread.empty()) return "";
  const std::int64_t us = spread.percentile(percent);
  return us < 10'000 ? fixed(us / 1000, us % 1000, 1000) : fixed(us / 1000, us % 1000 / 100, 10);
}

std::string percent_of(double part, double whole) {
  const auto hundredths = whole > 0 ? static_cast<std::int64_t>(part * 10'000 / whole) : 0;
  return fixed(hundredths / 100, hundredths % 100, 100);
}

std::string whole(double count) { return std::to_string(std::llround(count)); }

std::string seconds(std::int64_t us) { return fixed(us / 1'000'000, us % 1'000'000 / 1000, 1000); }

}  // namespace sluice::report
