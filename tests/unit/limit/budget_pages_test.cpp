#include "limit/budget_pages.hpp"

#include <gtest/gtest.h>

namespace sluice::limit {
namespace {

using namespace std::chrono_literals;

constexpr WallTime kNoon = std::chrono::sys_days(std::chrono::year(2027) / 3 / 1) + 12h;

BudgetPages::Held hold(BudgetPages& pages, WallTime now) { return BudgetPages::Held(&pages.hold(Period::kDay, now)); }

TEST(BudgetPages, APageLastsForItsPeriod) {
  BudgetPages pages;
  const auto noon = hold(pages, kNoon);
  EXPECT_EQ(noon->begins, std::chrono::floor<std::chrono::days>(kNoon));
  EXPECT_EQ(noon.get(), hold(pages, kNoon + 12h - 1ms).get());
  const auto next = hold(pages, kNoon + 12h);
  EXPECT_NE(noon.get(), next.get());
  EXPECT_EQ(next->begins, noon->ends);
}

TEST(BudgetPages, APageThatIsHeldStaysAsItIs) {
  BudgetPages pages;
  const auto noon = hold(pages, kNoon);
  noon->spent.store(5);
  for (int day = 1; day < 10; ++day) hold(pages, kNoon + day * 24h);
  EXPECT_EQ(noon->spent.load(), 5);
  EXPECT_EQ(noon->begins, std::chrono::floor<std::chrono::days>(kNoon));
}

TEST(BudgetPages, PagesNobodyHoldsAreUsedAgain) {
  BudgetPages pages;
  for (int day = 0; day < 1000; ++day) {
    const auto page = hold(pages, kNoon + day * 24h);
    EXPECT_EQ(page->spent.exchange(7), 0);
    EXPECT_EQ(page->held.exchange(9), 0);
  }
  EXPECT_EQ(pages.count(), 2u);
}

TEST(BudgetPages, AChangedPageIsKeptUntilItIsCollected) {
  BudgetPages pages;
  for (int day = 0; day < 5; ++day) hold(pages, kNoon + day * 24h)->changed.store(true);
  int seen = 0;
  pages.for_changed([&](BudgetPage&) { ++seen; });
  EXPECT_EQ(seen, 5);
  const std::size_t count = pages.count();
  for (int day = 5; day < 50; ++day) hold(pages, kNoon + day * 24h);
  EXPECT_EQ(pages.count(), count);
}

TEST(BudgetPages, AChangeThatCouldNotBeCollectedIsCollectedLater) {
  BudgetPages pages;
  hold(pages, kNoon)->changed.store(true);
  EXPECT_THROW(pages.for_changed([](BudgetPage&) { throw std::bad_alloc(); }), std::bad_alloc);
  int seen = 0;
  pages.for_changed([&](BudgetPage&) { ++seen; });
  EXPECT_EQ(seen, 1);
  EXPECT_TRUE(pages.unheld());
}

TEST(BudgetPages, TheClockGoingBackDoesNotBeginAnything) {
  BudgetPages pages;
  const auto next = hold(pages, kNoon + 24h);
  EXPECT_EQ(hold(pages, kNoon).get(), next.get());
}

TEST(BudgetPages, OnlyOneOfTwoBeginsAPeriod) {
  BudgetPages pages;
  const BudgetPages::Held newest(&pages.hold_newest());
  const Opening opening{.begins = std::chrono::sys_seconds(100s), .ends = std::chrono::sys_seconds(200s), .spent = 1};
  EXPECT_TRUE(pages.begin(*newest, opening));
  EXPECT_FALSE(pages.begin(*newest, opening));
  EXPECT_EQ(hold(pages, WallTime(150s))->spent.load(), 1);
}

}  // namespace
}  // namespace sluice::limit
