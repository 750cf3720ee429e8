// Which accounts a ledger in memory keeps, and which it drops.

#include "memory_harness.hpp"

namespace sluice::limit {
namespace {

using namespace std::chrono_literals;

struct AccountsInMemory : testing::Test {
  Limit known(Meter meter, const std::string& id = "limit") {
    Limit limit{.id = id, .node = "user", .meter = meter, .most = 1000, .period = Period::kDay};
    harness.memory->know(limit);
    return limit;
  }
  Grant take(const Limit& limit) { return std::get<Grant>(harness.admit({{&limit, 1}})); }
  void spend(const Limit& limit) { take(limit).settle(std::vector<std::int64_t>{1}); }
  // Accounts, once everything that may be dropped has been.
  std::size_t accounts() {
    for (int i = 0; i < 64; ++i) harness.memory->changed_budgets(harness.now(), 30s);
    return harness.memory->accounts();
  }

  MemoryHarness harness;
};

TEST_F(AccountsInMemory, StayAsLongAsALimitRefersToThem) {
  const Limit limit = known(Meter::kRequests);
  EXPECT_EQ(accounts(), 1u);
}

TEST_F(AccountsInMemory, GoAtOnceIfNothingIsOnThem) {
  for (const Meter meter : {Meter::kRequests, Meter::kConcurrency, Meter::kMoney}) {
    take(known(meter, std::string(to_string(meter)))).settle({});
  }
  EXPECT_EQ(accounts(), 0u);
}

TEST_F(AccountsInMemory, OfRatesGoWithTheWindow) {
  spend(known(Meter::kRequests));
  harness.advance(60s);
  EXPECT_EQ(accounts(), 1u);
  EXPECT_EQ(harness.look(known(Meter::kRequests)).used, 1);
  harness.advance(3s);
  EXPECT_EQ(accounts(), 0u);
}

TEST_F(AccountsInMemory, OfBudgetsGoWithThePeriodOfTheirSpend) {
  spend(known(Meter::kMoney));
  harness.advance(15h - 1ms);
  EXPECT_EQ(accounts(), 1u);
  EXPECT_EQ(harness.look(known(Meter::kMoney)).used, 1);
  harness.advance(1ms);
  EXPECT_EQ(accounts(), 0u);
}

TEST_F(AccountsInMemory, OfBudgetsWaitUntilTheirChangesAreCollected) {
  spend(known(Meter::kMoney));
  harness.advance(48h);
  // New accounts make the ledger look for old ones.
  for (int i = 0; i < 10'000; ++i) take(known(Meter::kRequests, std::to_string(i)));
  EXPECT_EQ(harness.memory->changed_budgets(harness.now(), 30s).size(), 1u);
  EXPECT_EQ(accounts(), 0u);
}

TEST_F(AccountsInMemory, AreBoundedByWhoIsActive) {
#if __has_feature(thread_sanitizer)
  constexpr int kUsers = 20'000;
#else
  constexpr int kUsers = 1'000'000;
#endif
  constexpr std::size_t kActive = 1050;  // a user each 60 ms, for the 63 s that a window counts
  std::size_t most = 0;
  for (int user = 0; user < kUsers; ++user) {
    harness.advance(60ms);
    spend(known(Meter::kRequests, "user:" + std::to_string(user) + "|requests|60"));
    if (user % 5000 == 0) most = std::max(most, harness.memory->accounts());
  }
  EXPECT_GE(most, kActive);
  EXPECT_LE(most, kActive * 2);
  harness.advance(63s);
  EXPECT_EQ(accounts(), 0u);
}

}  // namespace
}  // namespace sluice::limit
