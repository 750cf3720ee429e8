#include "routing/backoff.hpp"

#include <gtest/gtest.h>

namespace sluice::routing {
namespace {

using namespace std::chrono_literals;

constexpr config::Backoff kSettings{.base = 250ms, .most = 2s};

TEST(Backoff, DoublesUpToTheMost) {
  EXPECT_EQ(backoff(kSettings, 0, 1), 250ms);
  EXPECT_EQ(backoff(kSettings, 1, 1), 500ms);
  EXPECT_EQ(backoff(kSettings, 2, 1), 1s);
  EXPECT_EQ(backoff(kSettings, 3, 1), 2s);
  EXPECT_EQ(backoff(kSettings, 4, 1), 2s);
  EXPECT_EQ(backoff(kSettings, 4'000'000'000, 1), 2s);
}

TEST(Backoff, IsUniformFromNothingOn) {
  EXPECT_EQ(backoff(kSettings, 3, 0), 0ms);
  EXPECT_EQ(backoff(kSettings, 3, 0.25), 500ms);
  EXPECT_EQ(backoff(kSettings, 3, -1), 0ms);
  EXPECT_EQ(backoff(kSettings, 3, 7), 2s);
}

}  // namespace
}  // namespace sluice::routing
