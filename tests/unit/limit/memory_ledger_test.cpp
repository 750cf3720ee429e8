#include "sluice/limit/memory_ledger.hpp"

#include "memory_harness.hpp"

namespace sluice::limit {
namespace {

using namespace std::chrono_literals;
using std::chrono::sys_days;
using std::chrono::sys_seconds;

constexpr std::int64_t kAbsurd = std::numeric_limits<std::int64_t>::max();
constexpr sys_seconds kThisDay = std::chrono::floor<std::chrono::days>(kSaturday);

struct Told {
  std::string id;
  unsigned percent;
  Money used;
  bool operator==(const Told&) const = default;
};

struct MemoryLedgerTest : testing::Test {
  Limit limit(const std::string& id, Meter meter, std::int64_t most, Period period = Period::kDay) {
    Limit made{.id = id, .node = "user", .meter = meter, .most = most, .period = period};
    made.alert_percent = {50, 80, 100};
    harness.memory->know(made);
    return made;
  }
  Limit budget(std::int64_t most, Period period = Period::kDay) { return limit("budget", Meter::kMoney, most, period); }

  std::optional<Grant> take(const Limit& of, std::int64_t amount) {
    Verdict verdict = harness.admit({{&of, amount}});
    if (auto* grant = std::get_if<Grant>(&verdict)) return std::move(*grant);
    refusal = std::get<Refusal>(verdict);
    return std::nullopt;
  }
  void spend(const Limit& of, std::int64_t amount, std::int64_t used) {
    auto grant = take(of, amount);
    ASSERT_TRUE(grant);
    grant->settle(std::vector<std::int64_t>{used});
  }
  std::vector<BudgetRow> changed() { return harness.memory->changed_budgets(harness.now(), 30s); }

  std::vector<Told> told;
  Refusal refusal;
  MemoryHarness harness{
      [this](const Limit& of, unsigned percent, Money used) { told.push_back({of.id, percent, used}); }};
};

Money nano(std::int64_t count) { return Money::nanodollars(count); }

// Thresholds.

TEST_F(MemoryLedgerTest, TellsEachThresholdOnce) {
  const Limit limit = budget(1000);
  spend(limit, 499, 499);
  EXPECT_TRUE(told.empty());
  spend(limit, 1, 1);
  spend(limit, 1, 1);
  EXPECT_EQ(told, (std::vector<Told>{{"budget", 50, nano(500)}}));
  spend(limit, 1, 600);
  EXPECT_EQ(told,
            (std::vector<Told>{{"budget", 50, nano(500)}, {"budget", 80, nano(1101)}, {"budget", 100, nano(1101)}}));
}

TEST_F(MemoryLedgerTest, TellsOfWhatIsSpentNotOfWhatIsReserved) {
  const Limit limit = budget(1000);
  auto grant = take(limit, 1000);
  EXPECT_TRUE(told.empty());
  grant->settle(std::vector<std::int64_t>{10});
  EXPECT_TRUE(told.empty());
}

TEST_F(MemoryLedgerTest, TellsAgainInTheNextPeriod) {
  const Limit limit = budget(1000);
  spend(limit, 600, 600);
  harness.advance(24h);
  spend(limit, 600, 600);
  EXPECT_EQ(told.size(), 2u);
}

TEST_F(MemoryLedgerTest, DoesNotTellWhatWasToldBeforeTheRestart) {
  const Limit limit = budget(1000);
  harness.memory->restore({{.id = "budget", .period = kThisDay, .spent = nano(600), .alerted_percent = 50}},
                          harness.now());
  spend(limit, 1, 1);
  EXPECT_TRUE(told.empty());
  spend(limit, 250, 250);
  EXPECT_EQ(told, (std::vector<Told>{{"budget", 80, nano(851)}}));
}

TEST(MemoryLedger, SettlesEvenIfWhoeverIsToldThrows) {
  MemoryHarness harness([](const Limit&, unsigned, Money) { throw std::runtime_error("no"); });
  Limit limit{.id = "budget", .node = "user", .meter = Meter::kMoney, .most = 10, .alert_percent = {50}};
  harness.memory->know(limit);
  std::get<Grant>(harness.admit({{&limit, 10}})).settle(std::vector<std::int64_t>{10});
  EXPECT_EQ(harness.look(limit).used, 10);
  EXPECT_EQ(harness.look(limit).reserved, 0);
}

// What is kept on disk.

TEST_F(MemoryLedgerTest, ReportsABudgetOnceItHasChanged) {
  const Limit limit = budget(1000);
  EXPECT_TRUE(changed().empty());
  spend(limit, 600, 550);
  auto open = take(limit, 100);
  const BudgetRow row{.id = "budget",
                      .period = kThisDay,
                      .spent = nano(550),
                      .reserved = nano(100),
                      .held_until = std::chrono::floor<std::chrono::seconds>(kSaturday) + 30s,
                      .alerted_percent = 50};
  EXPECT_EQ(changed(), std::vector<BudgetRow>{row});
  EXPECT_TRUE(changed().empty());
  open.reset();
  ASSERT_EQ(changed().size(), 1u);
}

TEST_F(MemoryLedgerTest, ReportsALateSettlementInItsPeriod) {
  const Limit limit = budget(1000);
  auto late = take(limit, 100);
  harness.advance(24h);
  spend(limit, 7, 7);
  EXPECT_EQ(changed().size(), 2u);
  late->settle(std::vector<std::int64_t>{70});
  const auto rows = changed();
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].period, kThisDay);
  EXPECT_EQ(rows[0].spent, nano(70));
  EXPECT_EQ(rows[0].reserved, nano(0));
}

