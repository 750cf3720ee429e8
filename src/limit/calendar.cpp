#include "limit/calendar.hpp"

namespace sluice::limit {
namespace {

using std::chrono::days;
using std::chrono::sys_days;

sys_days monday_of(sys_days day) { return day - (std::chrono::weekday(day) - std::chrono::Monday); }

std::chrono::year_month month_of(sys_days day) {
  const std::chrono::year_month_day date(day);
  return date.year() / date.month();
}

}  // namespace

std::chrono::sys_seconds period_start(Period period, WallTime at) {
  const auto day = std::chrono::floor<days>(at);
  switch (period) {
    case Period::kDay:
      return day;
    case Period::kWeek:
      return monday_of(day);
    case Period::kMonth:
      return sys_days(month_of(day) / 1);
    case Period::kTotal:
      break;
  }
  return {};
}

std::chrono::sys_seconds period_end(Period period, WallTime at) {
  const auto day = std::chrono::floor<days>(at);
  switch (period) {
    case Period::kDay:
      return day + days(1);
    case Period::kWeek:
      return monday_of(day) + days(7);
    case Period::kMonth:
      return sys_days((month_of(day) + std::chrono::months(1)) / 1);
    case Period::kTotal:
      break;
  }
  return kNoEnd;
}

}  // namespace sluice::limit
