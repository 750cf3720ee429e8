#include <gtest/gtest.h>

#include "server/health_checks.hpp"

namespace sluice::server {
namespace {

TEST(HealthTally, IsOutAfterThreeFailuresInARow) {
  HealthTally tally;
  EXPECT_FALSE(tally.add(false));
  EXPECT_FALSE(tally.add(false));
  EXPECT_FALSE(tally.add(true)) << "begins anew";
  EXPECT_FALSE(tally.add(false));
  EXPECT_FALSE(tally.add(false));
  EXPECT_TRUE(tally.add(false));
  EXPECT_TRUE(tally.add(false));
  EXPECT_EQ(tally.passed(), 1U);
  EXPECT_EQ(tally.failed(), 6U);
}

TEST(HealthTally, OneSuccessIsEnoughToComeBack) {
  HealthTally tally;
  for (int i = 0; i < 10; ++i) tally.add(false);
  EXPECT_TRUE(tally.out());
  EXPECT_FALSE(tally.add(true));
  EXPECT_FALSE(tally.add(false));
}

}  // namespace
}  // namespace sluice::server
