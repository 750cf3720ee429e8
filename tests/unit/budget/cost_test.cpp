// What an answer costs, and what it may cost at most.

#include "sluice/budget/cost.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <random>

namespace sluice::budget {
namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();

// Per million tokens: 2.50 in, 10 out, 1.25 cached, 3.125 written, 12 reasoning.
config::PriceRow full_row() {
  config::PriceRow row;
  row.input = Price::picodollars(2'500'000);
  row.output = Price::picodollars(10'000'000);
  row.cached_input = Price::picodollars(1'250'000);
  row.cache_write = Price::picodollars(3'125'000);
  row.reasoning = Price::picodollars(12'000'000);
  return row;
}

std::int64_t cost(const config::PriceRow& row, const Usage& usage) { return cost_of(row, usage).nanodollars(); }

TEST(Cost, OfPlainTokensIsPriceTimesCount) {
  EXPECT_EQ(cost(full_row(), {.input = 1'000'000, .output = 0}), 2'500'000'000);
  EXPECT_EQ(cost(full_row(), {.input = 1000, .output = 200}), 1000 * 2500 + 200 * 10'000);
  EXPECT_EQ(cost(full_row(), {}), 0);
}

TEST(Cost, EachKindOfTokenHasItsOwnPriceAndIsTakenOutOfTheWhole) {
  const Usage usage{.input = 1000, .output = 500, .cached = 600, .cache_write = 300, .reasoning = 400};
  EXPECT_EQ(cost(full_row(), usage), 100 * 2500 + 600 * 1250 + 300 * 3125 + 100 * 10'000 + 400 * 12'000);
}

TEST(Cost, WithoutAPriceOfTheirOwnTheyCostWhatTheWholeCosts) {
  config::PriceRow row = full_row();
  row.cached_input.reset();
  row.cache_write.reset();
  row.reasoning.reset();
  const Usage usage{.input = 1000, .output = 500, .cached = 600, .cache_write = 300, .reasoning = 400};
  EXPECT_EQ(cost(row, usage), 1000 * 2500 + 500 * 10'000);
}

TEST(Cost, APriceOfZeroIsAPrice) {
  config::PriceRow row = full_row();
  row.cached_input = Price();
  EXPECT_EQ(cost(row, {.input = 1000, .output = 0, .cached = 1000}), 0);
}

TEST(Cost, IsRoundedUpOnceAndNotPerKind) {
  config::PriceRow row;
  row.input = row.output = Price::picodollars(1);
  EXPECT_EQ(cost(row, {.input = 1, .output = 0}), 1);
  EXPECT_EQ(cost(row, {.input = 500, .output = 500}), 1);
  EXPECT_EQ(cost(row, {.input = 500, .output = 501}), 2);
}

TEST(Cost, HasThePricePerRequestOnTop) {
  config::PriceRow row = full_row();
  row.per_request = Money::nanodollars(7);
  EXPECT_EQ(cost(row, {}), 7);
  EXPECT_EQ(cost(row, {.input = 1, .output = 0}), 2507);
}

TEST(Cost, PartsThatExceedTheWholeAreCutToIt) {
  EXPECT_EQ(cost(full_row(), {.input = 100, .output = 10, .cached = 5000, .cache_write = 5000, .reasoning = 99}),
            100 * 1250 + 10 * 12'000);
  EXPECT_EQ(cost(full_row(), {.input = 100, .output = 0, .cached = 60, .cache_write = 60}), 60 * 1250 + 40 * 3125);
}

TEST(Cost, IsNeverNegative) {
  config::PriceRow row = full_row();
  EXPECT_EQ(cost(row, {.input = -5, .output = -7, .cached = -1, .cache_write = kLeast, .reasoning = kLeast}), 0);
  EXPECT_EQ(cost(row, {.input = 10, .output = 0, .cached = -100}), 10 * 2500);
  row.input = Price::picodollars(-1);
  row.per_request = Money::nanodollars(-50);
  EXPECT_EQ(cost(row, {.input = 10, .output = 0}), 0);
}

TEST(Cost, Saturates) {
  config::PriceRow row = full_row();
  row.input = row.output = Price::picodollars(kMost);
  row.per_request = Money::nanodollars(kMost);
  EXPECT_EQ(cost(row, {.input = kMost, .output = kMost}), kMost);
  EXPECT_EQ(cost(row, {.input = std::int64_t{1} << 53, .output = std::int64_t{1} << 53}), kMost);
}

TEST(WorstCase, ReservesTheDearestKindOfEveryToken) {
  EXPECT_EQ(worst_case(full_row(), 1000, 100, 1).nanodollars(), 1000 * 3125 + 100 * 12'000);
}

TEST(WorstCase, EveryChoiceMayBeAsLong) {
  EXPECT_EQ(worst_case(full_row(), 0, 100, 3).nanodollars(), 300 * 12'000);
  EXPECT_EQ(worst_case(full_row(), 0, 100, 0), worst_case(full_row(), 0, 100, 1)) << "there is always one";
  EXPECT_EQ(worst_case(full_row(), 0, 100, -4), worst_case(full_row(), 0, 100, 1));
}

TEST(WorstCase, Saturates) {
  config::PriceRow row = full_row();
  EXPECT_EQ(worst_case(row, kMost, kMost, kMost).nanodollars(), kMost);
  row.reasoning = row.cache_write = Price::picodollars(kMost);
  row.per_request = Money::nanodollars(kMost);
  EXPECT_EQ(worst_case(row, kMost, kMost, kMost).nanodollars(), kMost);
  EXPECT_EQ(worst_case(full_row(), kLeast, kLeast, kLeast).nanodollars(), 0);
}

TEST(WorstCase, IsNeverLessThanWhatAnAnswerWithinItCosts) {
  std::mt19937_64 random(7);
  const auto below = [&](std::int64_t most) {
    return static_cast<std::int64_t>(random() % static_cast<unsigned>(most));
  };
  const auto maybe = [&](std::optional<Price>& price) {
    if (below(2) == 0) price = Price::picodollars(below(20'000'001));
  };
  for (int i = 0; i < 20'000; ++i) {
    config::PriceRow row;
    row.input = Price::picodollars(below(10'000'001));
    row.output = Price::picodollars(below(10'000'001));
    row.per_request = Money::nanodollars(below(1000));
    maybe(row.cached_input);
    maybe(row.cache_write);
    maybe(row.reasoning);
    const std::int64_t input = below(5000), most = 1 + below(5000), choices = 1 + below(4);
    const Usage usage{.input = below(input + 1),
                      .output = below(most * choices + 1),
                      .cached = below(6000) - 500,
                      .cache_write = below(6000) - 500,
                      .reasoning = below(6000) - 500};
    ASSERT_GE(worst_case(row, input, most, choices), cost_of(row, usage));
    ASSERT_GE(cost_of(row, usage), row.per_request);
  }
}

}  // namespace
}  // namespace sluice::budget
