#include "ledger_suite.hpp"

#include <string>

#include "ledger_property.hpp"

namespace sluice::limit {

using namespace std::chrono_literals;

// Not every program that links this suite has a ledger for it.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(LedgerSuite);

Limit LedgerSuite::known(Limit limit) {
  limit.id = "limit" + std::to_string(made++);
  limit.node = "group acme";
  harness->ledger().know(limit);
  return limit;
}

Limit LedgerSuite::rate(std::int64_t most, std::chrono::seconds window) {
  return known({.id = {}, .node = {}, .meter = Meter::kRequests, .most = most, .window = window});
}
Limit LedgerSuite::slots(std::int64_t most) {
  return known({.id = {}, .node = {}, .meter = Meter::kConcurrency, .most = most});
}
Limit LedgerSuite::budget(std::int64_t most, Period period) {
  return known({.id = {}, .node = {}, .meter = Meter::kMoney, .most = most, .period = period});
}

Grant LedgerSuite::granted(const std::vector<Take>& takes) {
  Verdict verdict = harness->admit(takes);
  if (auto* grant = std::get_if<Grant>(&verdict)) return std::move(*grant);
  ADD_FAILURE() << "refused take " << std::get<Refusal>(verdict).index;
  return {};
}

Refusal LedgerSuite::refused(const std::vector<Take>& takes) {
  const Verdict verdict = harness->admit(takes);
  if (const auto* refusal = std::get_if<Refusal>(&verdict)) return *refusal;
  ADD_FAILURE() << "granted";
  return {};
}

namespace {

constexpr std::int64_t kOne[] = {1};

TEST_P(LedgerSuite, GrantsExactlyTheLimitWithinAWindow) {
  const Limit limit = rate(10);
  for (int i = 0; i < 10; ++i) granted({{&limit, 1}}).settle(kOne);
  const Refusal refusal = refused({{&limit, 1}});
  EXPECT_EQ(refusal.used, 10);
  ASSERT_TRUE(refusal.retry_after);
  harness->advance(*refusal.retry_after);
  granted({{&limit, 10}}).settle({});
}

TEST_P(LedgerSuite, CountsForAWholeWindowAndNotMuchLonger) {
  const Limit limit = rate(1, 60s);
  harness->advance(1234ms);
  granted({{&limit, 1}}).settle(kOne);
  harness->advance(60s - 1ms);
  refused({{&limit, 1}});
  harness->advance(1ms + std::chrono::ceil<milliseconds>(harness->late(60s)));
  granted({{&limit, 1}}).settle(kOne);
}

TEST_P(LedgerSuite, SaysNeverToWhatIsLargerThanTheLimit) {
  const Limit limit = rate(10);
  const Limit money = budget(10);
  EXPECT_FALSE(refused({{&limit, 11}}).retry_after);
  EXPECT_FALSE(refused({{&money, 11}}).retry_after);
}

TEST_P(LedgerSuite, TakesAllOrNothing) {
  const Limit requests = rate(10);
  const Limit money = budget(100);
  const Limit progress = slots(1);
  const Grant first = granted({{&requests, 1}, {&money, 30}, {&progress, 1}});
  const Refusal refusal = refused({{&requests, 1}, {&money, 30}, {&progress, 1}});
  EXPECT_EQ(refusal.index, 2u);
  EXPECT_FALSE(refusal.retry_after);
  EXPECT_EQ(harness->look(requests).used, 1);
  EXPECT_EQ(harness->look(money).reserved, 30);
  EXPECT_EQ(harness->look(progress).reserved, 1);
}

TEST_P(LedgerSuite, GivesEverythingBackWhenAGrantIsDropped) {
  const Limit requests = rate(10);
  const Limit money = budget(100);
  const Limit progress = slots(1);
  granted({{&requests, 7}, {&money, 100}, {&progress, 1}});
  EXPECT_EQ(harness->look(requests).used, 0);
  EXPECT_EQ(harness->look(money).reserved, 0);
  EXPECT_EQ(harness->look(money).used, 0);
  EXPECT_EQ(harness->look(progress).reserved, 0);
}

TEST_P(LedgerSuite, SettlesWhatWasReallyUsed) {
  const Limit tokens = rate(1000);
  const Limit money = budget(1000);
  granted({{&tokens, 800}, {&money, 900}}).settle(std::vector<std::int64_t>{120, 45});
  EXPECT_EQ(harness->look(tokens).used, 120);
  EXPECT_EQ(harness->look(money).used, 45);
  EXPECT_EQ(harness->look(money).reserved, 0);
}

TEST_P(LedgerSuite, CountsWhatWasUsedBeyondTheTake) {
  const Limit tokens = rate(100);
  const Limit money = budget(100);
  granted({{&tokens, 50}, {&money, 50}}).settle(std::vector<std::int64_t>{150, 130});
  EXPECT_EQ(harness->look(tokens).used, 150);
  EXPECT_EQ(harness->look(money).used, 130);
  refused({{&tokens, 0}});
  refused({{&money, 1}});
}

TEST_P(LedgerSuite, CountsAnExcessFromTheTimeItIsKnown) {
  const Limit tokens = rate(100, 60s);
  Grant grant = granted({{&tokens, 10}});
  harness->advance(59s);
  grant.settle(std::vector<std::int64_t>{100});
  harness->advance(59s);
  refused({{&tokens, 11}});
  granted({{&tokens, 10}});
}

TEST_P(LedgerSuite, ObservesWithoutRefusing) {
  Limit limit = rate(1);
  limit.mode = Mode::kObserve;
  const Limit other = rate(10);
  Grant within = granted({{&other, 1}, {&limit, 1}});
  EXPECT_EQ(within.observed(), 0u);
  Grant over = granted({{&other, 1}, {&limit, 1}});
  EXPECT_EQ(over.observed(), 0b10u);
  within.settle(std::vector<std::int64_t>{1, 1});
  over.settle(std::vector<std::int64_t>{1, 1});
  EXPECT_EQ(harness->look(limit).used, 2);
}

TEST_P(LedgerSuite, TellsHowALimitStandsJustAfterTheTake) {
  const Limit requests = rate(10);
  const Limit money = budget(100, Period::kTotal);
  const Limit progress = slots(5);
  granted({{&money, 20}}).settle(std::vector<std::int64_t>{20});
  const Grant grant = granted({{&requests, 3}, {&money, 30}, {&progress, 1}});
  ASSERT_EQ(grant.standings().size(), 3u);
  EXPECT_EQ(grant.standings()[0].used + grant.standings()[0].reserved, 3);
  EXPECT_GE(grant.standings()[0].resets_in, 60s);
  EXPECT_EQ(grant.standings()[1].used, 20);
  EXPECT_EQ(grant.standings()[1].reserved, 30);
  EXPECT_EQ(grant.standings()[1].resets_in, 0ms);
  EXPECT_EQ(grant.standings()[2].used, 0);
  EXPECT_EQ(grant.standings()[2].reserved, 1);
}

TEST_P(LedgerSuite, SettlesABudgetInThePeriodItWasTakenIn) {
  const Limit money = budget(100, Period::kDay);
  Grant late = granted({{&money, 80}});
  harness->advance(24h);
  granted({{&money, 90}}).settle(std::vector<std::int64_t>{90});
  late.settle(std::vector<std::int64_t>{80});
  EXPECT_EQ(harness->look(money).used, 90);
  EXPECT_EQ(harness->look(money).reserved, 0);
}

TEST_P(LedgerSuite, BeginsABudgetAnewWithItsPeriod) {
  const Limit money = budget(100, Period::kMonth);
  granted({{&money, 100}}).settle(std::vector<std::int64_t>{100});
  const Refusal refusal = refused({{&money, 1}});
  ASSERT_TRUE(refusal.retry_after);
  harness->advance(*refusal.retry_after - 1ms);
  refused({{&money, 1}});
  harness->advance(1ms);
  granted({{&money, 100}});
}

TEST_P(LedgerSuite, ExtendsAllBudgetsOrNone) {
  if (!harness->extends()) GTEST_SKIP();
  const Limit small = budget(100);
  const Limit large = budget(1000);
  Grant grant = granted({{&large, 50}, {&small, 50}});
  EXPECT_TRUE(grant.extend(Money::nanodollars(40)));
  EXPECT_FALSE(grant.extend(Money::nanodollars(40)));
  EXPECT_EQ(harness->look(large).reserved, 90);
  EXPECT_EQ(harness->look(small).reserved, 90);
  grant.settle(std::vector<std::int64_t>{85, 85});
  EXPECT_EQ(harness->look(large).used, 85);
  EXPECT_EQ(harness->look(small).reserved, 0);
}

TEST_P(LedgerSuite, SharesTheBooksOfOneId) {
  const Limit before = rate(10);
  granted({{&before, 8}}).settle(std::vector<std::int64_t>{8});
  Limit after = before;
  after.state = nullptr;
  after.most = 9;
  harness->ledger().know(after);
  refused({{&after, 2}});
  granted({{&before, 2}});
  granted({{&after, 1}});
}

TEST_P(LedgerSuite, KeepsBooksLikeTheModel) {
  int granted = 0;
  int refused = 0;
  int waited = 0;
  for (unsigned seed = 1; seed <= harness->courses() && !HasFailure(); ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    const auto fresh = GetParam()();
    RandomCourse course(*fresh, seed);
    for (int step = 0; step < 3000 && !HasFatalFailure(); ++step) course.step();
    course.finish();
    granted += course.granted(), refused += course.refused(), waited += course.waited();
  }
  // Else the courses would prove little.
  const int courses = static_cast<int>(harness->courses());
  EXPECT_GT(granted, 100 * courses);
  EXPECT_GT(refused, 100 * courses);
  EXPECT_GT(waited, 10 * courses);
}

}  // namespace
}  // namespace sluice::limit
