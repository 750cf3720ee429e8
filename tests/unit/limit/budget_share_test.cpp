#include "limit/budget_share.hpp"

#include <gtest/gtest.h>

namespace sluice::limit {
namespace {

constexpr Term kMay{.from = 100, .until = 200};
constexpr Term kJune{.from = 200, .until = 300};

bool takes(BudgetShare& share, const Term& term, std::int64_t amount) {
  return share.take({.term = term, .most = 1000, .replicas = 3}, amount, false).within;
}

TEST(BudgetShare, LeavesNothingOfABudgetThatWasNeverSeen) {
  BudgetShare share;
  EXPECT_FALSE(takes(share, kMay, 1));
  EXPECT_TRUE(takes(share, kMay, 0));
}

TEST(BudgetShare, IsAPartOfWhatWasLeft) {
  BudgetShare share;
  share.saw(kMay, 100);
  EXPECT_TRUE(takes(share, kMay, 200));
  EXPECT_TRUE(takes(share, kMay, 100));
  EXPECT_FALSE(takes(share, kMay, 1));
  share.change(kMay, -50);
  EXPECT_TRUE(takes(share, kMay, 50));
}

// What was told is in what is seen.
TEST(BudgetShare, CountsWhatIsNotToldYetAgainstWhatIsSeenLater) {
  BudgetShare share;
  share.saw(kMay, 400);
  EXPECT_TRUE(takes(share, kMay, 200));
  share.saw(kMay, 700);
  EXPECT_FALSE(takes(share, kMay, 1));
  share.change(kMay, -200);
  EXPECT_TRUE(takes(share, kMay, 100));
  EXPECT_FALSE(takes(share, kMay, 1));
}

TEST(BudgetShare, BeginsAnewWithAPeriod) {
  BudgetShare share;
  share.saw(kMay, 1000);
  EXPECT_FALSE(takes(share, kMay, 1));
  EXPECT_TRUE(takes(share, kJune, 333));
  EXPECT_FALSE(takes(share, kJune, 1));
  share.change(kMay, -1000);  // late, and of no concern to June
  EXPECT_FALSE(takes(share, kJune, 1));
  share.saw(kMay, 5);
  EXPECT_FALSE(takes(share, kJune, 1));
}

TEST(BudgetShare, TakesInAnyCaseWhenTold) {
  BudgetShare share;
  share.saw(kMay, 1000);
  const auto taken = share.take({.term = kMay, .most = 1000, .replicas = 3}, 70, true);
  EXPECT_FALSE(taken.within);
  EXPECT_EQ(taken.seen, 1000);
  EXPECT_EQ(taken.outstanding, 70);
}

}  // namespace
}  // namespace sluice::limit
