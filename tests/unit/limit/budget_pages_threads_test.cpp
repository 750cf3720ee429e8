// The pages of a budget on real threads, without the rest of the ledger. To be run under the thread sanitizer too.

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <thread>
#include <vector>

#include "limit/budget_pages.hpp"

namespace sluice::limit {
namespace {

// Periods begin as fast as they can while late spend comes to their pages, which somebody collects.
TEST(BudgetPagesThreads, MakeNoPageAnotherBeforeItIsCollected) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 40'000;
  BudgetPages pages;
  std::atomic<int> day{0};
  std::atomic<std::int64_t> spent{0};
  std::map<std::chrono::sys_seconds, std::int64_t> collected;
  const auto collect = [&] {
    pages.for_changed([&](BudgetPage& page) { collected[page.begins] = page.spent.load(); });
  };
  {
    std::jthread collector([&](const std::stop_token& stop) {
      while (!stop.stop_requested()) collect();
    });
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&] {
        for (int round = 0; round < kRounds; ++round) {
          const WallTime now(std::chrono::days(round % 3 == 0 ? ++day : day.load()));
          const BudgetPages::Held page(&pages.hold(Period::kDay, now));
          EXPECT_GE(page->ends, now);
          page->spent.fetch_add(1);
          page->changed.store(true);
          spent.fetch_add(1);
        }
      });
    }
    threads.clear();
  }
  collect();
  std::int64_t sum = 0;
  for (const auto& [period, of_period] : collected) sum += of_period;
  EXPECT_EQ(sum, spent.load());
  EXPECT_TRUE(pages.unheld());
}

}  // namespace
}  // namespace sluice::limit
