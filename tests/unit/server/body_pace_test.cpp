// When a body counts as too slow.

#include <gtest/gtest.h>

#include "server/body_reader.hpp"

namespace sluice::server {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kStart{};

config::Limits limits(std::size_t rate, milliseconds window = 10s, milliseconds total = 30s) {
  config::Limits made;
  made.body_min_rate = rate;
  made.body_rate_window = window;
  made.body_timeout = total;
  return made;
}

TEST(BodyPace, NothingIsJudgedBeforeTheFirstWindowIsOver) {
  BodyPace pace(limits(1024), kStart);
  EXPECT_EQ(pace.due(), kStart + 10s);
  EXPECT_TRUE(pace.keeps_up(0, kStart + 10s - 1ms));
}

TEST(BodyPace, F03LessThanTheRateInAWindowIsTooSlow) {
  EXPECT_TRUE(BodyPace(limits(1024), kStart).keeps_up(10'240, kStart + 10s));
  EXPECT_FALSE(BodyPace(limits(1024), kStart).keeps_up(10'239, kStart + 10s));
}

TEST(BodyPace, F03EachWindowMustBringItsShare) {
  BodyPace pace(limits(1000, 1s), kStart);
  EXPECT_TRUE(pace.keeps_up(50'000, kStart + 1s));
  EXPECT_EQ(pace.due(), kStart + 2s);
  EXPECT_TRUE(pace.keeps_up(50'999, kStart + 2s - 1ms));
  EXPECT_FALSE(pace.keeps_up(50'999, kStart + 2s)) << "what came before does not count again";
}

TEST(BodyPace, F03TheTotalTimeBindsHoweverFastItComes) {
  BodyPace pace(limits(1, 1s, 2500ms), kStart);
  EXPECT_TRUE(pace.keeps_up(1'000'000, kStart + 1s));
  EXPECT_TRUE(pace.keeps_up(2'000'000, kStart + 2s));
  EXPECT_EQ(pace.due(), kStart + 2500ms);
  EXPECT_FALSE(pace.keeps_up(3'000'000, kStart + 2500ms));
}

TEST(BodyPace, WithoutARateOnlyTheTotalCounts) {
  BodyPace pace(limits(0), kStart);
  EXPECT_EQ(pace.due(), kStart + 30s);
  EXPECT_TRUE(pace.keeps_up(0, kStart + 29s));
  EXPECT_FALSE(pace.keeps_up(0, kStart + 30s));
}

TEST(BodyPace, AWindowLongerThanTheTotalNeverEnds) {
  BodyPace pace(limits(1024, 60s), kStart);
  EXPECT_EQ(pace.due(), kStart + 30s);
  EXPECT_TRUE(pace.keeps_up(0, kStart + 29s));
}

}  // namespace
}  // namespace sluice::server
