// Many threads on one ledger in memory. To be run under the thread sanitizer too.

#include <algorithm>
#include <barrier>
#include <map>
#include <random>
#include <thread>

#include "memory_harness.hpp"

namespace sluice::limit {
namespace {

using namespace std::chrono_literals;

constexpr int kThreads = 8;

// Runs work(thread) on all threads at once, and waits for them.
template <class Work>
void on_all_threads(Work work) {
  std::barrier start(kThreads);
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      start.arrive_and_wait();
      work(thread);
    });
  }
}

// Does something again and again while others work.
template <class Work>
std::jthread meanwhile(Work work) {
  return std::jthread([work](const std::stop_token& stop) mutable {
    while (!stop.stop_requested()) work();
  });
}

struct LedgerThreads : testing::Test {
  Limit limit(Meter meter, std::int64_t most, Period period = Period::kDay) {
    Limit made{.id = "limit" + std::to_string(made_++), .node = "n", .meter = meter, .most = most, .period = period};
    made.window = 1s;
    harness.memory->know(made);
    return made;
  }
  Standing look(const Limit& of) { return harness.look(of); }

  MemoryHarness harness;
  int made_ = 0;
};

TEST_F(LedgerThreads, AdmitExactlyTheLimit) {
  for (const Meter meter : {Meter::kRequests, Meter::kConcurrency, Meter::kMoney}) {
    const Limit limit = this->limit(meter, 1000);
    std::vector<std::vector<Grant>> grants(kThreads);
    std::atomic<int> refused{0};
    on_all_threads([&](int thread) {
      for (int i = 0; i < 10'000 / kThreads; ++i) {
        Verdict verdict = harness.admit({{&limit, 1}});
        if (auto* grant = std::get_if<Grant>(&verdict)) {
          grants[static_cast<std::size_t>(thread)].push_back(std::move(*grant));
        } else {
          ++refused;
        }
      }
    });
    std::size_t granted = 0;
    for (const auto& of_thread : grants) granted += of_thread.size();
    EXPECT_EQ(granted, 1000u) << to_string(meter);
    EXPECT_EQ(refused.load(), 9000) << to_string(meter);
    on_all_threads([&](int thread) { grants[static_cast<std::size_t>((thread + 1) % kThreads)].clear(); });
    EXPECT_EQ(look(limit).used, 0) << to_string(meter);
    EXPECT_EQ(look(limit).reserved, 0) << to_string(meter);
  }
}

// A take that was granted, between two looks at the clock.
struct Logged {
  WallTime before;
  WallTime after;
  std::int64_t used;
};

// The sum of what was surely taken in any one window.
std::int64_t most_in_a_window(std::vector<Logged> log, milliseconds window) {
  std::ranges::sort(log, {}, &Logged::before);
  std::int64_t worst = 0;
  for (std::size_t first = 0; first < log.size(); first += 7) {
    std::int64_t sum = 0;
    for (std::size_t i = first; i < log.size() && log[i].before < log[first].before + window; ++i) {
      if (log[i].after < log[first].before + window) sum += log[i].used;
    }
    worst = std::max(worst, sum);
  }
  return worst;
}

TEST_F(LedgerThreads, NeverGrantMoreThanTheLimitInAnyWindow) {
  const Limit limit = this->limit(Meter::kTokens, 500);
  std::vector<std::vector<Logged>> logs(kThreads);
  std::atomic<int> refused{0};
  {
    const auto clock = meanwhile([&] {
      harness.advance(1ms);
      std::this_thread::yield();
    });
    on_all_threads([&](int thread) {
      std::mt19937 random(static_cast<unsigned>(thread));
      for (int i = 0; i < 4000; ++i) {
        const std::int64_t amount = random() % 12;
        const WallTime before = harness.now();
        Verdict verdict = harness.admit({{&limit, amount}});
        const WallTime after = harness.now();
        if (!std::holds_alternative<Grant>(verdict)) {
          ++refused;
          continue;
        }
        const std::int64_t used = random() % 3 == 0 ? amount / 2 : amount;
        std::get<Grant>(verdict).settle({&used, 1});
        logs[static_cast<std::size_t>(thread)].push_back({before, after, used});
      }
    });
  }
  std::vector<Logged> log;
  for (const auto& of_thread : logs) log.insert(log.end(), of_thread.begin(), of_thread.end());
  const std::int64_t worst = most_in_a_window(log, 1s);
  EXPECT_LE(worst, 500);
  EXPECT_GT(worst, 300);
  EXPECT_GT(refused.load(), 0);
  harness.advance(1050ms);
  EXPECT_EQ(look(limit).used, 0);
}

TEST_F(LedgerThreads, TakeAllOrNothing) {
  const Limit requests = limit(Meter::kRequests, 1'000'000);
  const Limit money = limit(Meter::kMoney, 300);
  const Limit slots = limit(Meter::kConcurrency, 5);
  std::atomic<std::int64_t> granted{0};
  on_all_threads([&](int thread) {
    for (int i = 0; i < 2000; ++i) {
      const std::int64_t used[] = {1, thread % 2, 0};
      Verdict verdict = harness.admit({{&requests, 1}, {&money, 100}, {&slots, 1}});
      if (!std::holds_alternative<Grant>(verdict)) continue;
      if (i % 3 == 0) {
        std::get<Grant>(verdict).settle({});
        continue;
      }
      const bool enough = std::get<Grant>(verdict).extend(Money::nanodollars(50));
      EXPECT_LE(look(money).used + look(money).reserved, 300 + (enough ? 0 : 100));
      std::get<Grant>(verdict).settle(std::span(used).first(1));
      ++granted;
    }
  });
  EXPECT_EQ(look(requests).used, granted.load());
  EXPECT_EQ(look(money).used, 0);
  EXPECT_EQ(look(money).reserved, 0);
  EXPECT_EQ(look(slots).reserved, 0);
}

