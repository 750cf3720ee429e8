// What is without locks, in thousands of interleavings of a few threads. See interleaving.hpp.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <expected>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "interleaving.hpp"
#include "limit/calendar.hpp"
#include "sluice/limit/memory_ledger.hpp"

// The code itself, a second time: in a namespace of its own and with atomics that step.
namespace stepped {
using namespace sluice;
namespace limit {
using namespace sluice::limit;
}
}  // namespace stepped
#define atomic stepped_atomic
#define sluice stepped
#include "limit/account.cpp"         // NOLINT
#include "limit/budget_account.cpp"  // NOLINT
#include "limit/budget_pages.cpp"    // NOLINT
#include "limit/sliding_window.cpp"  // NOLINT
#undef sluice
#undef atomic

namespace stepped::limit {
namespace {

using namespace std::chrono_literals;

constexpr unsigned kCourses = 3000;
constexpr auto kSlot = 50ms;
constexpr TimePoint kStart{1000s};
constexpr TimePoint kTurnLater = kStart + 21 * kSlot;  // when the first slot has left the window; its cell is next

// The window.

TEST(LedgerInterleavings, ACorrectionNeverHitsTheSlotThatComesAfter) {
  for (unsigned seed = 1; seed <= kCourses; ++seed) {
    SlidingWindow window(1s);
    const auto place = window.add(100, kStart);
    window.used(kTurnLater - kSlot);
    Interleaving::run(seed, {[&] { window.give_back(60, place); }, [&] { window.add(100, kTurnLater); }});
    ASSERT_EQ(window.used(kTurnLater), 100) << seed;
  }
}

TEST(LedgerInterleavings, ALateTakeNeverWipesOutAnother) {
  for (unsigned seed = 1; seed <= kCourses; ++seed) {
    SlidingWindow window(1s);
    std::int64_t seen = 0;
    Interleaving::run(seed, {[&] { window.add(50, kStart); },
                             [&] {
                               window.add(100, kTurnLater);
                               seen = window.used(kTurnLater);
                             }});
    ASSERT_GE(seen, 100) << seed;
    const std::int64_t used = window.used(kTurnLater);
    ASSERT_TRUE(used == 100 || used == 150) << seed << ": " << used;
    ASSERT_EQ(window.used(kTurnLater + 21 * kSlot), 0) << seed;
  }
}

TEST(LedgerInterleavings, TakesShareExactlyWhatASlotLeaves) {
  for (unsigned seed = 1; seed <= kCourses; ++seed) {
    SlidingWindow window(1s);
    window.add(10, kStart);
    int granted = 0;
    const auto take = [&] {
      if (window.take(4, 10, kTurnLater)) ++granted;
    };
    Interleaving::run(seed, {take, take, take});
    // Who finds another still busy with what has left may be refused too early, but never everybody.
    ASSERT_TRUE(granted == 1 || granted == 2) << seed;
    ASSERT_EQ(window.used(kTurnLater), granted * 4) << seed;
    ASSERT_EQ(window.take(4, 10, kTurnLater).has_value(), granted == 1) << seed;
  }
}

TEST(LedgerInterleavings, TakingAndGivingBackAddsUp) {
  for (unsigned seed = 1; seed <= kCourses; ++seed) {
    SlidingWindow window(1s);
    window.add(7, kStart + 5 * kSlot);
    const auto work = [&](TimePoint now) {
      const auto place = window.add(9, now);
      EXPECT_GE(window.used(now), 7) << seed;
      window.give_back(6, place);
    };
    Interleaving::run(
        seed, {[&] { work(kStart + 20 * kSlot); }, [&] { work(kTurnLater); }, [&] { work(kTurnLater + 2 * kSlot); }});
    ASSERT_EQ(window.used(kTurnLater + 2 * kSlot), 7 + 3 * 3) << seed;
    ASSERT_EQ(window.used(kTurnLater + 24 * kSlot), 0) << seed;
  }
}

// Budgets.

constexpr WallTime kNoon = std::chrono::sys_days(std::chrono::year(2027) / 3 / 1) + 12h;
const MemoryLedgerOptions kOptions;

struct BudgetCourse {
  explicit BudgetCourse(Mode mode = Mode::kEnforce) {
    limit.meter = Meter::kMoney;
    limit.period = Period::kDay;
    limit.most = 10;
    limit.mode = mode;
  }
  static Moment at(int day) { return {.steady = {}, .wall = kNoon + day * 24h}; }

