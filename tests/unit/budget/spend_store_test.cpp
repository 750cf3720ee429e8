// The books in good times: what goes in comes out, before and after it is written, and after a restart.

#include <limits>

#include "unit/budget/store_fixture.hpp"

namespace sluice::budget {
namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

std::vector<std::string> keys_of(const std::vector<SpendRow>& rows) {
  std::vector<std::string> keys;
  for (const auto& row : rows) keys.push_back(row.key);
  return keys;
}

TEST_F(StoreTest, NewBooksAreEmptyAndTheirFolderIsMade) {
  auto opened = SpendStore::open(path("deep/er/sluice.db"));
  ASSERT_TRUE(opened) << opened.error();
  const auto rows = (*opened)->budgets();
  ASSERT_TRUE(rows) << rows.error();
  EXPECT_TRUE(rows->empty());
}

TEST_F(StoreTest, BudgetsComeBackAsTheyWereWritten) {
  begin(options());
  BudgetRow row = budget("group:acme|budget|month", 5'000'000'000, 70);
  row.alerted_percent = 80;
  BudgetRow whole = budget("key:web|budget|total", 9);
  whole.period = sys_seconds{};
  change(row);
  change(whole);
  finish();
  auto rows = open(options()).budgets();
  ASSERT_TRUE(rows) << rows.error();
  std::ranges::sort(*rows, {}, &BudgetRow::id);
  EXPECT_EQ(*rows, (std::vector{row, whole}));
}

TEST_F(StoreTest, TheLastStateOfABudgetIsTheOneThatCounts) {
  begin(options(1ms));
  change(budget("a", 1, 500));
  ASSERT_TRUE(eventually([&] { return store_->counts().commits >= 1; }));
  change(budget("a", 2, 400));
  change(budget("a", 3));
  finish();
  begin(options());
  change(budget("a", 4));
  finish();
  EXPECT_EQ(*open(options()).budgets(), (std::vector{budget("a", 4)}));
}

TEST_F(StoreTest, EachPeriodOfABudgetHasItsOwnRow) {
  begin(options());
  BudgetRow day = budget("a", 1), next = budget("a", 2);
  day.period = kMonth + days(18);
  next.period = kMonth + days(19);
  change(day);
  change(next);
  finish();
  EXPECT_EQ(*open(options()).budgets(), (std::vector{day, next}));
}

TEST_F(StoreTest, PeriodsThatMustBeOverDoNotComeBack) {
  begin(options());
  BudgetRow whole = budget("total", 1);
  whole.period = sys_seconds{};
  change(budget("month", 1));
  change(whole);
  finish();
  wall_ = kMonth + days(31);
  EXPECT_EQ(open(options()).budgets()->size(), 2U) << "a month of 31 days would end now";
  wall_ = kMonth + days(31) + 1s;
  EXPECT_EQ(*open(options()).budgets(), std::vector{whole});
}

TEST_F(StoreTest, ReportsShowWhatIsNotWrittenYet) {
  begin(options());
  store_->add(spend("web", 100));
  store_->add(spend("web", 20, kNoon + 59min));
  const auto rows = report();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].key, "web");
  EXPECT_EQ(rows[0].requests, 2);
  EXPECT_EQ(rows[0].input_tokens, 20);
  EXPECT_EQ(rows[0].output_tokens, 10);
  EXPECT_EQ(rows[0].cost, Money::nanodollars(120));
  EXPECT_EQ(store_->counts().commits, 0U);
}

TEST_F(StoreTest, ReportsAddUpWhatIsWrittenAndWhatIsNot) {
  begin(options());
  store_->add(spend("web", 1));
  finish();
  begin(options(1ms));
  store_->add(spend("web", 20));
  ASSERT_TRUE(eventually([&] { return store_->counts().commits == 1; }));
  finish();
  begin(options());
  store_->add(spend("web", 300));
  const auto rows = report();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].cost, Money::nanodollars(321));
  EXPECT_EQ(rows[0].requests, 3);
}

