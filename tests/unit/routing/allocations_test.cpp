// What the choice of a target and an attempt that goes well cost in allocations. Not under the thread sanitizer: it has
// its own operator new.
#if !__has_feature(thread_sanitizer)

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "routing/credential_ring.hpp"
#include "routing/retry_budget.hpp"
#include "routing/target_state.hpp"
#include "support/allocations.hpp"

namespace sluice::routing {
namespace {

constexpr TimePoint kStart{std::chrono::hours(1)};

TEST(RoutingAllocations, AChoiceAmongSixteenNeedsNone) {
  const std::array<Candidate, 16> candidates{};
  for (unsigned strategy = 0; strategy <= static_cast<unsigned>(Strategy::kSticky); ++strategy) {
    const std::size_t before = support::allocations();
    EXPECT_EQ(choose(candidates, static_cast<Strategy>(strategy), {.turn = 7, .random = 7, .key = 7}).size(), 16U);
    EXPECT_EQ(support::allocations(), before) << strategy;
  }
}

TEST(RoutingAllocations, AnAttemptNeedsNone) {
  TargetState target("provider", "model", {});
  RetryBudget budget;
  CredentialRing ring({std::make_shared<CredentialState>()});
  const std::size_t before = support::allocations();
  budget.earn(kStart);
  const CredentialPick pick = ring.pick(kStart, 100);
  auto attempt = target.begin(kStart);
  attempt->answered(milliseconds(100), kStart);
  ring.heard(*pick.index, {}, kStart);
  ring.worked(*pick.index, kStart);
  attempt->ended(Outcome::kGood, kStart);
  EXPECT_TRUE(budget.try_spend(kStart));
  EXPECT_EQ(support::allocations(), before);
}

}  // namespace
}  // namespace sluice::routing

#endif
