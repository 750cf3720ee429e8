#include "routing/credential_ring.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <barrier>
#include <thread>

namespace sluice::routing {
namespace {

using namespace std::chrono_literals;
constexpr TimePoint kStart{1h};

std::vector<std::shared_ptr<CredentialState>> states(std::size_t count) {
  std::vector<std::shared_ptr<CredentialState>> made;
  for (std::size_t i = 0; i < count; ++i) made.push_back(std::make_shared<CredentialState>());
  return made;
}

RateLimits remaining(std::int64_t requests, std::int64_t tokens, std::optional<milliseconds> reset) {
  return {.requests = {.limit = {}, .remaining = requests, .resets_in = reset},
          .tokens = {.limit = {}, .remaining = tokens, .resets_in = reset}};
}

TEST(CredentialRing, TakesThemInTurn) {
  CredentialRing ring(states(3));
  for (std::size_t i = 0; i < 9; ++i) EXPECT_EQ(ring.pick(kStart, 100).index, i % 3);
}

TEST(CredentialRing, SharesEquallyAmongThoseThatAreLeft) {
  CredentialRing ring(states(3));
  ring.rate_limited(1, 1h, kStart);
  std::array<int, 3> taken{};
  for (int i = 0; i < 100; ++i) ++taken.at(*ring.pick(kStart, 100).index);
  EXPECT_EQ(taken, (std::array<int, 3>{50, 0, 50}));
}

TEST(CredentialRing, F37LeavesOutOneThatWasRateLimitedForAsLongAsItSaid) {
  CredentialRing ring(states(2));
  ring.rate_limited(0, 5s, kStart);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(ring.pick(kStart + 4s, 1).index, 1U);
  ring.rate_limited(1, 10s, kStart);
  EXPECT_FALSE(ring.usable(kStart + 4s, 1));
  const auto none = ring.pick(kStart + 4s, 1);
  EXPECT_FALSE(none.index.has_value());
  EXPECT_EQ(none.usable_at, kStart + 5s);
  EXPECT_EQ(none.why, Unusable::kCoolingDown);
  EXPECT_EQ(ring.pick(kStart + 5s, 1).index, 0U);
}

TEST(CredentialRing, F38TriesARejectedOneOnceAfterTenMinutes) {
  CredentialRing ring(states(1));
  ring.rejected(0, kStart);
  const auto none = ring.pick(kStart + 1s, 1);
  EXPECT_EQ(none.why, Unusable::kQuarantined);
  EXPECT_EQ(none.usable_at, kStart + 10min);
  EXPECT_EQ(ring.pick(kStart + 10min, 1).index, 0U);
  EXPECT_FALSE(ring.pick(kStart + 10min, 1).index.has_value()) << "one try";
  ring.rejected(0, kStart + 11min);
  EXPECT_EQ(ring.pick(kStart + 12min, 1).usable_at, kStart + 21min);
  EXPECT_EQ(ring.pick(kStart + 21min, 1).index, 0U);
  ring.worked(0, kStart + 21min);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(ring.pick(kStart + 21min, 1).index, 0U);
  EXPECT_EQ(ring.state(0).rejections(), 2U);
}

TEST(CredentialRing, ATryThatIsGivenUpMakesRoomForAnother) {
  CredentialRing ring(states(1));
  ring.rejected(0, kStart);
  EXPECT_TRUE(ring.pick(kStart + 10min, 1).index.has_value());
  EXPECT_FALSE(ring.pick(kStart + 10min + 29s, 1).index.has_value());
  EXPECT_TRUE(ring.pick(kStart + 10min + 30s, 1).index.has_value());
}

TEST(CredentialRing, F38AnAnswerToWhatWasSentBeforeDoesNotEndAQuarantine) {
  CredentialRing ring(states(1));
  ring.rejected(0, kStart);
  ring.worked(0, kStart + 1s);
  EXPECT_FALSE(ring.pick(kStart + 1s, 1).index.has_value());
}

TEST(CredentialRing, CanQuarantineUntilTheOperatorComes) {
  auto shared = states(1);
  CredentialRing ring(shared, {.cool_down = {}, .quarantine = milliseconds::max()});
  ring.rejected(0, kStart);
  const auto none = ring.pick(kStart + 10000h, 1);
  EXPECT_FALSE(none.index.has_value());
  EXPECT_EQ(none.usable_at, kNever);
  EXPECT_EQ(none.why, Unusable::kQuarantined);
  shared[0]->forgive();
  EXPECT_TRUE(ring.pick(kStart + 10000h, 1).index.has_value());
}

TEST(CredentialRing, SendsNothingWhereTheProviderSaysNothingIsLeft) {
  CredentialRing ring(states(1));
  ring.heard(0, remaining(0, 1000, 8s), kStart);
  const auto none = ring.pick(kStart, 10);
  EXPECT_EQ(none.why, Unusable::kRequestsSpent);
  EXPECT_EQ(none.usable_at, kStart + 8s);
  EXPECT_TRUE(ring.pick(kStart + 8s, 10).index.has_value());
}

TEST(CredentialRing, SendsALargeRequestWhereEnoughTokensAreLeft) {
  CredentialRing ring(states(2));
  ring.heard(0, remaining(100, 500, 20s), kStart);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(ring.pick(kStart, 800).index, 1U);
  ring.heard(1, remaining(100, 500, 9s), kStart);
  EXPECT_EQ(ring.pick(kStart, 800).why, Unusable::kTokensSpent);
  EXPECT_EQ(ring.pick(kStart, 800).usable_at, kStart + 9s);
  EXPECT_TRUE(ring.pick(kStart, 300).index.has_value());
}

TEST(CredentialRing, CountsWhatItHasSentSinceTheProviderSpoke) {
  CredentialRing ring(states(1));
  ring.heard(0, remaining(100, 1000, 20s), kStart);
  EXPECT_TRUE(ring.pick(kStart, 600).index.has_value());
  EXPECT_FALSE(ring.pick(kStart, 600).index.has_value());
  EXPECT_TRUE(ring.pick(kStart, 400).index.has_value());
  ring.heard(0, remaining(99, 900, 20s), kStart + 1s);
  EXPECT_TRUE(ring.pick(kStart + 1s, 600).index.has_value());
}

TEST(CredentialRing, AsksAgainAfterAMinuteWhateverWasSaid) {
  CredentialRing ring(states(1));
  ring.heard(0, remaining(0, 0, 24h), kStart);
  EXPECT_EQ(ring.pick(kStart, 10).usable_at, kStart + 60s);
  ring.heard(0, remaining(0, 0, std::nullopt), kStart + 1min);
  EXPECT_EQ(ring.pick(kStart + 1min, 10).usable_at, kStart + 61s);
  ring.heard(0, {}, kStart + 1min);
  EXPECT_FALSE(ring.usable(kStart + 1min, 10)) << "silence says nothing";
}

TEST(CredentialRing, WithoutCredentialsThereIsNone) {
  CredentialRing ring({});
  const auto none = ring.pick(kStart, 1);
  EXPECT_FALSE(none.index.has_value());
  EXPECT_EQ(none.usable_at, kNever);
}

TEST(CredentialRing, StatesOutliveARing) {
  auto shared = states(2);
  CredentialRing(shared).rate_limited(0, 5s, kStart);
  CredentialRing ring(shared);
  EXPECT_EQ(ring.pick(kStart, 1).index, 1U);
}

TEST(CredentialRingThreads, OneOfEightTriesTheRejectedOne) {
  for (int round = 0; round < 200; ++round) {
    CredentialRing ring(states(1));
    ring.rejected(0, kStart);
    std::atomic<int> tries{0};
    std::barrier start(8);
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        start.arrive_and_wait();
        if (ring.pick(kStart + 10min, 1).index) ++tries;
      });
    }
    threads.clear();
    ASSERT_EQ(tries.load(), 1);
  }
}

}  // namespace
}  // namespace sluice::routing
