#include "sluice/http/retry_after.hpp"

#include <gtest/gtest.h>

namespace sluice::http {
namespace {

using namespace std::chrono_literals;

// 2024-07-01 12:00:00.250 UTC
const auto kNow = std::chrono::system_clock::time_point(1'719'835'200'250ms);

std::optional<std::chrono::milliseconds> wait(std::string_view ms, std::string_view after) {
  return parse_retry_after(ms, after, kNow);
}

TEST(RetryAfter, U41MillisecondsWin) {
  EXPECT_EQ(wait("350", ""), 350ms);
  EXPECT_EQ(wait("350", "2"), 350ms);
  EXPECT_EQ(wait("350.4", "2"), 351ms) << "never earlier than asked for";
  EXPECT_EQ(wait("0", "2"), 0ms);
}

TEST(RetryAfter, U41SecondsMayBeFractional) {
  EXPECT_EQ(wait("", "2"), 2s);
  EXPECT_EQ(wait("", "0.5"), 500ms);
  EXPECT_EQ(wait("", "0"), 0ms);
  EXPECT_EQ(wait("", "1e1"), 10s);
}

TEST(RetryAfter, U41ADateCountsFromNow) {
  EXPECT_EQ(wait("", "Mon, 01 Jul 2024 12:00:05 GMT"), 4750ms);
  EXPECT_EQ(wait("", "Tue, 02 Jul 2024 12:00:00 GMT"), 24h - 250ms);
}

TEST(RetryAfter, U41APastDateSaysNothing) {
  EXPECT_EQ(wait("", "Mon, 01 Jul 2024 12:00:00 GMT"), std::nullopt);
  EXPECT_EQ(wait("", "Wed, 21 Oct 2015 07:28:00 GMT"), std::nullopt);
}

TEST(RetryAfter, F37ADateBeyondTheReachOfTheClockIsAHugeWait) {
  EXPECT_EQ(wait("", "Fri, 31 Dec 9999 23:59:59 GMT"), 1'000'000'000s - 250ms);
  EXPECT_EQ(wait("", "Fri, 11 Apr 2262 23:47:17 GMT"), 1'000'000'000s - 250ms);
  EXPECT_EQ(wait("", "Mon, 01 Jan 0001 00:00:00 GMT"), std::nullopt);
}

TEST(RetryAfter, U41AHugeWaitIsGivenAsItIs) {
  EXPECT_EQ(wait("", "1e9"), 1'000'000'000s);
  EXPECT_EQ(wait("1e9", ""), 1'000'000'000ms);
}

TEST(RetryAfter, WhatNoClockCanHoldIsStillPositiveAndLong) {
  for (auto huge : {"1e300", "99999999999999999999999"}) {
    const auto got = wait("", huge);
    ASSERT_TRUE(got.has_value()) << huge;
    EXPECT_GT(*got, 24h);
    EXPECT_GT(kNow + *got, kNow) << "no overflow";
  }
}

TEST(RetryAfter, U41WhatCannotBeReadSaysNothing) {
  for (auto bad : {"",
                   "-1",
                   "-0.5",
                   "NaN",
                   "nan",
                   "inf",
                   "-inf",
                   "infinity",
                   "soon",
                   "2s",
                   "2 ",
                   " 2",
                   "0x10",
                   "1,5",
                   "+2",
                   "2;3",
                   "1e400",
                   "Mon, 01 Jul 2024 12:00:05",
                   "Mon, 01 Jul 2024 12:00:05 GMT x",
                   "2024-07-01T12:00:05Z",
                   "Mon, 32 Jul 2024 12:00:05 GMT"}) {
    EXPECT_EQ(wait("", bad), std::nullopt) << bad;
    EXPECT_EQ(wait(bad, ""), std::nullopt) << bad;
  }
}

TEST(RetryAfter, U41AnUnreadableValueLeavesTheOtherInForce) {
  EXPECT_EQ(wait("soon", "2"), 2s);
  EXPECT_EQ(wait("-1", "2"), 2s);
  EXPECT_EQ(wait("350", "soon"), 350ms);
}

}  // namespace
}  // namespace sluice::http