TEST(MemoryLedger, KeepsNoChangesIfNobodyAsks) {
  MemoryHarness harness(nullptr, false);
  Limit limit{.id = "budget", .node = "user", .meter = Meter::kMoney, .most = 10};
  harness.memory->know(limit);
  std::get<Grant>(harness.admit({{&limit, 10}})).settle(std::vector<std::int64_t>{10});
  EXPECT_TRUE(harness.memory->changed_budgets(harness.now(), 30s).empty());
}

TEST_F(MemoryLedgerTest, GoesOnFromWhatWasLeft) {
  const std::vector<BudgetRow> rows{{.id = "known", .period = kThisDay, .spent = nano(900)},
                                    {.id = "known", .period = kThisDay - 24h, .spent = nano(1)},
                                    {.id = "later", .period = kThisDay, .spent = nano(800)},
                                    {.id = "old", .period = kThisDay - 24h, .spent = nano(800)}};
  const Limit known = limit("known", Meter::kMoney, 1000);
  harness.memory->restore(rows, harness.now());
  const Limit later = limit("later", Meter::kMoney, 1000);
  const Limit old = limit("old", Meter::kMoney, 1000);
  EXPECT_EQ(harness.look(known).used, 900);
  EXPECT_EQ(harness.look(later).used, 800);
  EXPECT_EQ(harness.look(old).used, 0);
  EXPECT_FALSE(take(known, 101));
  EXPECT_TRUE(take(known, 100));
  EXPECT_FALSE(take(later, 201));
  EXPECT_TRUE(take(old, 1000));
  harness.advance(24h);
  EXPECT_TRUE(take(known, 1000));
}

TEST_F(MemoryLedgerTest, HoldsWhatADeadProcessHadReservedForAWhile) {
  const Limit limit = budget(1000);
  const auto held_until = std::chrono::floor<std::chrono::seconds>(kSaturday) + 30s;
  harness.memory->restore(
      {{.id = "budget", .period = kThisDay, .spent = nano(100), .reserved = nano(500), .held_until = held_until}},
      harness.now());
  EXPECT_EQ(harness.look(limit).reserved, 500);
  ASSERT_FALSE(take(limit, 401));
  EXPECT_EQ(refusal.used, 600);
  EXPECT_EQ(refusal.retry_after, 30s);
  ASSERT_FALSE(take(limit, 901));
  EXPECT_EQ(refusal.retry_after, kThisDay + 24h - kSaturday);
  harness.advance(30s - 1ms);
  EXPECT_FALSE(take(limit, 401));
  harness.advance(1ms);
  EXPECT_TRUE(take(limit, 401));
  EXPECT_EQ(harness.look(limit).reserved, 0);
  EXPECT_EQ(harness.look(limit).used, 100);
}

