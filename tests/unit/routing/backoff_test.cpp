#include "routing/backoff.hpp"

#include <gtest/gtest.h>

namespace sluice::routing {
namespace {

using namespace std::chrono_literals;

TEST(Backoff, DoublesUpToTheMost) {
  const BackoffSettings settings;
  EXPECT_EQ(backoff(settings, 0, 1), 250ms);
  EXPECT_EQ(backoff(settings, 1, 1), 500ms);
  EXPECT_EQ(backoff(settings, 2, 1), 1s);
  EXPECT_EQ(backoff(settings, 3, 1), 2s);
  EXPECT_EQ(backoff(settings, 4, 1), 2s);
  EXPECT_EQ(backoff(settings, 4'000'000'000, 1), 2s);
}

TEST(Backoff, IsUniformFromNothingOn) {
  EXPECT_EQ(backoff({}, 3, 0), 0ms);
  EXPECT_EQ(backoff({}, 3, 0.25), 500ms);
  EXPECT_EQ(backoff({}, 3, -1), 0ms);
  EXPECT_EQ(backoff({}, 3, 7), 2s);
}

}  // namespace
}  // namespace sluice::routing
