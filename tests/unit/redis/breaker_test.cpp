#include "redis/breaker.hpp"

#include <gtest/gtest.h>

namespace sluice::redis {
namespace {

using News = Breaker::News;

TEST(Breaker, OpensAfterSoManyFailuresInARowAndSaysSoOnce) {
  Breaker breaker(3);
  EXPECT_EQ(breaker.failed(Failure::kTimeout), News::kNone);
  EXPECT_EQ(breaker.failed(Failure::kClosed), News::kNone);
  EXPECT_FALSE(breaker.open());
  EXPECT_EQ(breaker.failed(Failure::kLoading), News::kUnavailable);
  EXPECT_TRUE(breaker.open());
  EXPECT_EQ(breaker.failed(Failure::kTimeout), News::kNone);
  EXPECT_EQ(breaker.opened(), 1U);
}

TEST(Breaker, BeginsToCountAgainAfterASuccess) {
  Breaker breaker(2);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(breaker.failed(Failure::kTimeout), News::kNone);
    EXPECT_EQ(breaker.succeeded(), News::kNone);
  }
  EXPECT_FALSE(breaker.open());
}

TEST(Breaker, OpensAtOnceWhenNoConnectionCanBeMade) {
  Breaker breaker(5);
  EXPECT_EQ(breaker.unreachable(Failure::kClosed), News::kUnavailable);
  EXPECT_TRUE(breaker.open());
  EXPECT_EQ(breaker.unreachable(Failure::kClosed), News::kNone);
}

TEST(Breaker, OnlyAProbeClosesIt) {
  Breaker breaker(1);
  breaker.failed(Failure::kTimeout);
  EXPECT_EQ(breaker.succeeded(), News::kNone) << "a reply to what was sent before it opened";
  EXPECT_TRUE(breaker.open());
  EXPECT_EQ(breaker.probed(), News::kAvailable);
  EXPECT_FALSE(breaker.open());
}

TEST(Breaker, OpensAtTheFirstFailureAfterAProbe) {
  Breaker breaker(5);
  breaker.unreachable(Failure::kClosed);
  breaker.probed();
  EXPECT_EQ(breaker.failed(Failure::kTimeout), News::kUnavailable);
  EXPECT_TRUE(breaker.open());
}

TEST(Breaker, HasItsPatienceBackAfterTheFirstSuccess) {
  Breaker breaker(2);
  breaker.unreachable(Failure::kClosed);
  breaker.probed();
  breaker.succeeded();
  EXPECT_EQ(breaker.failed(Failure::kTimeout), News::kNone);
  EXPECT_FALSE(breaker.open());
}

// A PING is answered all the time: if it counted as news, there would be two lines per probe.
TEST(Breaker, SaysNothingWhileAProbeCannotShowThatMemoryIsFreeAgain) {
  for (const Failure failure : {Failure::kOom, Failure::kMisconf, Failure::kNoPerm, Failure::kClusterDown}) {
    Breaker breaker(1);
    EXPECT_EQ(breaker.failed(failure), News::kUnavailable);
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(breaker.probed(), News::kNone);
      EXPECT_FALSE(breaker.open());
      EXPECT_EQ(breaker.failed(failure), News::kNone);
      EXPECT_TRUE(breaker.open());
    }
    breaker.probed();
    EXPECT_EQ(breaker.succeeded(), News::kAvailable);
    EXPECT_EQ(breaker.succeeded(), News::kNone);
  }
}

TEST(Breaker, DoesNotCountWhatItRefusedItself) {
  Breaker breaker(1);
  EXPECT_EQ(breaker.failed(Failure::kFull), News::kNone);
  EXPECT_EQ(breaker.failed(Failure::kOpen), News::kNone);
  EXPECT_FALSE(breaker.open());
}

}  // namespace
}  // namespace sluice::redis
