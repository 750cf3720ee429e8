// However many names the configuration has, there is a bound for the series, and nothing that is counted is lost.

#include "sluice/observe/series_budget.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "sluice/observe/metrics.hpp"
#include "unit/observe/exposed.hpp"

namespace sluice::observe {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kStart{1000s};
constexpr std::size_t kMost = 5000;
constexpr int kNames = 10'000;

std::size_t lines_of(const std::string& text) {
  std::istringstream lines(text);
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line);) count += line.starts_with('#') ? 0 : 1;
  return count;
}

// Of all series of a metric, of those with such a label only.
double sum(const Exposed& exposed, const std::string& name, const std::string& label = "") {
  double total = 0;
  for (const auto& [series, value] : exposed.samples) {
    const bool ours = series == name || series.starts_with(name + "{");
    if (ours && series.find(label) != series.npos) total += value;
  }
  return total;
}

// A streamed answer after a fallback, with everything that a record can have of labels.
Record record_of(int number) {
  const std::string name = std::to_string(number);
  static std::map<int, std::map<std::string, std::string>> tags;
  Record record;
  record.started = kStart;
  record.endpoint = Endpoint::kChat;
  record.stream = true;
  record.route = "model-" + name;
  record.provider = "provider-" + name;
  record.key = "key-" + name;
  record.group = "group-" + name;
  tags[number]["feature"] = "feature-" + name;
  record.tags = &tags[number];
  record.limit = "group limit-" + name;
  record.observed = "group observed-" + name;
  record.status = 200 + number % 400;
  record.usage = {.input = 3, .output = 5, .cached = 1, .reasoning = 1, .source = UsageSource::kCached};
  record.saved = {.input = 3, .output = 5};
  record.saved_cost = Money::nanodollars(1'000'000'000);
  record.cost = record.saved_cost;
  record.cache = "hit";
  record.events = 7;
  record.committed = kStart + 1s;
  record.attempts = {
      {.provider = "provider-" + name, .target = "first-" + name, .result = "upstream_error"},
      {.provider = "provider-" + name, .target = "second-" + name, .result = "ok", .reused = true},
      {.provider = "provider-" + name, .target = "third-" + name, .result = "superseded", .hedge = true}};
  for (Attempt& attempt : record.attempts) attempt.began = kStart, attempt.ended = kStart + 1s;
  auto when = kStart;
  for (std::size_t i = 0; i < kStages; ++i) record.reached(static_cast<Stage>(i), when += 1ms);
  return record;
}

TEST(SeriesBudget, HalfIsForHistogramsAndEachKindHasRoomOfItsOwn) {
  SeriesBudget budget(kMost);
  EXPECT_EQ(budget.most(SeriesKind::kHistogram), 2000U);
  for (const auto kind : {SeriesKind::kModel, SeriesKind::kTarget, SeriesKind::kHealth, SeriesKind::kOwner}) {
    EXPECT_EQ(budget.most(kind), 500U);
  }
  EXPECT_EQ(SeriesBudget(10).most(SeriesKind::kModel), 0U);
}

TEST(SeriesBudget, WhatIsSaidOnceIsSaidForEver) {
  std::vector<SeriesKind> told;
  SeriesBudget budget(SeriesBudget::kKeptBack + 80, [&](SeriesKind kind) { told.push_back(kind); });
  EXPECT_TRUE(budget.admit(SeriesKind::kModel, "a", 7));
  EXPECT_TRUE(budget.admit(SeriesKind::kModel, "a", 7));
  EXPECT_EQ(budget.used(SeriesKind::kModel), 7U);
  EXPECT_FALSE(budget.admit(SeriesKind::kModel, "b", 4));
  EXPECT_FALSE(budget.admit(SeriesKind::kModel, "c", 1)) << "nobody comes in behind one who was turned away";
  EXPECT_FALSE(budget.admit(SeriesKind::kModel, "b", 4));
  EXPECT_TRUE(budget.admit(SeriesKind::kModel, "a", 7));
  EXPECT_EQ(told, std::vector{SeriesKind::kModel}) << "once";
  EXPECT_TRUE(budget.admit(SeriesKind::kTarget, "b", 10)) << "others have room of their own";
}

TEST(SeriesBudget, F76TenThousandNamesStayWithinTheBoundAndTotalsAreExact) {
  SeriesBudget budget(kMost);
  Metrics metrics(&budget);
  for (int i = 0; i < kNames; ++i) metrics.count(record_of(i));
  const std::string text = metrics.render();
  EXPECT_LE(lines_of(text) + lines_of(render_series_budget(budget)), kMost);
  EXPECT_GT(lines_of(text), kMost / 3) << "the room is used";
  const Exposed got = parse(text);
  for (const char* name :
       {"sluice_requests_total", "sluice_key_requests_total", "sluice_tag_requests_total", "sluice_limit_refused_total",
        "sluice_limit_observed_total", "sluice_fallbacks_total", "sluice_hedges_total", "sluice_cost_usd_total",
        "sluice_cache_requests_total", "sluice_cache_saved_cost_usd_total", "sluice_upstream_reused_connections_total",
        "sluice_key_cost_usd_total", "gen_ai_server_request_duration_seconds_count", "sluice_overhead_seconds_count",
        "gen_ai_server_time_to_first_token_seconds_count", "sluice_commit_duration_seconds_count"}) {
    EXPECT_EQ(sum(got, name), kNames) << name;
    EXPECT_GT(sum(got, name, "\"other\""), 0) << name;
  }
  EXPECT_EQ(sum(got, "sluice_upstream_attempts_total"), 3 * kNames);
  EXPECT_EQ(sum(got, "gen_ai_client_operation_duration_seconds_count"), 3 * kNames);
  EXPECT_EQ(sum(got, "sluice_tokens_total", "type=\"output\""), 5 * kNames);
  EXPECT_EQ(sum(got, "sluice_stream_events_total"), 7 * kNames);
  EXPECT_GT(sum(got, "sluice_metrics_series_capped_total", "histogram"), 0);
}

TEST(SeriesBudget, F76WithoutMoreNamesThanRoomNothingIsOther) {
  SeriesBudget budget(kMost);
  Metrics metrics(&budget);
  for (int i = 0; i < 1000; ++i) metrics.count(record_of(i % 5));
  const Exposed got = parse(metrics.render());
  EXPECT_EQ(sum(got, "sluice_metrics_series_capped_total"), 0);
  for (const auto& [name, value] : got.samples) EXPECT_EQ(name.find("\"other\""), name.npos) << name;
}

// Workers meet the names in different orders, and scrapes come in between.
TEST(SeriesBudget, F76TheBoundHoldsForAllWorkersTogetherAndNoCounterGoesBack) {
  SeriesBudget budget(kMost);
  Metrics workers[3] = {Metrics(&budget), Metrics(&budget), Metrics(&budget)};
  std::map<std::string, double> before;
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < 300; ++i) {
      workers[0].count(record_of(300 * round + i));
      workers[1].count(record_of(3000 - 300 * round - i));
      workers[2].count(record_of((7 * i + 11 * round) % 50));
    }
    Metrics all;
    for (const Metrics& worker : workers) all.merge(worker);
    const std::string text = all.render();
    ASSERT_LE(lines_of(text), kMost);
    const Exposed got = parse(text);
    for (const auto& [name, value] : before) ASSERT_GE(got[name], value) << name;
    EXPECT_EQ(sum(got, "sluice_requests_total"), 900 * (round + 1));
    EXPECT_EQ(sum(got, "sluice_key_requests_total"), 900 * (round + 1));
    before = got.samples;
  }
}

