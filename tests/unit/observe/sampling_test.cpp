// Which requests the trace gets where it does not get all.

#include "sluice/observe/sampling.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

namespace sluice::observe {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

constexpr TimePoint kStart{1000s};

constexpr SampleRules kRules = {
    .rate = 100'000, .slow = 10s, .slow_first_token = 5s, .cost = Money::nanodollars(100'000'000)};

Record record_of(std::uint64_t trace = 1) {
  Record record;
  record.started = kStart;
  record.trace = {.high = 0, .low = trace, .span = 1};
  record.reached(Stage::kFirstToken, kStart + 1s);
  record.reached(Stage::kTotal, kStart + 2s);
  return record;
}

TEST(Sampling, WhatDidNotGoWellIsAlwaysKept) {
  for (std::size_t i = 0; i < kOutcomes; ++i) {
    Record record = record_of();
    record.outcome = static_cast<Outcome>(i);
    const bool well = record.outcome == Outcome::kOk || record.outcome == Outcome::kCacheHit;
    EXPECT_EQ(always_kept(record, kRules), !well) << to_string(record.outcome);
  }
}

TEST(Sampling, WhatIsSlowIsAlwaysKept) {
  Record record = record_of();
  record.reached(Stage::kTotal, kStart + 10s - 1us);
  EXPECT_FALSE(always_kept(record, kRules));
  record.reached(Stage::kTotal, kStart + 10s);
  EXPECT_TRUE(always_kept(record, kRules));
  EXPECT_FALSE(always_kept(record, {.rate = 0})) << "without a threshold nothing is slow";
}

TEST(Sampling, AStreamIsAlsoSlowToBegin) {
  Record record = record_of();
  record.reached(Stage::kFirstToken, kStart + 5s);
  EXPECT_FALSE(always_kept(record, kRules)) << "no stream has no first token";
  record.stream = true;
  EXPECT_TRUE(always_kept(record, kRules));
  record.reached(Stage::kFirstToken, kStart + 5s - 1us);
  EXPECT_FALSE(always_kept(record, kRules));
}

TEST(Sampling, WhatIsDearIsAlwaysKept) {
  Record record = record_of();
  record.cost = Money::nanodollars(99'999'999);
  EXPECT_FALSE(always_kept(record, kRules));
  record.cost = kRules.cost;
  EXPECT_TRUE(always_kept(record, kRules));
  EXPECT_FALSE(always_kept(record, {.rate = 0})) << "without a threshold nothing is dear";
}

TEST(Sampling, OfTheRestAShareIsKept) {
  for (const std::uint64_t step : {1UL, 0x9E3779B97F4A7C15UL, 1UL << 40}) {  // counted up, at random, and in between
    int kept = 0;
    for (std::uint64_t i = 0; i < 100'000; ++i) {
      const std::uint32_t share = share_kept(record_of(i * step), kRules);
      EXPECT_TRUE(share == 0 || share == kRules.rate);
      kept += share > 0 ? 1 : 0;
    }
    EXPECT_NEAR(kept, 10'000, 500) << step;
  }
  EXPECT_EQ(share_kept(record_of(), {}), kWhole) << "by default all are";
  EXPECT_EQ(share_kept(record_of(), {.rate = 0}), 0U);
}

TEST(Sampling, ATraceIsKeptOrLeftOutAsAWhole) {
  for (std::uint64_t trace = 0; trace < 1000; ++trace) {
    Record one = record_of(trace), other = record_of(trace);
    other.trace.span = 77;
    other.route = "another";
    other.request_id = "req_2";
    EXPECT_EQ(share_kept(one, kRules), share_kept(other, kRules));
    other.outcome = Outcome::kTimeout;
    EXPECT_EQ(share_kept(other, kRules), kWhole) << "a failure stands for itself alone";
  }
}

TEST(Sampling, AHigherRateKeepsAllThatALowerOneKeeps) {
  for (std::uint64_t trace = 0; trace < 1000; ++trace) {
    if (share_kept(record_of(trace), {.rate = 10'000}) > 0) {
      EXPECT_GT(share_kept(record_of(trace), {.rate = 500'000}), 0U);
    }
  }
}

TEST(Sampling, EveryLineTellsHowManyItStandsFor) {
  Record record = record_of();
  record.attempts = {{.provider = "up", .target = "up/a", .result = "upstream_error"},
                     {.provider = "up", .target = "up/b", .result = "ok"}};
  record.observed = "group acme requests/minute";
  const auto rates_of = [&](std::uint32_t share) {
    std::string out;
    EXPECT_EQ(append_trace_lines(out, record, share), 4U);
    std::vector<json> rates;
    std::istringstream text(out);
    for (std::string line; std::getline(text, line);) rates.push_back(json::parse(line).value("sample_rate", json()));
    return rates;
  };
  EXPECT_EQ(rates_of(100'000), std::vector<json>(4, 0.1));
  EXPECT_EQ(rates_of(1), std::vector<json>(4, 0.000001));
  EXPECT_EQ(rates_of(123'456), std::vector<json>(4, 0.123456));
  EXPECT_EQ(rates_of(kWhole), std::vector<json>(4)) << "which stand for themselves";
}

}  // namespace
}  // namespace sluice::observe