  std::optional<Booking> take(std::int64_t amount, int day) {
    const auto booking = account->take(limit, amount, at(day));
    return booking ? std::optional(*booking) : std::nullopt;
  }
  void settle(const Booking& booking, std::int64_t used) {
    const Take take{.limit = &limit, .amount = booking.amount};
    account->settle({.take = take, .place = booking.place, .used = used, .options = kOptions});
    spent += used;
  }
  void take_and_settle(std::int64_t amount, int day) {
    if (const auto booking = take(amount, day)) settle(*booking, amount);
  }
  void collect() {
    std::vector<BudgetRow> rows;
    changed.collect(rows, kNoon, 30s);
    for (const BudgetRow& row : rows) kept[row.period] = row;
  }
  // All that was spent has been collected, of its period, and nothing is reserved any more.
  void expect_books_to_be_right(unsigned seed) {
    collect();
    std::int64_t sum = 0;
    for (const auto& [period, row] : kept) {
      sum += row.spent.nanodollars();
      EXPECT_EQ(row.reserved, Money()) << seed;
    }
    EXPECT_EQ(sum, spent) << seed;
  }

  Limit limit;
  ChangedBudgets changed;
  std::unique_ptr<BudgetAccount> account = std::make_unique<BudgetAccount>("budget", Period::kDay, &changed);
  std::int64_t spent = 0;
  std::map<std::chrono::sys_seconds, BudgetRow> kept;
};

TEST(LedgerInterleavings, ABudgetIsNeverOvercommitted) {
  for (unsigned seed = 1; seed <= kCourses; ++seed) {
    BudgetCourse course;
    const auto work = [&] {
      const auto booking = course.take(4, 0);
      const Standing standing = course.account->standing(course.limit, BudgetCourse::at(0));
      EXPECT_LE(standing.used + standing.reserved, 10) << seed;
      if (booking) course.settle(*booking, 3);
    };
    Interleaving::run(seed, {work, work, work});
    EXPECT_TRUE(course.spent == 6 || course.spent == 9) << seed;
    course.expect_books_to_be_right(seed);
    if (HasFailure()) return;
  }
}

TEST(LedgerInterleavings, NoSpendIsLostWhenPeriodsBegin) {
  for (unsigned seed = 1; seed <= kCourses; ++seed) {
    BudgetCourse course;
    const auto late = course.take(5, 0);
    ASSERT_TRUE(late);
    course.collect();
    Interleaving::run(seed, {[&] { course.settle(*late, 3); },
                             [&] {
                               for (int day = 1; day < 4; ++day) course.take_and_settle(1, day);
                             },
                             [&] {
                               for (int times = 0; times < 3; ++times) course.collect();
                             },
                             [&] { course.take_and_settle(2, 2); }});
    course.expect_books_to_be_right(seed);
    const auto first = std::chrono::floor<std::chrono::days>(kNoon);
    EXPECT_EQ(course.kept[first].spent.nanodollars(), 3) << seed;
    if (HasFailure()) return;
  }
}

TEST(LedgerInterleavings, APeriodBeginsOnce) {
  for (unsigned seed = 1; seed <= kCourses; ++seed) {
    BudgetCourse course;
    course.take_and_settle(10, 0);
    course.collect();
    const auto work = [&] { course.take_and_settle(4, 1); };
    Interleaving::run(seed, {work, work, work, [&] { course.collect(); }});
    EXPECT_EQ(course.spent, 10 + 8) << seed;
    course.expect_books_to_be_right(seed);
    if (HasFailure()) return;
  }
}

// Whoever finds it idle drops it, and nobody may come to it any more.
TEST(LedgerInterleavings, AnAccountIsNotDroppedWhileItIsCollected) {
  unsigned dropped = 0;
  for (unsigned seed = 1; seed <= kCourses; ++seed) {
    BudgetCourse course;
    course.take_and_settle(10, 0);
    Interleaving::run(seed, {[&] { course.collect(); },
                             [&] {
                               for (int times = 0; times < 8 && course.account; ++times) {
                                 if (course.account->idle(BudgetCourse::at(1))) course.account.reset();
                               }
                             }});
    dropped += course.account ? 0 : 1;
    course.expect_books_to_be_right(seed);
    if (HasFailure()) return;
  }
  EXPECT_GT(dropped, kCourses / 10);
}

}  // namespace
}  // namespace stepped::limit
