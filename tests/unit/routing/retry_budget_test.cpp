#include "routing/retry_budget.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <thread>
#include <vector>

namespace sluice::routing {
namespace {

using namespace std::chrono_literals;
constexpr TimePoint kStart{1h};

int spend_all(RetryBudget& budget, TimePoint now) {
  int spent = 0;
  while (budget.try_spend(now)) ++spent;
  return spent;
}

TEST(RetryBudget, ThreeAreThereFromTheStart) {
  RetryBudget budget;
  EXPECT_EQ(spend_all(budget, kStart), 3);
  EXPECT_EQ(spend_all(budget, kStart + 1h), 0) << "time alone pays nothing back";
  EXPECT_EQ(budget.spent(), 3U);
  EXPECT_EQ(budget.refused(), 2U);
}

TEST(RetryBudget, FiveRequestsEarnOne) {
  RetryBudget budget;
  spend_all(budget, kStart);
  for (int i = 0; i < 4; ++i) budget.earn(kStart);
  EXPECT_FALSE(budget.try_spend(kStart));
  budget.earn(kStart);
  EXPECT_TRUE(budget.try_spend(kStart));
  EXPECT_FALSE(budget.try_spend(kStart));
}

TEST(RetryBudget, WhatWasEarnedLapsesAfterTenSeconds) {
  RetryBudget budget;
  for (int i = 0; i < 100'000; ++i) budget.earn(kStart + i * 1ms);
  const TimePoint now = kStart + 100s;
  const int spent = spend_all(budget, now);
  EXPECT_LE(spent, 2003);
  EXPECT_GE(spent, 1800) << "of nine to ten seconds";
  EXPECT_EQ(spend_all(budget, now), 0);
}

TEST(RetryBudget, AQuietTimeLeavesTheThree) {
  RetryBudget budget;
  for (int i = 0; i < 1000; ++i) budget.earn(kStart);
  EXPECT_EQ(spend_all(budget, kStart + 1min), 3);
}

TEST(RetryBudget, F40HoldsOverAWholeRunHoweverSlow) {
  RetryBudget budget;
  int attempts = 0;
  const int requests = 600;
  for (int i = 0; i < requests; ++i) {
    const TimePoint now = kStart + i * 7s;
    budget.earn(now);
    ++attempts;
    attempts += spend_all(budget, now);
  }
  EXPECT_LE(attempts, 1.2 * requests + 3);
}

TEST(RetryBudget, ANewConfigurationGivesTheLeastNotAgain) {
  RetryBudget budget;
  spend_all(budget, kStart);
  budget.adopt({.percent = 100, .least = 3});
  EXPECT_FALSE(budget.try_spend(kStart));
  budget.earn(kStart);
  EXPECT_EQ(spend_all(budget, kStart), 1);
}

TEST(RetryBudget, ANewConfigurationGivesWhatTheLeastIsBeyondAllBefore) {
  RetryBudget budget;
  EXPECT_EQ(spend_all(budget, kStart), 3);
  budget.adopt({.percent = 0, .least = 10});
  EXPECT_EQ(spend_all(budget, kStart), 7);
  budget.adopt({.percent = 0, .least = 0});
  budget.adopt({.percent = 0, .least = 10});
  EXPECT_FALSE(budget.try_spend(kStart)) << "nobody gets more by going to and fro";
}

TEST(RetryBudget, ALowerLeastHoldsAtOnce) {
  RetryBudget budget;
  budget.adopt({.percent = 0, .least = 1});
  EXPECT_EQ(spend_all(budget, kStart), 1);
}

TEST(RetryBudget, OfNothingNothingIsSpent) {
  RetryBudget budget({.percent = 0, .least = 0});
  for (int i = 0; i < 100; ++i) budget.earn(kStart);
  EXPECT_FALSE(budget.try_spend(kStart));
}

TEST(RetryBudgetThreads, F40HoldsExactlyOnEightThreads) {
  RetryBudget budget;
  std::atomic<std::int64_t> requests{0};
  std::atomic<std::int64_t> attempts{0};
  {
    std::barrier start(8);
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        start.arrive_and_wait();
        for (int round = 0; round < 50'000; ++round) {
          const TimePoint now = kStart + requests.fetch_add(1) * 20us;
          budget.earn(now);
          attempts.fetch_add(1);
          for (int retry = 0; retry < 3 && budget.try_spend(now); ++retry) attempts.fetch_add(1);
        }
      });
    }
  }
  EXPECT_LE(attempts.load() * 10, requests.load() * 12 + 30);
  EXPECT_GE(attempts.load() * 10, requests.load() * 12 - 100) << "and what was earned could be spent";
}

}  // namespace
}  // namespace sluice::routing
