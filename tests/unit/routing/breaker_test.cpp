#include "routing/breaker.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <thread>
#include <vector>

namespace sluice::routing {
namespace {

using namespace std::chrono_literals;
constexpr TimePoint kStart{1h};

void attempt(Breaker& breaker, Outcome outcome, TimePoint now) {
  auto pass = breaker.try_pass(now);
  ASSERT_TRUE(pass.has_value());
  pass->ended(outcome, now);
}

void attempts(Breaker& breaker, int count, Outcome outcome, TimePoint now) {
  for (int i = 0; i < count; ++i) attempt(breaker, outcome, now);
}

// Ejected at kStart, for 30 seconds.
Breaker& ejected(Breaker& breaker) {
  attempts(breaker, 5, Outcome::kFault, kStart);
  EXPECT_EQ(breaker.view(kStart).state, BreakerState::kOpen);
  return breaker;
}

TEST(TargetBreaker, F41EjectsAfterFiveFaultsInARow) {
  Breaker breaker;
  attempts(breaker, 4, Outcome::kFault, kStart);
  EXPECT_TRUE(breaker.admits(kStart));
  attempt(breaker, Outcome::kFault, kStart);
  EXPECT_FALSE(breaker.admits(kStart));
  EXPECT_FALSE(breaker.try_pass(kStart).has_value());
  const BreakerView view = breaker.view(kStart);
  EXPECT_EQ(view.state, BreakerState::kOpen);
  EXPECT_EQ(view.reason, EjectedFor::kConsecutiveFaults);
  EXPECT_EQ(view.until, kStart + 30s);
  EXPECT_EQ(view.ejections, 1U);
  EXPECT_EQ(view.ramp, 0);
  EXPECT_EQ(breaker.admits_at(kStart - 1s), kStart + 30s);
  EXPECT_EQ(breaker.admits_at(kStart + 31s), kStart + 31s);
}

TEST(TargetBreaker, BeginsToCountAnewAfterAGoodEnd) {
  Breaker breaker({.error_percent = 0});
  for (int i = 0; i < 20; ++i) {
    attempts(breaker, 4, Outcome::kFault, kStart);
    attempt(breaker, Outcome::kGood, kStart);
  }
  EXPECT_EQ(breaker.view(kStart).state, BreakerState::kClosed);
}

TEST(TargetBreaker, F39WhatSaysNothingAboutTheUpstreamDoesNotCount) {
  Breaker breaker;
  attempts(breaker, 4, Outcome::kFault, kStart);
  attempts(breaker, 100, Outcome::kNeutral, kStart);
  EXPECT_EQ(breaker.view(kStart).consecutive_faults, 4U);
  EXPECT_EQ(breaker.view(kStart).window.all(), 4U);
  attempt(breaker, Outcome::kFault, kStart);
  EXPECT_FALSE(breaker.admits(kStart));
}

TEST(TargetBreaker, EjectsAtTheErrorRateOnceItHasSeenEnough) {
  Breaker breaker;
  for (int i = 0; i < 9; ++i) {
    attempt(breaker, Outcome::kGood, kStart);
    attempt(breaker, Outcome::kFault, kStart);
  }
  EXPECT_TRUE(breaker.admits(kStart)) << "18 requests are too few";
  attempt(breaker, Outcome::kGood, kStart);
  attempt(breaker, Outcome::kFault, kStart);
  EXPECT_EQ(breaker.view(kStart).reason, EjectedFor::kErrorRate);
  EXPECT_EQ(breaker.view(kStart).window.fault_percent(), 50U);
}

TEST(TargetBreaker, ForgetsFaultsThatAreOlderThanTheWindow) {
  Breaker breaker({.consecutive_failures = 0});
  attempts(breaker, 19, Outcome::kFault, kStart);
  attempts(breaker, 18, Outcome::kFault, kStart + 11s);
  EXPECT_TRUE(breaker.admits(kStart + 11s));
  attempts(breaker, 2, Outcome::kFault, kStart + 12s);
  EXPECT_FALSE(breaker.admits(kStart + 12s));
}

TEST(TargetBreaker, F41LetsOneProbeThroughWhenTheEjectionIsOver) {
  Breaker breaker;
  ejected(breaker);
  EXPECT_FALSE(breaker.try_pass(kStart + 29'999ms).has_value());
  EXPECT_EQ(breaker.view(kStart + 30s).state, BreakerState::kHalfOpen);
  auto probe = breaker.try_pass(kStart + 30s);
  ASSERT_TRUE(probe.has_value());
  EXPECT_TRUE(probe->probe());
  EXPECT_FALSE(breaker.admits(kStart + 31s));
  EXPECT_FALSE(breaker.try_pass(kStart + 31s).has_value());
}

TEST(TargetBreaker, AProbeThatIsGivenUpMakesRoomForTheNext) {
  Breaker breaker;
  ejected(breaker);
  {
    const auto given_up = breaker.try_pass(kStart + 30s);
  }
  auto neutral = breaker.try_pass(kStart + 30s);
  ASSERT_TRUE(neutral.has_value());
  neutral->ended(Outcome::kNeutral, kStart + 31s);
  EXPECT_EQ(breaker.view(kStart + 31s).state, BreakerState::kHalfOpen);
  EXPECT_TRUE(breaker.try_pass(kStart + 31s).has_value());
}

TEST(TargetBreaker, ComesBackWithATenthAndHasAllOfItsWeightAfterSlowStart) {
  Breaker breaker;
  EXPECT_EQ(breaker.ramp(kStart), 1) << "slow start is for those that were ejected";
  ejected(breaker);
  EXPECT_EQ(breaker.ramp(kStart + 30s), 1) << "to be probed soon";
  attempt(breaker, Outcome::kGood, kStart + 40s);
  EXPECT_EQ(breaker.view(kStart + 40s).state, BreakerState::kClosed);
  EXPECT_DOUBLE_EQ(breaker.ramp(kStart + 40s), 0.1);
  EXPECT_DOUBLE_EQ(breaker.ramp(kStart + 55s), 0.55);
  EXPECT_DOUBLE_EQ(breaker.ramp(kStart + 39s), 0.1) << "a thread that is late";
  EXPECT_EQ(breaker.ramp(kStart + 70s), 1);
}

TEST(TargetBreaker, IsClosedAsSoonAsTheProbeIsAnsweredThoughItsStreamGoesOn) {
  Breaker breaker;
  ejected(breaker);
  auto probe = breaker.try_pass(kStart + 30s);
  ASSERT_TRUE(probe.has_value());
  probe->answered(kStart + 31s);
  EXPECT_FALSE(probe->probe());
  EXPECT_TRUE(breaker.try_pass(kStart + 31s).has_value());
  probe->ended(Outcome::kFault, kStart + 40s);
  EXPECT_EQ(breaker.view(kStart + 40s).state, BreakerState::kClosed);
  EXPECT_EQ(breaker.view(kStart + 40s).consecutive_faults, 1U) << "a stream that was cut counts";
}

TEST(TargetBreaker, F41EachEjectionInARowIsLongerUpToALimit) {
  Breaker breaker;
  ejected(breaker);
  TimePoint now = kStart + 30s;
  for (const auto wait : {60s, 90s, 120s, 150s, 180s, 210s, 240s, 270s, 300s, 300s, 300s}) {
    attempt(breaker, Outcome::kFault, now);
    EXPECT_EQ(breaker.view(now).until, now + wait);
    EXPECT_EQ(breaker.view(now).reason, EjectedFor::kFailedProbe);
    EXPECT_FALSE(breaker.admits(now + wait - 1ms));
    now += wait;
  }
}

TEST(TargetBreaker, HealthyTimeMakesTheNextEjectionShorterAgain) {
  Breaker breaker;
  ejected(breaker);
  attempt(breaker, Outcome::kFault, kStart + 30s);
  attempt(breaker, Outcome::kFault, kStart + 90s);
  TimePoint now = kStart + 180s;
  attempt(breaker, Outcome::kGood, now);
  now += 65s;  // two times 30 seconds
  attempts(breaker, 5, Outcome::kFault, now);
  EXPECT_EQ(breaker.view(now).until, now + 60s);
  now += 60s;
  attempt(breaker, Outcome::kGood, now);
  now += 1h;
  attempts(breaker, 5, Outcome::kFault, now);
  EXPECT_EQ(breaker.view(now).until, now + 30s);
}

TEST(TargetBreaker, WhatBeganBeforeAnEjectionHasNoSayAfterIt) {
  Breaker breaker;
  std::vector<Breaker::Pass> old;
  for (int i = 0; i < 20; ++i) old.push_back(*breaker.try_pass(kStart));
  ejected(breaker);
  old[0].answered(kStart + 10s);
  old[0].ended(Outcome::kGood, kStart + 10s);
  EXPECT_FALSE(breaker.admits(kStart + 10s)) << "only a probe ends it";
  old[1].ended(Outcome::kFault, kStart + 10s);
  EXPECT_EQ(breaker.view(kStart).until, kStart + 30s);
  attempt(breaker, Outcome::kGood, kStart + 30s);
  for (auto& pass : old) pass.ended(Outcome::kFault, kStart + 60s);
  EXPECT_EQ(breaker.view(kStart + 60s).state, BreakerState::kClosed);
}

TEST(TargetBreaker, AnAnswerOfBeforeDoesNotHideTheFaultsOfToday) {
  Breaker breaker;
  auto old = breaker.try_pass(kStart);
  ejected(breaker);
  attempt(breaker, Outcome::kGood, kStart + 30s);
  attempts(breaker, 4, Outcome::kFault, kStart + 31s);
  old->answered(kStart + 31s);
  attempt(breaker, Outcome::kFault, kStart + 31s);
  EXPECT_EQ(breaker.view(kStart + 31s).state, BreakerState::kOpen);
}

TEST(TargetBreaker, ComesBackWithACleanRecord) {
  Breaker breaker({.consecutive_failures = 0, .ejection = 1s});
  attempts(breaker, 20, Outcome::kFault, kStart);
  attempt(breaker, Outcome::kGood, kStart + 1s);
  attempt(breaker, Outcome::kFault, kStart + 2s);
  EXPECT_EQ(breaker.view(kStart + 2s).state, BreakerState::kClosed);
  EXPECT_EQ(breaker.view(kStart + 2s).window.all(), 2U);
}

TEST(TargetBreaker, ANewConfigurationChangesWhatComesNextOnly) {
  Breaker breaker;
  ejected(breaker);
  breaker.adopt({.consecutive_failures = 1, .ejection = 1s, .slow_start = 0s});
  EXPECT_EQ(breaker.view(kStart).until, kStart + 30s);
  attempt(breaker, Outcome::kGood, kStart + 30s);
  EXPECT_EQ(breaker.ramp(kStart + 30s), 1);
  attempt(breaker, Outcome::kFault, kStart + 40s);
  EXPECT_EQ(breaker.view(kStart + 40s).until, kStart + 41s);
}

TEST(TargetBreakerThreads, ExactlyOneOfEightIsTheProbe) {
  for (int round = 0; round < 200; ++round) {
    Breaker breaker;
    ejected(breaker);
    std::atomic<int> probes{0};
    std::barrier start(8);
    std::barrier end(8);
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        start.arrive_and_wait();
        const auto pass = breaker.try_pass(kStart + 30s);
        if (pass) ++probes;
        end.arrive_and_wait();  // which keeps the probe under way
      });
    }
    threads.clear();
    ASSERT_EQ(probes.load(), 1);
  }
}

// Probes fail, succeed and are given up while all others look on: whatever the order, there is one at a time, and the
// breaker can always be probed again.
TEST(TargetBreakerThreads, ProbesOneAtATimeAndIsNeverWedged) {
  Breaker breaker({.consecutive_failures = 1, .ejection = 1ms, .longest_ejection = 1ms, .slow_start = 0ms});
  std::atomic<std::int64_t> clock{0};
  std::atomic<int> probing{0};
  std::barrier start(8);
  std::vector<std::jthread> threads;
  for (unsigned i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      start.arrive_and_wait();
      for (unsigned round = 0; round < 50'000; ++round) {
        const TimePoint now = kStart + milliseconds(clock.fetch_add(1));
        auto pass = breaker.try_pass(now);
        if (!pass) continue;
        const bool probe = pass->probe();
        if (probe) EXPECT_EQ(probing.fetch_add(1), 0);
        if (probe) probing.fetch_sub(1);
        const unsigned way = (round + i) % 4;
        if (way != 3) pass->ended(static_cast<Outcome>(way % 3), now);
      }
    });
  }
  threads.clear();
  const TimePoint now = kStart + 1h;
  EXPECT_GT(breaker.view(now).ejections, 1000U);
  attempt(breaker, Outcome::kGood, now);
  EXPECT_EQ(breaker.view(now).state, BreakerState::kClosed);
}

