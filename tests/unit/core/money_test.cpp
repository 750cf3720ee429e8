#include "sluice/core/money.hpp"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(Money, DecimalsAreReadBackAsTheyWereWritten) {
  for (const std::int64_t nano :
       {std::int64_t{0}, std::int64_t{1}, std::int64_t{-1}, std::int64_t{10'500'000}, std::int64_t{-26'000},
        std::int64_t{1'000'000'000}, std::int64_t{123'456'789'012'345'678}}) {
    EXPECT_EQ(from_decimal(to_decimal(Money::nanodollars(nano))), Money::nanodollars(nano)) << nano;
  }
  for (const char* wrong : {"", "-", ".", "1.", ".5", "1e3", "+1", "--1", "0.0000000001", "1 USD", "99999999999"}) {
    EXPECT_FALSE(from_decimal(wrong).has_value()) << wrong;
  }
}

TEST(Money, AmountsOfTheFileHaveAUnitAndNoSign) {
  EXPECT_EQ(parse_money("0.01 USD"), Money::nanodollars(10'000'000));
  EXPECT_EQ(parse_money(to_string(Money::nanodollars(10'500'000))), Money::nanodollars(10'500'000));
  for (const char* wrong : {"0.01", "USD", " USD", "-1 USD", "1.0000000001 USD", "99999999999 USD"}) {
    EXPECT_FALSE(parse_money(wrong).has_value()) << wrong;
  }
}

}  // namespace
}  // namespace sluice
