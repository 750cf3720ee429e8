#include "limit/debts.hpp"

#include <gtest/gtest.h>

namespace sluice::limit {
namespace {

using namespace std::chrono_literals;

std::shared_ptr<SharedLimit> make(Meter meter, std::chrono::seconds window = 60s) {
  return std::make_shared<SharedLimit>(Limit{.id = "limit", .node = "n", .meter = meter, .most = 100, .window = window},
                                       "{sluice}:");
}

constexpr TimePoint kStart{1000s};
constexpr Term kMay{.from = 100, .until = 200};
constexpr Term kJune{.from = 200, .until = 300};

TEST(Debts, AddUpPerBudgetAndPeriod) {
  const auto a = make(Meter::kMoney);
  const auto b = make(Meter::kMoney);
  Debts debts;
  EXPECT_TRUE(debts.empty());
  for (int i = 0; i < 1000; ++i) debts.add({.limit = a, .term = kMay, .amount = 3}, kStart + i * 1h);
  debts.add({.limit = a, .term = kJune, .amount = 5}, kStart);
  debts.add({.limit = b, .term = kMay, .amount = 7}, kStart);
  std::int64_t may = 0;
  std::int64_t june = 0;
  std::int64_t others = 0;
  for (const Spending& debt : debts.collect(kStart + 2000h)) {
    (debt.limit == b ? others : debt.term == kMay ? may : june) += debt.amount;
  }
  EXPECT_EQ(may, 3000);
  EXPECT_EQ(june, 5);
  EXPECT_EQ(others, 7);
  EXPECT_TRUE(debts.empty());
}

TEST(Debts, ForgetWhatHasLeftItsWindow) {
  const auto minute = make(Meter::kRequests);
  Debts debts;
  for (int second = 0; second < 600; ++second) {
    debts.add({.limit = minute, .term = {}, .amount = 1}, kStart + second * 1s);
  }
  const auto all = debts.collect(kStart + 600s);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_GE(all[0].amount, 60);
  EXPECT_LE(all[0].amount, 66);
  debts.add({.limit = minute, .term = {}, .amount = 1}, kStart + 600s);
  EXPECT_TRUE(debts.collect(kStart + 700s).empty());
}

TEST(Debts, AreNoneOfSlotsAndNothing) {
  Debts debts;
  debts.add({.limit = make(Meter::kConcurrency), .term = {}, .amount = 1}, kStart);
  debts.add({.limit = make(Meter::kMoney), .term = {}, .amount = 0}, kStart);
  EXPECT_TRUE(debts.empty());
}

TEST(Debts, SaturateInsteadOfWrapping) {
  const auto money = make(Meter::kMoney);
  Debts debts;
  for (int i = 0; i < 3; ++i) {
    debts.add({.limit = money, .term = kMay, .amount = std::numeric_limits<std::int64_t>::max() - 1}, kStart);
  }
  EXPECT_EQ(debts.collect(kStart).at(0).amount, std::numeric_limits<std::int64_t>::max());
}

}  // namespace
}  // namespace sluice::limit