TEST(TargetBreaker, AHealthCheckTakesItOutUntilItSaysOtherwise) {
  Breaker breaker;
  breaker.mark_unhealthy(kStart + 32s);
  EXPECT_FALSE(breaker.admits(kStart));
  BreakerView view = breaker.view(kStart);
  EXPECT_EQ(view.state, BreakerState::kOpen);
  EXPECT_EQ(view.reason, EjectedFor::kHealthCheck);
  EXPECT_EQ(view.until, kStart + 32s);
  EXPECT_EQ(view.ejections, 1U);
  breaker.mark_unhealthy(kStart + 42s);
  view = breaker.view(kStart + 40s);
  EXPECT_EQ(view.state, BreakerState::kOpen);
  EXPECT_EQ(view.ejections, 1U) << "the same one goes on";
  breaker.mark_healthy(kStart + 41s);
  EXPECT_EQ(breaker.view(kStart + 41s).state, BreakerState::kClosed);
  EXPECT_DOUBLE_EQ(breaker.ramp(kStart + 41s), 0.1);
  EXPECT_DOUBLE_EQ(breaker.ramp(kStart + 71s), 1);
}

TEST(TargetBreaker, WithoutFurtherChecksItMayBeProbed) {
  Breaker breaker;
  breaker.mark_unhealthy(kStart + 32s);
  EXPECT_EQ(breaker.view(kStart + 32s).state, BreakerState::kHalfOpen);
  attempt(breaker, Outcome::kGood, kStart + 32s);
  EXPECT_EQ(breaker.view(kStart + 32s).state, BreakerState::kClosed);
}