TEST_F(StoreTest, ReportsAreByWhatWasAskedForAndDearestFirst) {
  begin(options());
  store_->add({.hour = kNoon,
               .key = "a",
               .group = "acme/search",
               .model = "chat",
               .provider = "x",
               .requests = 1,
               .cost = Money::nanodollars(10)});
  store_->add({.hour = kNoon + 1h,
               .key = "b",
               .group = "acme/web",
               .model = "chat",
               .provider = "y",
               .requests = 1,
               .cost = Money::nanodollars(20)});
  store_->add({.hour = kNoon + 24h,
               .key = "c",
               .group = "zeta",
               .model = "small",
               .provider = "y",
               .requests = 1,
               .cost = Money::nanodollars(25)});
  const auto names = [&](SpendBy by, std::string SpendRow::* member) {
    std::string text;
    for (const auto& row : report({.by = by})) {
      text += row.*member + "=" + std::to_string(row.cost.nanodollars()) + " ";
      EXPECT_EQ(row.hour, sys_seconds{});
    }
    return text;
  };
  EXPECT_EQ(names(SpendBy::kKey, &SpendRow::key), "c=25 b=20 a=10 ");
  EXPECT_EQ(names(SpendBy::kGroup, &SpendRow::group), "zeta=25 acme/web=20 acme/search=10 ");
  EXPECT_EQ(names(SpendBy::kTeam, &SpendRow::group), "acme=30 zeta=25 ");
  EXPECT_EQ(names(SpendBy::kModel, &SpendRow::model), "chat=30 small=25 ");
  EXPECT_EQ(names(SpendBy::kProvider, &SpendRow::provider), "y=45 x=10 ");
  EXPECT_EQ(names(SpendBy::kProvider, &SpendRow::key), "=45 =10 ") << "no other name is told";
}

TEST_F(StoreTest, ReportsByTimeAreInItsOrder) {
  begin(options());
  store_->add(spend("a", 1, kNoon + 25h));
  store_->add(spend("a", 2, kNoon + 1h));
  store_->add(spend("a", 4, kNoon + 30min));
  const auto hours = report({.by = SpendBy::kHour});
  ASSERT_EQ(hours.size(), 3U);
  EXPECT_EQ(hours[0].hour, kNoon);
  EXPECT_EQ(hours[1].hour, kNoon + 1h);
  EXPECT_EQ(hours[2].hour, kNoon + 25h);
  const auto by_day = report({.by = SpendBy::kDay});
  ASSERT_EQ(by_day.size(), 2U);
  EXPECT_EQ(by_day[0].hour, kNoon - 12h);
  EXPECT_EQ(by_day[0].cost, Money::nanodollars(6));
}

TEST_F(StoreTest, ReportsTakeTheHoursThatBeginInTheirTime) {
  begin(options());
  for (int hour = 0; hour < 4; ++hour) store_->add(spend("h" + std::to_string(hour), 10 - hour, kNoon + hour * 1h));
  const std::vector<std::string> wanted = {"h1", "h2"};
  EXPECT_EQ(keys_of(report({.since = kNoon + 1h, .until = kNoon + 3h})), wanted) << "in memory";
  finish();
  begin(options());
  EXPECT_EQ(keys_of(report({.since = kNoon + 1h, .until = kNoon + 3h})), wanted) << "in the file";
  EXPECT_EQ(keys_of(report({.since = kNoon + 1min, .until = kNoon + 3h})), wanted) << "an hour that has begun before";
  EXPECT_TRUE(report({.since = kNoon + 3h, .until = kNoon}).empty());
}

TEST_F(StoreTest, NamesKeepEveryByte) {
  begin(options());
  const std::string odd = "q'\"; DROP TABLE spend; \0 \xff\xf0 \xe2\x82\xac"s;
  store_->add(spend(odd, 1));
  store_->add(spend("", 2));
  finish();
  begin(options());
  EXPECT_EQ(keys_of(report()), (std::vector<std::string>{"", odd}));
}

