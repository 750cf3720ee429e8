#include "limit/calendar.hpp"

#include <gtest/gtest.h>

#include <random>

namespace sluice::limit {
namespace {

using namespace std::chrono_literals;
using std::chrono::sys_days;
using std::chrono::sys_seconds;

WallTime at(int year, unsigned month, unsigned day, milliseconds time = 0ms) {
  return sys_days(std::chrono::year(year) / static_cast<int>(month) / static_cast<int>(day)) + time;
}

void expect_period(Period period, WallTime when, WallTime start, WallTime end) {
  EXPECT_EQ(period_start(period, when), start);
  EXPECT_EQ(period_end(period, when), end);
}

TEST(Calendar, DaysBeginAtMidnightUtc) {
  expect_period(Period::kDay, at(2026, 12, 31), at(2026, 12, 31), at(2027, 1, 1));
  expect_period(Period::kDay, at(2026, 12, 31, 24h - 1ms), at(2026, 12, 31), at(2027, 1, 1));
  expect_period(Period::kDay, at(2028, 2, 28, 12h), at(2028, 2, 28), at(2028, 2, 29));
}

TEST(Calendar, WeeksBeginOnMondayAndCrossMonthsAndYears) {
  expect_period(Period::kWeek, at(2026, 12, 28), at(2026, 12, 28), at(2027, 1, 4));               // a Monday
  expect_period(Period::kWeek, at(2026, 12, 27, 24h - 1ms), at(2026, 12, 21), at(2026, 12, 28));  // a Sunday
  expect_period(Period::kWeek, at(2027, 1, 1, 5h), at(2026, 12, 28), at(2027, 1, 4));
  expect_period(Period::kWeek, at(2028, 2, 29), at(2028, 2, 28), at(2028, 3, 6));
}

TEST(Calendar, MonthsHaveTheirOwnLengths) {
  expect_period(Period::kMonth, at(2026, 12, 31, 24h - 1ms), at(2026, 12, 1), at(2027, 1, 1));
  expect_period(Period::kMonth, at(2027, 1, 1), at(2027, 1, 1), at(2027, 2, 1));
  expect_period(Period::kMonth, at(2027, 2, 28, 24h - 1ms), at(2027, 2, 1), at(2027, 3, 1));
  expect_period(Period::kMonth, at(2028, 2, 29, 24h - 1ms), at(2028, 2, 1), at(2028, 3, 1));
  expect_period(Period::kMonth, at(2100, 2, 28, 24h - 1ms), at(2100, 2, 1), at(2100, 3, 1));  // not a leap year
  EXPECT_EQ(period_end(Period::kMonth, at(2028, 2, 1)) - period_start(Period::kMonth, at(2028, 2, 1)), 29 * 24h);
}

TEST(Calendar, TimesBeforeTheEpochLieInTheirPeriods) {
  expect_period(Period::kDay, at(1969, 12, 31, 1ms), at(1969, 12, 31), at(1970, 1, 1));
  expect_period(Period::kWeek, at(1970, 1, 1), at(1969, 12, 29), at(1970, 1, 5));
}

TEST(Calendar, TheTotalNeverEnds) {
  EXPECT_EQ(period_start(Period::kTotal, at(2027, 5, 5)), sys_seconds());
  EXPECT_EQ(period_end(Period::kTotal, at(2027, 5, 5)), kNoEnd);
  EXPECT_GT(kNoEnd - at(2027, 5, 5), 24h * 365 * 1000);
}

TEST(Calendar, PeriodsAreWithoutGapAndOverlap) {
  std::mt19937_64 random(7);
  std::uniform_int_distribution<std::int64_t> times(0, 5'000'000'000'000);
  for (int i = 0; i < 20'000; ++i) {
    const WallTime when{milliseconds(times(random))};
    for (const Period period : {Period::kDay, Period::kWeek, Period::kMonth}) {
      const auto start = period_start(period, when);
      const auto end = period_end(period, when);
      ASSERT_LE(start, when);
      ASSERT_GT(end, when);
      ASSERT_EQ(period_start(period, end), end);
      ASSERT_EQ(period_end(period, end - 1ms), end);
      ASSERT_EQ(period_start(period, end - 1ms), start);
    }
  }
}

}  // namespace
}  // namespace sluice::limit
