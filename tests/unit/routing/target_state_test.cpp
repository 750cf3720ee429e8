#include "routing/target_state.hpp"

#include <gtest/gtest.h>

#include "routing/target_board.hpp"

namespace sluice::routing {
namespace {

using namespace std::chrono_literals;
constexpr TimePoint kStart{1h};

std::array<std::uint64_t, 4> ended(const TargetState& state) { return state.view(kStart).ended; }

void fail_five_times(TargetState& state, TimePoint now) {
  for (int i = 0; i < 5; ++i) state.begin(now)->ended(Outcome::kFault, now);
}

TEST(TargetState, CountsWhatIsUnderWayAndHowItEnded) {
  TargetState state("up", "m", {});
  {
    auto good = state.begin(kStart);
    auto fault = state.begin(kStart);
    auto neutral = state.begin(kStart);
    const auto aborted = state.begin(kStart);
    EXPECT_EQ(state.view(kStart).in_flight, 4U);
    EXPECT_EQ(state.candidate(kStart).in_flight, 4U);
    good->ended(Outcome::kGood, kStart);
    good->ended(Outcome::kFault, kStart);
    fault->ended(Outcome::kFault, kStart);
    neutral->ended(Outcome::kNeutral, kStart);
    EXPECT_EQ(state.view(kStart).in_flight, 1U);
  }
  EXPECT_EQ(state.view(kStart).in_flight, 0U);
  EXPECT_EQ(ended(state), (std::array<std::uint64_t, 4>{1, 1, 1, 1}));
}

TEST(TargetState, AnAttemptThatIsMovedEndsOnce) {
  TargetState state("up", "m", {});
  {
    auto first = state.begin(kStart);
    TargetState::Attempt second(std::move(*first));
    first.reset();
    EXPECT_EQ(state.view(kStart).in_flight, 1U);
  }
  EXPECT_EQ(ended(state), (std::array<std::uint64_t, 4>{0, 0, 0, 1}));
}

TEST(TargetState, KnowsHowLongItsAnswersTake) {
  TargetState state("up", "m", {});
  auto attempt = state.begin(kStart);
  EXPECT_EQ(state.candidate(kStart).latency, std::nullopt);
  attempt->answered(300ms, kStart);
  EXPECT_NEAR(*state.candidate(kStart).latency, 300, 0.1);
  state.begin(kStart)->waited(5s, kStart);
  EXPECT_NEAR(*state.view(kStart).latency, 5000, 1) << "one that was given up is as slow as it was waited for";
}

TEST(TargetState, F06AProbeWhoseClientGoesAwayMakesRoomForTheNext) {
  TargetState state("up", "m", {});
  fail_five_times(state, kStart);
  EXPECT_FALSE(state.candidate(kStart).available);
  EXPECT_FALSE(state.begin(kStart).has_value());
  {
    const auto probe = state.begin(kStart + 30s);
    ASSERT_TRUE(probe.has_value());
    EXPECT_TRUE(probe->probe());
    EXPECT_FALSE(state.begin(kStart + 30s).has_value());
  }
  auto probe = state.begin(kStart + 30s);
  ASSERT_TRUE(probe.has_value());
  probe->answered(100ms, kStart + 31s);
  EXPECT_DOUBLE_EQ(state.candidate(kStart + 31s).ramp, 0.1);
}

TEST(TargetState, IsTheSameTargetInEveryProcess) {
  EXPECT_EQ(TargetState("up", "m", {}).identity(), TargetState("up", "m", {}).identity());
  EXPECT_NE(TargetState("up", "m", {}).identity(), TargetState("up", "n", {}).identity());
}

TEST(TargetBoard, KeepsAStateOverAReload) {
  TargetBoard board;
  auto before = board.of("up", "m", {});
  fail_five_times(*before, kStart);
  const auto after = board.of("up", "m", {.breaker = {.consecutive_failures = 1}});
  EXPECT_EQ(before, after);
  before.reset();
  EXPECT_FALSE(after->available(kStart));
  after->begin(kStart + 30s)->ended(Outcome::kGood, kStart + 30s);
  after->begin(kStart + 31s)->ended(Outcome::kFault, kStart + 31s);
  EXPECT_FALSE(after->available(kStart + 31s)) << "by the new settings";
}

TEST(TargetBoard, ForgetsWhatNoConfigurationNamesAnyMore) {
  TargetBoard board;
  fail_five_times(*board.of("up", "m", {}), kStart);
  EXPECT_TRUE(board.targets().empty());
  EXPECT_TRUE(board.of("up", "m", {})->available(kStart));
}

TEST(TargetBoard, ListsItsTargetsByName) {
  TargetBoard board;
  const auto b = board.of("b", "m", {});
  const auto a2 = board.of("a", "2", {});
  const auto a1 = board.of("a", "1", {});
  const auto listed = board.targets();
  ASSERT_EQ(listed.size(), 3U);
  EXPECT_EQ(listed[0], a1);
  EXPECT_EQ(listed[1], a2);
  EXPECT_EQ(listed[2], b);
}

TEST(TargetBoard, F38AReloadForgivesARejectedCredentialAndKeepsItsRest) {
  TargetBoard board;
  const auto rejected = board.credential("up", "one");
  const auto limited = board.credential("up", "two");
  rejected->rejected({}, kStart);
  limited->rate_limited({}, 5s, kStart);
  EXPECT_EQ(board.credential("up", "one"), rejected);
  EXPECT_EQ(board.credential("up", "two"), limited);
  EXPECT_EQ(rejected->rest(1, kStart).why, Unusable::kNothing);
  EXPECT_EQ(limited->rest(1, kStart).why, Unusable::kCoolingDown);
  EXPECT_NE(board.credential("down", "one"), rejected);
}

}  // namespace
}  // namespace sluice::routing
