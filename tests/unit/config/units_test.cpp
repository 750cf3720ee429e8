#include "sluice/config/units.hpp"

#include <gtest/gtest.h>

namespace sluice::config {
namespace {

using namespace std::chrono_literals;

TEST(Units, DurationsHaveEveryUnit) {
  EXPECT_EQ(parse_duration("250ms"), 250ms);
  EXPECT_EQ(parse_duration("2s"), 2s);
  EXPECT_EQ(parse_duration("10m"), 10min);
  EXPECT_EQ(parse_duration("10min"), 10min);
  EXPECT_EQ(parse_duration("1h"), 1h);
  EXPECT_EQ(parse_duration("1d"), 24h);
  EXPECT_EQ(parse_duration("0s"), 0ms);
}

TEST(Units, SizesHaveDecimalAndBinaryUnits) {
  EXPECT_EQ(parse_size("512B"), 512U);
  EXPECT_EQ(parse_size("64KB"), 64'000U);
  EXPECT_EQ(parse_size("64KiB"), 65'536U);
  EXPECT_EQ(parse_size("2MB"), 2'000'000U);
  EXPECT_EQ(parse_size("64MiB"), 64U << 20);
  EXPECT_EQ(parse_size("1GB"), 1'000'000'000U);
  EXPECT_EQ(parse_size("1GiB"), 1U << 30);
}

TEST(Units, RatesAreSizesPerSecond) {
  EXPECT_EQ(parse_rate("0B/s"), 0U);
  EXPECT_EQ(parse_rate("1KB/s"), 1000U);
  EXPECT_EQ(parse_rate("1KiB/s"), 1024U);
  EXPECT_EQ(parse_rate("2MiB/s"), 2U << 20);
  EXPECT_EQ(parse_rate("1024").error(), "write a unit, e.g. 1KiB/s");
  for (std::string_view text : {"", "1KiB", "/s", "1/s", "1KiB/", "1KiB/min", "1KiB /s", "-1B/s", "1.5KiB/s"}) {
    EXPECT_FALSE(parse_rate(text).has_value()) << text;
  }
  for (std::uint64_t value : {0UL, 1UL, 1000UL, 1024UL, 1UL << 20, 1UL << 30}) {
    EXPECT_EQ(parse_rate(format_rate(value)), value) << format_rate(value);
  }
}

TEST(Units, SharesArePercentagesInMillionths) {
  EXPECT_EQ(parse_share("100%"), 1'000'000U);
  EXPECT_EQ(parse_share("100.0000%"), 1'000'000U);
  EXPECT_EQ(parse_share("10%"), 100'000U);
  EXPECT_EQ(parse_share("0.5%"), 5000U);
  EXPECT_EQ(parse_share("12.3456%"), 123'456U);
  EXPECT_EQ(parse_share("0.0001%"), 1U);
  EXPECT_EQ(parse_share("0%"), 0U);
  for (std::string_view text : {"", "%", "10", "10 %", " 10%", "-1%", "+1%", ".5%", "5.%", "1e1%", "0.00001%", "0,5%",
                                "100.0001%", "101%", "1000%", "99999999999999999999%"}) {
    EXPECT_FALSE(parse_share(text).has_value()) << text;
  }
}

TEST(Units, ANumberAloneAsksForAUnit) {
  EXPECT_EQ(parse_duration("30").error(), "write a unit, e.g. 30s");
  EXPECT_EQ(parse_size("1024").error(), "write a unit, e.g. 64KiB");
}

TEST(Units, WhatIsNoQuantityIsRefused) {
  for (std::string_view text :
       {"", "s", "-1s", "+1s", " 1s", "1 s", "1s ", "1.5s", "1e3s", "1m30s", "1S", "1sec", "0x1s", "1week"}) {
    EXPECT_FALSE(parse_duration(text).has_value()) << text;
  }
  for (std::string_view text : {"", "KiB", "-1B", "1K", "1kb", "1kib", "1 MiB", "1.5MiB", "1TiB", "1Mib"}) {
    EXPECT_FALSE(parse_size(text).has_value()) << text;
  }
}

TEST(Units, OverflowIsRefusedExactlyAtTheEdge) {
  EXPECT_EQ(parse_size("9223372036854775807B"), 9223372036854775807U);
  EXPECT_FALSE(parse_size("9223372036854775808B").has_value());
  EXPECT_TRUE(parse_size("8589934591GiB").has_value());
  EXPECT_EQ(parse_size("8589934592GiB").error(), "the number is too large");
  EXPECT_TRUE(parse_duration("106751991167d").has_value());
  EXPECT_EQ(parse_duration("106751991168d").error(), "the number is too large");
  EXPECT_EQ(parse_duration("99999999999999999999s").error(), "the number is too large");
}

TEST(Units, WhatIsFormattedIsReadBackTheSame) {
  for (auto value : {0ms, 1ms, 1500ms, 90'000ms, 60'000ms, 7'200'000ms, 86'400'000ms}) {
    EXPECT_EQ(parse_duration(format_duration(value)), value) << format_duration(value);
  }
  for (std::uint64_t value : {0UL, 1UL, 1000UL, 1024UL, 65'537UL, 1UL << 30, 3'000'000'000UL}) {
    EXPECT_EQ(parse_size(format_size(value)), value) << format_size(value);
  }
  EXPECT_EQ(format_duration(90s), "90s");
  EXPECT_EQ(format_duration(10min), "10min");
  EXPECT_EQ(format_size(64 * 1024), "64KiB");
}

}  // namespace
}  // namespace sluice::config