TEST_F(MemoryLedgerTest, ForgetsWhatADeadProcessHadReservedLongAgo) {
  const Limit limit = budget(1000);
  harness.memory->restore({{.id = "budget", .period = kThisDay, .reserved = nano(500), .held_until = sys_seconds(1s)}},
                          harness.now());
  EXPECT_EQ(harness.look(limit).reserved, 0);
}

TEST_F(MemoryLedgerTest, AddsUpWhatIsRestoredTooLate) {
  const Limit limit = budget(1000);
  spend(limit, 10, 10);
  harness.memory->restore({{.id = "budget", .period = kThisDay, .spent = nano(100)}}, harness.now());
  EXPECT_EQ(harness.look(limit).used, 110);
  EXPECT_EQ(harness.look(limit).reserved, 0);
  const auto rows = changed();
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].spent, nano(110));
}

// Clocks and numbers nobody should believe.

TEST_F(MemoryLedgerTest, AClockThatGoesBackDoesNotGiveAFreshBudget) {
  const Limit limit = budget(1000);
  harness.advance(24h);
  spend(limit, 1000, 1000);
  harness.advance(-24h);
  EXPECT_FALSE(take(limit, 1));
  EXPECT_EQ(harness.look(limit).used, 1000);
}

TEST_F(MemoryLedgerTest, AbsurdUsageClosesABudget) {
  const Limit limit = budget(1000);
  for (int i = 0; i < 6; ++i) {
    Limit observed = limit;
    observed.mode = Mode::kObserve;
    auto grant = take(observed, 1);
    ASSERT_TRUE(grant);
    grant->settle(std::vector<std::int64_t>{kAbsurd});
    EXPECT_FALSE(take(limit, 1));
    EXPECT_GT(harness.look(limit).used, 1000);
  }
  EXPECT_EQ(harness.look(limit).reserved, 0);
}

TEST_F(MemoryLedgerTest, AbsurdUsageClosesARateForAWindow) {
  const Limit limit = this->limit("rate", Meter::kTokens, 1000);
  spend(limit, 1, kAbsurd);
  EXPECT_FALSE(take(limit, 1));
  harness.advance(63s);
  EXPECT_TRUE(take(limit, 1000));
}

TEST_F(MemoryLedgerTest, NegativeAmountsCountAsNothing) {
  for (const Meter meter : {Meter::kTokens, Meter::kMoney, Meter::kConcurrency}) {
    const Limit limit = this->limit(std::string(to_string(meter)), meter, 10);
    spend(limit, -5, -5);
    spend(limit, 5, -kAbsurd);
    const Standing standing = harness.look(limit);
    EXPECT_EQ(standing.used, 0) << limit.id;
    EXPECT_EQ(standing.reserved, 0) << limit.id;
  }
}

TEST_F(MemoryLedgerTest, ALimitOfNothingAdmitsNothing) {
  for (const Meter meter : {Meter::kTokens, Meter::kMoney, Meter::kConcurrency}) {
    const Limit limit = this->limit(std::string(to_string(meter)), meter, 0);
    EXPECT_FALSE(take(limit, 1)) << limit.id;
    EXPECT_EQ(refusal.retry_after, std::nullopt);
    EXPECT_TRUE(take(limit, 0)) << limit.id;
  }
}

TEST_F(MemoryLedgerTest, AGrantMayMoveAndSettlesOnce) {
  const Limit limit = this->limit("slots", Meter::kConcurrency, 2);
  Grant first = *take(limit, 1);
  Grant second = std::move(first);
  first = *take(limit, 1);
  EXPECT_EQ(harness.look(limit).reserved, 2);
  second.settle({});
  second.settle({});
  second = {};
  EXPECT_EQ(harness.look(limit).reserved, 1);
  EXPECT_FALSE(second);
  EXPECT_TRUE(first);
}

TEST_F(MemoryLedgerTest, AnswersTheSameWithWaiting) {
  const Limit limit = this->limit("slots", Meter::kConcurrency, 1);
  const auto granted = fakes::run(harness.memory->admit({{&limit, 1}}, harness.now()));
  ASSERT_TRUE(granted);
  EXPECT_TRUE(std::holds_alternative<Grant>(*granted));
  const auto refused = fakes::run(harness.memory->admit({{&limit, 1}}, harness.now()));
  ASSERT_TRUE(refused);
  EXPECT_TRUE(std::holds_alternative<Refusal>(*refused));
}

}  // namespace
}  // namespace sluice::limit
