#include "routing/stable_hash.hpp"

#include <gtest/gtest.h>

#include <string>

namespace sluice::routing {
namespace {

// Written down once: should these change, every user of every canary changes sides.
TEST(StableHash, IsTheSameForEver) {
  EXPECT_EQ(stable_hash("canary", "user-1"), 0x5f7860ea20385083U);
  EXPECT_NE(stable_hash("canary", "user-1"), stable_hash("canary", "user-2"));
  EXPECT_NE(stable_hash("a", "bc"), stable_hash("ab", "c"));
}

TEST(StablePercent, SplitsAsFineAsItIsAsked) {
  int below_ten = 0;
  int below_a_tenth = 0;
  constexpr int kUsers = 100'000;
  for (int i = 0; i < kUsers; ++i) {
    const double percent = stable_percent("canary", "user-" + std::to_string(i));
    ASSERT_GE(percent, 0);
    ASSERT_LT(percent, 100);
    below_ten += percent < 10 ? 1 : 0;
    below_a_tenth += percent < 0.1 ? 1 : 0;
  }
  EXPECT_NEAR(below_ten, kUsers / 10, 400);
  EXPECT_NEAR(below_a_tenth, kUsers / 1000, 40);
}

TEST(StablePercent, SplitsWithDifferentSaltsAreIndependent) {
  int both = 0;
  constexpr int kUsers = 40'000;
  for (int i = 0; i < kUsers; ++i) {
    const std::string user = "user-" + std::to_string(i);
    both += stable_percent("one", user) < 50 && stable_percent("two", user) < 50 ? 1 : 0;
  }
  EXPECT_NEAR(both, kUsers / 4, 400);
}

}  // namespace
}  // namespace sluice::routing