TEST_F(StoreTest, SumsSaturateInMemoryAndInTheFile) {
  begin(options());
  SpendRow huge = spend("web", kMost);
  huge.requests = huge.input_tokens = huge.output_tokens = kMost;
  for (int i = 0; i < 3; ++i) {
    store_->add(huge);
    store_->add(huge);
    finish();
    begin(options());
  }
  const auto rows = report();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].cost, Money::nanodollars(kMost));
  EXPECT_EQ(rows[0].requests, kMost);
  EXPECT_EQ(rows[0].input_tokens, kMost);
  EXPECT_EQ(rows[0].output_tokens, kMost);
  EXPECT_TRUE(told().empty());
}

TEST_F(StoreTest, NegativeNumbersCountAsNothing) {
  begin(options());
  SpendRow row = spend("web", -5);
  row.requests = row.input_tokens = row.output_tokens = std::numeric_limits<std::int64_t>::min();
  store_->add(row);
  store_->add(spend("web", 7));
  finish();
  begin(options());
  const auto rows = report();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].cost, Money::nanodollars(7));
  EXPECT_EQ(rows[0].requests, 1);
}

TEST_F(StoreTest, WhatThereIsNoRoomForIsCountedAndTheRestGoesOnAddingUp) {
  auto few = options();
  few.most_rows = 3;
  begin(few);
  for (int round = 0; round < 2; ++round) {
    for (const char* key : {"a", "b", "c", "d", "e"}) store_->add(spend(key, 1));
  }
  EXPECT_EQ(store_->counts().dropped, 4U);
  const auto rows = report();
  EXPECT_EQ(keys_of(rows), (std::vector<std::string>{"a", "b", "c"}));
  for (const auto& row : rows) EXPECT_EQ(row.requests, 2);
  store_->add(spend("d", 1));  // there is room again, but not beside what is collected and not written
  store_->add(spend("a", 1));
  EXPECT_EQ(report().at(0).requests, 3);
  EXPECT_EQ(store_->counts().dropped, 5U);
}

TEST_F(StoreTest, OldSpendIsDeletedAndNewIsKept) {
  begin(options());
  for (int day = 0; day < 6; ++day) store_->add(spend("d" + std::to_string(day), 9 - day, kNoon + day * 24h));
  store_->add(spend("d2, later", 1, kNoon + days(2) + 13h));
  finish();
  wall_ = kNoon + days(400) + days(2) + 12h;
  begin(options(1ms));
  ASSERT_TRUE(eventually([&] { return report().size() <= 4; }));
  EXPECT_EQ(keys_of(report()), (std::vector<std::string>{"d3", "d4", "d5", "d2, later"}));
}

TEST_F(StoreTest, OldBudgetsAreDeletedAndThoseWithoutAPeriodAreKept) {
  begin(options());
  BudgetRow old = budget("old", 1), young = budget("young", 2), whole = budget("whole", 3);
  old.period = kMonth - days(1);
  whole.period = sys_seconds{};
  for (const auto& row : {old, young, whole}) change(row);
  finish();
  wall_ = kMonth + days(400 + 31);
  begin(options(1ms));
  change(budget("tick", 0));
  ASSERT_TRUE(eventually([&] { return store_->counts().commits >= 1; }));
  finish();  // not before the deleting that comes with the tick
  wall_ = kNoon;
  std::vector<std::string> left;
  for (const auto& row : *open(options()).budgets()) left.push_back(row.id);
  std::ranges::sort(left);
  EXPECT_EQ(left, (std::vector<std::string>{"tick", "whole", "young"}));
}

TEST_F(StoreTest, NothingIsWrittenWhileNothingChanges) {
  begin(options(1ms));
  store_->add(spend("web", 1));
  ASSERT_TRUE(eventually([&] { return store_->counts().commits == 1; }));
  const auto before = store_->counts();
  ASSERT_TRUE(eventually([&] { return store_->counts().lag < before.lag || store_->counts().lag < 1ms; }));
  for (int i = 0; i < 20; ++i) report();
  EXPECT_EQ(store_->counts().commits, 1U);
  EXPECT_EQ(store_->counts().rows, 1U);
}

