#include "limit/drain_rate.hpp"

#include <gtest/gtest.h>

namespace sluice::limit {
namespace {

using namespace std::chrono_literals;

const TimePoint kStart{std::chrono::hours(1)};

struct Watched {
  DrainRate rate;
  TimePoint now = kStart;
  void admit(int times, nanoseconds pace) {
    for (int i = 0; i < times; ++i) {
      now += pace;
      rate.admitted(now);
    }
  }
};

TEST(DrainRate, IsRightFromTheFirstMomentOn) {
  for (const int admissions : {4, 10, 100, 1'000, 10'000}) {
    Watched one;
    one.rate.wait_begins(one.now);
    one.admit(admissions, 10ms);
    ASSERT_TRUE(one.rate.per_second(one.now));
    EXPECT_NEAR(*one.rate.per_second(one.now), 100, 3) << admissions;
  }
}

TEST(DrainRate, SaysNothingWhileItHasSeenTooLittle) {
  Watched one;
  EXPECT_FALSE(one.rate.per_second(one.now));
  one.rate.wait_begins(one.now);
  EXPECT_FALSE(one.rate.per_second(one.now + 900ms));
  one.admit(3, 1ms);
  EXPECT_FALSE(one.rate.per_second(one.now));
  one.admit(1, 1ms);
  EXPECT_TRUE(one.rate.per_second(one.now));
}

TEST(DrainRate, FollowsAChangeWithinItsMemory) {
  Watched one;
  one.rate.wait_begins(one.now);
  one.admit(1'000, 100ms);
  EXPECT_NEAR(*one.rate.per_second(one.now), 10, 0.5);
  one.admit(1'000, 10ms);  // ten seconds
  EXPECT_NEAR(*one.rate.per_second(one.now), 100 - 90 / 2.718, 3);
  one.admit(4'000, 10ms);
  EXPECT_NEAR(*one.rate.per_second(one.now), 100, 3);
}

TEST(DrainRate, LeavesOutTimeInWhichNobodyWaited) {
  Watched one;
  for (int i = 0; i < 50; ++i) {
    one.rate.wait_begins(one.now);
    one.admit(10, 10ms);
    one.rate.wait_ends(one.now);
    one.now += 200ms;
  }
  EXPECT_NEAR(*one.rate.per_second(one.now), 100, 3);
}

TEST(DrainRate, SlowsDownWhileNobodyIsAdmitted) {
  Watched one;
  one.rate.wait_begins(one.now);
  one.admit(100, 10ms);
  EXPECT_LT(*one.rate.per_second(one.now + 10s), 10);
  EXPECT_NEAR(*one.rate.per_second(one.now + 120s), 1.0 / 120, 1e-4);
}

TEST(DrainRate, MeasuresAdmissionsThatAreRarerThanItsMemoryIsLong) {
  Watched one;
  one.rate.wait_begins(one.now);
  one.admit(10, 30s);
  for (auto later : {0s, 10s, 20s, 29s}) {
    const double rate = *one.rate.per_second(one.now + later);
    EXPECT_GT(rate, 1.0 / 31);
    EXPECT_LT(rate, 4.0 / 30);
  }
}

TEST(DrainRate, ForgetsWhatIsLongPast) {
  Watched one;
  one.rate.wait_begins(one.now);
  one.admit(100, 10ms);
  EXPECT_FALSE(one.rate.forgotten(one.now + 60s));  // somebody waits
  one.rate.wait_ends(one.now);
  EXPECT_FALSE(one.rate.forgotten(one.now + 10s));
  EXPECT_TRUE(one.rate.forgotten(one.now + 60s));
}

TEST(DrainRate, BearsTimesThatComeInTheWrongOrder) {
  Watched one;
  one.rate.wait_begins(one.now);
  one.admit(100, 10ms);
  one.rate.admitted(one.now - 5ms);
  EXPECT_NEAR(*one.rate.per_second(one.now), 101, 3);
}

}  // namespace
}  // namespace sluice::limit