TEST(TargetBreaker, AGoodHealthCheckEndsNoEjectionThatRequestsHaveBegun) {
  Breaker breaker;
  ejected(breaker).mark_healthy(kStart + 1s);
  EXPECT_FALSE(breaker.admits(kStart + 1s));
  breaker.mark_unhealthy(kStart + 10s);
  EXPECT_EQ(breaker.admits_at(kStart + 1s), kStart + 30s) << "the longer one counts";
  breaker.mark_healthy(kStart + 2s);
  EXPECT_TRUE(breaker.admits(kStart + 2s)) << "its health was the last that was known";
}

TEST(TargetBreaker, AProbeThatEndsAfterAGoodHealthCheckChangesNothing) {
  for (const Outcome outcome : {Outcome::kGood, Outcome::kFault, Outcome::kNeutral}) {
    Breaker breaker;
    breaker.mark_unhealthy(kStart + 10s);
    auto probe = breaker.try_pass(kStart + 10s);
    ASSERT_TRUE(probe.has_value() && probe->probe());
    breaker.mark_healthy(kStart + 11s);
    probe->ended(outcome, kStart + 12s);
    EXPECT_EQ(breaker.view(kStart + 12s).state, BreakerState::kClosed);
    EXPECT_TRUE(breaker.try_pass(kStart + 12s).has_value());
    ejected(breaker);
    EXPECT_TRUE(breaker.try_pass(kStart + 45s).has_value()) << "and the next ejection has its own probe";
  }
}

}  // namespace
}  // namespace sluice::routing