TEST_F(StoreTest, ALongReportDoesNotHoldUpWriting) {
  constexpr int kRows = 40'000;
  begin(options());
  for (int i = 0; i < kRows; ++i) store_->add(spend("k" + std::to_string(i), 1));
  finish();
  begin(options(1ms));
  std::atomic<bool> over = false;
  std::atomic<std::uint64_t> commits_before = 0, commits_during = 0;
  std::thread spender([&] {
    while (!over) {
      store_->add(spend("new", 1));
      std::this_thread::yield();
    }
  });
  commits_before = store_->counts().commits;
  const auto rows = report({.by = SpendBy::kGroup});
  commits_during = store_->counts().commits - commits_before;
  over = true;
  spender.join();
  EXPECT_GE(commits_during, 3U);
  ASSERT_EQ(rows.size(), 1U);
  const auto new_ones = rows[0].requests - kRows;
  EXPECT_GE(new_ones, 0);
  const auto after = report({.by = SpendBy::kKey});
  EXPECT_EQ(after.size(), kRows + 1U);
  EXPECT_LE(new_ones, after.at(0).requests) << "nothing is counted twice";
}

TEST_F(StoreTest, ReportsThatAreTooManyAreRefusedAndNoneIsForgotten) {
  begin(options());
  std::promise<void> hold;
  store_->report({}, [&](const SpendReport&) { hold.get_future().wait(); });
  std::atomic<int> good = 0, bad = 0;
  for (int i = 0; i < 40; ++i) {
    store_->report({}, [&](const SpendReport& result) { ++(result ? good : bad); });
  }
  EXPECT_GE(bad, 40 - 17);
  hold.set_value();
  EXPECT_TRUE(eventually([&] { return good + bad == 40; }));
  EXPECT_GE(good, 15);
}

TEST_F(StoreTest, ReportsThatAreStillToComeAtTheEndGetAnAnswer) {
  begin(options());
  std::promise<void> hold;
  store_->report({}, [&](const SpendReport&) { hold.get_future().wait(); });
  std::atomic<int> answered = 0;
  for (int i = 0; i < 10; ++i) {
    store_->report({}, [&](const SpendReport&) { ++answered; });
  }
  EXPECT_FALSE(store_->finish(1ms)) << "its thread does not come back";
  EXPECT_TRUE(has_unfinished_stores());
  hold.set_value();
  EXPECT_TRUE(store_->finish(kPatience));
  EXPECT_EQ(answered, 10);
  EXPECT_TRUE(eventually([] { return !has_unfinished_stores(); }));
  EXPECT_FALSE(try_report().has_value()) << "and it stays so";
}

TEST_F(StoreTest, TheLastChangesAreAskedForAtTheEndAndNotAfterIt) {
  std::atomic<int> asked = 0;
  open(options()).begin([&] {
    ++asked;
    return std::vector{budget("a", 42)};
  });
  EXPECT_EQ(asked, 0);
  EXPECT_TRUE(store_->finish(kPatience));
  EXPECT_EQ(asked, 1);
  EXPECT_TRUE(store_->finish(kPatience)) << "once more does no harm";
  EXPECT_EQ(*open(options()).budgets(), std::vector{budget("a", 42)});
}

TEST_F(StoreTest, TheLogIsEmptiedAtTheEnd) {
  begin(options());
  store_->add(spend("web", 1));
  finish();
  EXPECT_FALSE(std::filesystem::exists(path("sluice.db-wal")));
}

TEST_F(StoreTest, ManyThreadsAddAndNothingIsLost) {
  constexpr int kThreads = 4, kEach = 5000;
  begin(options(1ms));
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([this, i] {
      for (int n = 0; n < kEach; ++n) {
        store_->add(spend("t" + std::to_string(n % 7), 3));
        if (n % 1000 == 0) change(budget("b" + std::to_string(i), n));
        if (n % 2500 == 0) report();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  finish();
  begin(options());
  const auto rows = report({.by = SpendBy::kTeam});
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].requests, kThreads * kEach);
  EXPECT_EQ(rows[0].cost, Money::nanodollars(3LL * kThreads * kEach));
  finish();
  EXPECT_EQ(open(options()).budgets()->size(), std::size_t{kThreads});
}

}  // namespace
}  // namespace sluice::budget