// Days end all the time, grants stay open over any number of them, and somebody keeps the rows.
TEST_F(LedgerThreads, LoseNoSpendWhenPeriodsEnd) {
  const Limit limit = this->limit(Meter::kMoney, 5000);
  std::map<std::chrono::sys_seconds, BudgetRow> rows;
  const auto collect = [&] {
    for (const BudgetRow& row : harness.memory->changed_budgets(harness.now(), 30s)) {
      EXPECT_LE((row.spent + row.reserved).nanodollars(), 5000);
      rows[row.period] = row;
    }
  };
  std::atomic<std::int64_t> spent{0};
  {
    const auto clock = meanwhile([&] {
      harness.advance(1h);
      std::this_thread::sleep_for(50us);
    });
    const auto books = meanwhile(collect);
    on_all_threads([&](int thread) {
      std::mt19937 random(static_cast<unsigned>(thread));
      std::vector<Grant> open(20);
      for (int i = 0; i < 4000; ++i) {
        Grant& grant = open[random() % open.size()];
        if (grant) {
          if (random() % 4 == 0) grant.extend(Money::nanodollars(5));
          const auto used = static_cast<std::int64_t>(random() % 41);
          grant.settle({&used, 1});
          spent += used;
        }
        Verdict verdict = harness.admit({{&limit, 40}});
        if (std::holds_alternative<Grant>(verdict)) grant = std::move(std::get<Grant>(verdict));
        const Standing standing = look(limit);
        EXPECT_LE(standing.used + standing.reserved, 5000);
      }
    });
  }
  collect();
  std::int64_t sum = 0;
  for (const auto& [period, row] : rows) {
    sum += row.spent.nanodollars();
    EXPECT_EQ(row.reserved, Money()) << "of the period of " << period.time_since_epoch().count();
  }
  EXPECT_EQ(sum, spent.load());
  EXPECT_GT(rows.size(), 3u);
}

// Everybody reaches the end of a period at the same moment, with nothing in memory yet for the next.
TEST_F(LedgerThreads, BeginOnePeriodTogether) {
  const Limit limit = this->limit(Meter::kMoney, 100);
  for (int day = 0; day < 300; ++day) {
    std::atomic<int> granted{0};
    std::vector<Grant> grants(kThreads);
    on_all_threads([&](int thread) {
      for (int i = 0; i < 5; ++i) {
        Verdict verdict = harness.admit({{&limit, 20}});
        if (!std::holds_alternative<Grant>(verdict)) continue;
        ++granted;
        const std::int64_t used = 20;
        std::get<Grant>(verdict).settle({&used, 1});
      }
      (void)thread;
    });
    ASSERT_EQ(granted.load(), 5) << day;
    ASSERT_EQ(look(limit).used, 100);
    harness.advance(24h);
  }
}

TEST_F(LedgerThreads, TellAThresholdOnce) {
  std::atomic<int> told{0};
  MemoryHarness alerting([&](const Limit&, unsigned, Money) { ++told; });
  Limit limit{.id = "b", .node = "n", .meter = Meter::kMoney, .most = 8000, .alert_percent = {50, 80, 100}};
  alerting.memory->know(limit);
  on_all_threads([&](int) {
    const std::int64_t used = 1;
    for (int i = 0; i < 1000; ++i) std::get<Grant>(alerting.admit({{&limit, 1}})).settle({&used, 1});
  });
  EXPECT_EQ(alerting.look(limit).used, 8000);
  EXPECT_EQ(told.load(), 3);
}

// Users come and go on every thread, some of them known to several at a time; their accounts go with them.
TEST_F(LedgerThreads, ComeAndGoWithTheirLimits) {
  std::atomic<std::int64_t> spent{0};
  std::map<std::pair<std::string, std::chrono::sys_seconds>, Money> rows;
  const auto collect = [&] {
    for (const BudgetRow& row : harness.memory->changed_budgets(harness.now(), 30s))
      rows[{row.id, row.period}] = row.spent;
  };
  {
    const auto clock = meanwhile([&] {
      harness.advance(1min);
      std::this_thread::sleep_for(20us);
    });
    const auto books = meanwhile(collect);
    on_all_threads([&](int thread) {
      std::mt19937 random(static_cast<unsigned>(thread));
      for (int i = 0; i < 3000; ++i) {
        const std::string user = "user" + std::to_string(random() % 400 + static_cast<unsigned>(i / 500) * 400);
        Limit rate{.id = user + "|requests", .node = "user", .most = 1000, .window = 1s};
        Limit money{
            .id = user + "|budget", .node = "user", .meter = Meter::kMoney, .most = 1000, .period = Period::kDay};
        harness.memory->know(rate);
        harness.memory->know(money);
        Verdict verdict = harness.admit({{&rate, 1}, {&money, 2}});
        if (!std::holds_alternative<Grant>(verdict)) continue;
        const std::int64_t used[] = {1, 2};
        std::get<Grant>(verdict).settle(used);
        spent += 2;
      }
    });
  }
  collect();
  std::int64_t sum = 0;
  for (const auto& [key, money] : rows) sum += money.nanodollars();
  EXPECT_EQ(sum, spent.load());
  harness.advance(24h);
  for (int i = 0; i < 200; ++i) collect();
  EXPECT_EQ(harness.memory->accounts(), 0u);
}

}  // namespace
}  // namespace sluice::limit