// An upstream chooses its statuses, and must not make series by them.
TEST(SeriesBudget, F76StatusesAreBoundedToo) {
  SeriesBudget budget(SeriesBudget::kKeptBack + 800);
  Metrics metrics(&budget);
  for (int i = 0; i < 1000; ++i) {
    Record record = record_of(1);
    record.outcome = Outcome::kUpstreamError;
    record.status = 400 + i;
    metrics.count(record);
  }
  const Exposed got = parse(metrics.render());
  EXPECT_EQ(sum(got, "sluice_requests_total"), 1000);
  EXPECT_GT(sum(got, "sluice_requests_total", R"(model="other",provider="other",outcome="upstream_error",status="0")"),
            800);
}

TEST(SeriesBudget, WorkersMayAskAtTheSameTime) {
  SeriesBudget budget(kMost);
  std::array<std::vector<bool>, 4> said;
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < said.size(); ++t) {
    threads.emplace_back([&, t] {
      SeriesGate gate(&budget);
      for (int i = 0; i < 2000; ++i) {
        said[t].push_back(gate.admit(SeriesKind::kOwner, std::to_string(t % 2 == 0 ? i : 1999 - i), 1));
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(budget.used(SeriesKind::kOwner), budget.most(SeriesKind::kOwner));
  for (std::size_t i = 0; i < 2000; ++i) {
    const std::size_t mirrored = 1999 - i;
    const bool now = budget.admit(SeriesKind::kOwner, std::to_string(i), 1);
    for (std::size_t t = 0; t < said.size(); ++t) {
      if (said[t][t % 2 == 0 ? i : mirrored]) EXPECT_TRUE(now) << "who was let in is in";
    }
  }
}

}  // namespace
}  // namespace sluice::observe
