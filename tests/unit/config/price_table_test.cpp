// Which row of the price table counts.

#include "sluice/config/price_table.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "sluice/core/text.hpp"

namespace sluice::config {
namespace {

using std::chrono::sys_days;

constexpr sys_days day(int number) { return sys_days(std::chrono::days(20'000 + number)); }

// A row that is told apart by its price.
PriceRow row(std::string provider, std::string model, int mark, int from = 0) {
  return {
      .provider = std::move(provider), .model = std::move(model), .from = day(from), .input = Price::picodollars(mark)};
}

std::int64_t mark_of(const PriceTable& table, std::string_view provider, std::string_view model, int today = 0) {
  const PriceRow* found = table.find(provider, model, day(today));
  return found == nullptr ? 0 : found->input.picodollars();
}

TEST(PriceTable, AsksFromTheParticularToTheGeneral) {
  std::vector<PriceRow> rows = {row("p", "gpt-4o", 1), row("p", "gpt-*", 2), row("", "gpt-4o", 3), row("", "gpt-*", 4),
                                row("", "*", 5)};
  std::mt19937 random(7);
  for (int i = 0; i < 10; ++i) {
    std::ranges::shuffle(rows, random);
    const PriceTable table(rows);
    EXPECT_EQ(mark_of(table, "p", "gpt-4o"), 1);
    EXPECT_EQ(mark_of(table, "p", "gpt-4o-mini"), 2);
    EXPECT_EQ(mark_of(table, "q", "gpt-4o"), 3);
    EXPECT_EQ(mark_of(table, "q", "gpt-4o-mini"), 4);
    EXPECT_EQ(mark_of(table, "p", "llama"), 5);
    EXPECT_EQ(mark_of(table, "q", ""), 5);
  }
}

TEST(PriceTable, TheLongestPatternCounts) {
  const PriceTable table({row("", "gpt-*", 1), row("", "gpt-4o-*", 2), row("", "gpt-4*", 3), row("p", "g*", 4)});
  EXPECT_EQ(mark_of(table, "q", "gpt-4o-mini"), 2);
  EXPECT_EQ(mark_of(table, "q", "gpt-4o"), 3);
  EXPECT_EQ(mark_of(table, "q", "gpt-5"), 1);
  EXPECT_EQ(mark_of(table, "q", "gpt-"), 1);
  EXPECT_EQ(mark_of(table, "q", "gpt"), 0);
  EXPECT_EQ(mark_of(table, "p", "gpt-4o-mini"), 4) << "a row of the provider comes before any other";
}

TEST(PriceTable, TheLatestRowThatHasBegunCounts) {
  const PriceTable table({row("", "m", 1, 10), row("", "m", 3, 30), row("", "m", 2, 20)});
  EXPECT_EQ(mark_of(table, "p", "m", 9), 0);
  EXPECT_EQ(mark_of(table, "p", "m", 10), 1);
  EXPECT_EQ(mark_of(table, "p", "m", 19), 1);
  EXPECT_EQ(mark_of(table, "p", "m", 20), 2);
  EXPECT_EQ(mark_of(table, "p", "m", 1000), 3);
}

TEST(PriceTable, WhereNoneHasBegunTheSearchGoesOn) {
  const PriceTable table({row("p", "m-1", 1, 50), row("p", "m-*", 2, 40), row("p", "m*", 3, 30), row("", "m-1", 4, 20),
                          row("", "*", 5, 10)});
  EXPECT_EQ(mark_of(table, "p", "m-1", 50), 1);
  EXPECT_EQ(mark_of(table, "p", "m-1", 49), 2);
  EXPECT_EQ(mark_of(table, "p", "m-1", 39), 3);
  EXPECT_EQ(mark_of(table, "p", "m-1", 29), 4);
  EXPECT_EQ(mark_of(table, "p", "m-1", 19), 5);
  EXPECT_EQ(mark_of(table, "p", "m-1", 9), 0);
}

TEST(PriceTable, OfTwoRowsOfOneDayTheLaterOneCounts) {
  EXPECT_EQ(mark_of(PriceTable({row("", "m", 1), row("", "m", 2)}), "p", "m"), 2);
}

TEST(PriceTable, AnEmptyOneKnowsNothing) {
  const PriceTable table({});
  EXPECT_TRUE(table.empty());
  EXPECT_EQ(table.find("p", "m", day(0)), nullptr);
}

TEST(PriceTable, MayBeMoved) {
  PriceTable first({row("", "m", 1), row("p", "m*", 2)});  // short texts live inside their rows
  PriceTable second = std::move(first);
  EXPECT_EQ(mark_of(second, "q", "m"), 1);
  EXPECT_EQ(mark_of(second, "p", "m"), 2);
}

// The contract, word by word and slowly.
const PriceRow* slow_find(const std::vector<PriceRow>& rows, const std::string& provider, const std::string& model,
                          sys_days today) {
  const PriceRow* best = nullptr;
  const auto rank = [&](const PriceRow& one) {
    const bool glob = one.model.ends_with('*');
    return std::tuple(one.provider == provider, !glob, glob ? one.model.size() : 0, one.from);
  };
  for (const PriceRow& one : rows) {
    const bool provider_fits = one.provider.empty() || one.provider == provider;
    if (!provider_fits || one.from > today || !glob_match(one.model, model)) continue;
    if (best == nullptr || rank(one) >= rank(*best)) best = &one;
  }
  return best;
}

TEST(PriceTable, FindsWhatASearchOfAllRowsFinds) {
  std::mt19937 random(20261101);
  const auto pick = [&](std::initializer_list<const char*> words) {
    return std::string(words.begin()[random() % words.size()]);
  };
  for (int round = 0; round < 300; ++round) {
    std::vector<PriceRow> rows;
    for (int i = 0; i < 12; ++i) {
      rows.push_back(row(pick({"", "p", "q"}), pick({"a", "ab", "abc", "a*", "ab*", "*", "abc*"}), i + 1,
                         static_cast<int>(random() % 4)));
    }
    const PriceTable table(rows);
    for (const std::string provider : {"p", "q", "r"}) {
      for (const std::string model : {"", "a", "ab", "abc", "abcd", "b"}) {
        for (int today = 0; today < 4; ++today) {
          const PriceRow* expected = slow_find(rows, provider, model, day(today));
          ASSERT_EQ(mark_of(table, provider, model, today), expected == nullptr ? 0 : expected->input.picodollars());
        }
      }
    }
  }
}

}  // namespace
}  // namespace sluice::config
