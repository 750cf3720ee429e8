// Counts, allowances, budgets, prices and times, and their inverses.

#include <gtest/gtest.h>

#include "sluice/config/units.hpp"

namespace sluice::config {
namespace {

using namespace std::chrono_literals;
using std::chrono::sys_days;
using std::chrono::sys_seconds;

sys_days day(int year, unsigned month, unsigned date) {
  return std::chrono::year(year) / static_cast<int>(month) / static_cast<int>(date);
}

TEST(Counts, HavePowersOfAThousand) {
  EXPECT_EQ(parse_count("0"), 0);
  EXPECT_EQ(parse_count("600"), 600);
  EXPECT_EQ(parse_count("200k"), 200'000);
  EXPECT_EQ(parse_count("3M"), 3'000'000);
  EXPECT_EQ(parse_count("1000000000000000"), kMostCount);
  EXPECT_EQ(parse_count("1000000000M"), kMostCount);
}

TEST(Counts, WhatIsNoneIsRefused) {
  for (std::string_view text :
       {"", "k", "-1", "-0", "+1", " 1", "1 k", "1.5k", "1K", "1m", "1kk", "1e3", "0x1", "1G"}) {
    EXPECT_FALSE(parse_count(text).has_value()) << text;
  }
  EXPECT_EQ(parse_count("1000000000000001").error(), "the number is too large");
  EXPECT_EQ(parse_count("1000000001M").error(), "the number is too large");
  EXPECT_EQ(parse_count("99999999999999999999").error(), "the number is too large");
  EXPECT_EQ(parse_count("-5").error(), "must not be negative");
}

TEST(Counts, AreWrittenAsTheyAreRead) {
  for (std::int64_t count : {0L, 1L, 999L, 1000L, 1500L, 200'000L, 1'000'000L, 1'500'000L, kMostCount}) {
    EXPECT_EQ(parse_count(format_count(count)), count) << format_count(count);
  }
  EXPECT_EQ(format_count(200'000), "200k");
  EXPECT_EQ(format_count(1'500'000), "1500k");
  EXPECT_EQ(format_count(1500), "1500");
}

TEST(Allowances, HaveEveryWindow) {
  EXPECT_EQ(parse_allowance("10/s"), (Allowance{10, 1s}));
  EXPECT_EQ(parse_allowance("600/min"), (Allowance{600, 1min}));
  EXPECT_EQ(parse_allowance("5k/h"), (Allowance{5000, 1h}));
  EXPECT_EQ(parse_allowance("1M/d"), (Allowance{1'000'000, 24h}));
  EXPECT_EQ(parse_allowance("0/month"), (Allowance{0, 30 * 24h}));
}

TEST(Allowances, WhatIsNoneIsRefused) {
  for (std::string_view text : {"", "/", "600", "600/", "/min", "600/m", "600/day", "600/week", "600/1min", "600 /min",
                                "600/ min", "-1/min", "1.5/s", "600/min/min"}) {
    EXPECT_FALSE(parse_allowance(text).has_value()) << text;
  }
  EXPECT_EQ(parse_allowance("600").error(), "write how many in which time, e.g. 600/min");
  EXPECT_EQ(parse_allowance("600/m").error(), "after the slash comes s, min, h, d or month, e.g. 600/min");
}

TEST(Allowances, AreWrittenAsTheyAreRead) {
  for (auto text : {"0/s", "10/s", "600/min", "200k/min", "1M/h", "7/d", "90M/month"}) {
    const auto allowance = parse_allowance(text);
    ASSERT_TRUE(allowance.has_value()) << text;
    EXPECT_EQ(format_allowance(*allowance), text);
  }
}

TEST(Spendings, HaveEveryPeriod) {
  EXPECT_EQ(parse_spending("500 USD/month"), (Spending{Money::nanodollars(500'000'000'000), Period::kMonth}));
  EXPECT_EQ(parse_spending("0.5 USD/day"), (Spending{Money::nanodollars(500'000'000), Period::kDay}));
  EXPECT_EQ(parse_spending("0 USD/week"), (Spending{Money{}, Period::kWeek}));
  EXPECT_EQ(parse_spending("1000000000 USD/total"),
            (Spending{Money::nanodollars(1'000'000'000'000'000'000), Period::kTotal}));
}

TEST(Spendings, WhatIsNoneIsRefused) {
  for (std::string_view text : {"", "500", "500 USD", "500 USD/", "500/month", "500USD/month", "500 EUR/month",
                                "-1 USD/month", "500 USD/min", "500 USD/year", "500 USD /month", "500 USD/ month"}) {
    EXPECT_FALSE(parse_spending(text).has_value()) << text;
  }
  EXPECT_EQ(parse_spending("1000000000.000000001 USD/total").error(), "the amount is too large");
  EXPECT_EQ(parse_spending("9999999999999 USD/total").error(), "the amount is too large");
}

TEST(Spendings, AreWrittenAsTheyAreRead) {
  for (auto text : {"500 USD/month", "0.0105 USD/day", "0 USD/week", "1000000000 USD/total"}) {
    const auto spending = parse_spending(text);
    ASSERT_TRUE(spending.has_value()) << text;
    EXPECT_EQ(format_spending(*spending), text);
  }
}

TEST(Prices, OfAMillionTokensAreWholePicoDollarsOfOne) {
  EXPECT_EQ(parse_price("2.50 USD"), Price::picodollars(2'500'000));
  EXPECT_EQ(parse_price("0.075 USD"), Price::picodollars(75'000));
  EXPECT_EQ(parse_price("0.000001 USD"), Price::picodollars(1));
  EXPECT_EQ(parse_price("0 USD"), Price{});
  EXPECT_EQ(parse_price("2.5 USD")->times(1'000'000), Money::nanodollars(2'500'000'000));
}

TEST(Prices, WhatIsNoneIsRefused) {
  for (std::string_view text : {"", "2.50", "$2.50", "2.50USD", "-1 USD", "2,50 USD", "2.50 USD/1M", "0.0000001 USD"}) {
    EXPECT_FALSE(parse_price(text).has_value()) << text;
  }
  EXPECT_EQ(parse_price("0.0000001 USD").error(), "a price has at most six decimals");
}

TEST(Prices, AreWrittenAsTheyAreRead) {
  for (auto text : {"2.5 USD", "0.075 USD", "0.000001 USD", "0 USD", "600 USD"}) {
    const auto price = parse_price(text);
    ASSERT_TRUE(price.has_value()) << text;
    EXPECT_EQ(format_price(*price), text);
  }
}

TEST(Instants, ADateIsItsFirstSecondInUtc) {
  EXPECT_EQ(parse_instant("2026-12-31"), sys_seconds(day(2026, 12, 31)));
  EXPECT_EQ(parse_instant("2024-02-29"), sys_seconds(day(2024, 2, 29)));
  EXPECT_EQ(parse_instant("1970-01-01"), sys_seconds{});
  EXPECT_EQ(parse_day("2026-12-31"), day(2026, 12, 31));
}

TEST(Instants, ADateTimeHasAnOffset) {
  const sys_seconds evening = day(2026, 12, 31) + 18h + 30min + 15s;
  EXPECT_EQ(parse_instant("2026-12-31T18:30:15Z"), evening);
  EXPECT_EQ(parse_instant("2026-12-31t18:30:15z"), evening);
  EXPECT_EQ(parse_instant("2026-12-31T18:30:15.999Z"), evening);
  EXPECT_EQ(parse_instant("2026-12-31T20:30:15+02:00"), evening);
  EXPECT_EQ(parse_instant("2026-12-31T13:00:15-05:30"), evening);
  EXPECT_EQ(parse_instant("2027-01-01T01:30:15+07:00"), evening);
}

TEST(Instants, WhatIsNoneIsRefused) {
  for (std::string_view text : {"",
                                "2026",
                                "2026-12",
                                "2026-13-01",
                                "2026-00-01",
                                "2026-02-29",
                                "2026-04-31",
                                "2026-1-1",
                                "26-01-01",
                                "1969-12-31",
                                "2026-12-31T",
                                "2026-12-31T18:00Z",
                                "2026-12-31T18:00:00",
                                "2026-12-31 18:00:00Z",
                                "2026-12-31T24:00:00Z",
                                "2026-12-31T18:60:00Z",
                                "2026-12-31T18:00:60Z",
                                "2026-12-31T18:00:00.Z",
                                "2026-12-31T18:00:00+2:00",
                                "2026-12-31T18:00:00+24:00",
                                "2026-12-31T18:00:00Z ",
                                " 2026-12-31",
                                "1970-01-01T00:00:00+01:00",
                                "9999-12-31T23:59:59-00:01",
                                "tomorrow",
                                "10000-01-01"}) {
    EXPECT_FALSE(parse_instant(text).has_value()) << text;
  }
  for (std::string_view text : {"", "2026-12-31T18:00:00Z", "2026-02-29", "2026-12-31x"}) {
    EXPECT_FALSE(parse_day(text).has_value()) << text;
  }
}

TEST(Instants, AreWrittenAsTheyAreRead) {
  for (auto text : {"1970-01-01T00:00:00Z", "2026-12-31T18:30:15Z", "9999-12-31T23:59:59Z", "2024-02-29T00:00:01Z"}) {
    const auto instant = parse_instant(text);
    ASSERT_TRUE(instant.has_value()) << text;
    EXPECT_EQ(format_instant(*instant), text);
  }
  EXPECT_EQ(format_day(day(2024, 2, 29)), "2024-02-29");
}

}  // namespace
}  // namespace sluice::config
