#include "sluice/observe/metrics.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "unit/observe/exposed.hpp"

namespace sluice::observe {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kStart{1000s};

Record record_of(Endpoint endpoint = Endpoint::kChat, int status = 200) {
  Record record;
  record.started = kStart;
  record.endpoint = endpoint;
  record.route = "fast";
  record.provider = "openai";
  record.model = "what-the-client-said";
  record.status = status;
  record.outcome = status == 200 ? Outcome::kOk : Outcome::kUpstreamError;
  record.reached(Stage::kRoute, kStart + 30us);
  record.reached(Stage::kTotal, kStart + 1s);
  record.attempts = {{"openai", "openai/gpt", status == 200 ? "ok" : "upstream_error"}};
  return record;
}

const std::string kFast = R"(endpoint="chat",model="fast",provider="openai")";

TEST(Metrics, CountsRequestsByHowTheyEnded) {
  Metrics metrics;
  for (int i = 0; i < 3; ++i) metrics.count(record_of());
  metrics.count(record_of(Endpoint::kChat, 502));
  metrics.count(record_of(Endpoint::kEmbeddings));
  const auto got = parse(metrics.render());
  EXPECT_EQ(got["sluice_requests_total{" + kFast + R"(,outcome="ok",status="200"})"], 3);
  EXPECT_EQ(got["sluice_requests_total{" + kFast + R"(,outcome="upstream_error",status="502"})"], 1);
  EXPECT_EQ(
      got[R"(sluice_requests_total{endpoint="embeddings",model="fast",provider="openai",outcome="ok",status="200"})"],
      1);
  EXPECT_EQ(got[R"(sluice_upstream_attempts_total{provider="openai",target="openai/gpt",result="ok"})"], 4);
  EXPECT_EQ(got[R"(sluice_upstream_attempts_total{provider="openai",target="openai/gpt",result="upstream_error"})"], 1);
}

TEST(Metrics, CountsTokensEventsAnomaliesAndReuse) {
  Metrics metrics;
  Record record = record_of();
  record.usage = {
      .input = 100, .output = 20, .cached = 60, .reasoning = 5, .source = UsageSource::kReported, .anomalous = true};
  record.events = 22;
  record.attempts = {{"openai", "openai/gpt", "ok", true}};
  metrics.count(record);
  metrics.count(record);
  const auto got = parse(metrics.render());
  EXPECT_EQ(got["sluice_tokens_total{" + kFast + R"(,type="input"})"], 200);
  EXPECT_EQ(got["sluice_tokens_total{" + kFast + R"(,type="output"})"], 40);
  EXPECT_EQ(got["sluice_tokens_total{" + kFast + R"(,type="cached"})"], 120);
  EXPECT_EQ(got["sluice_tokens_total{" + kFast + R"(,type="reasoning"})"], 10);
  EXPECT_EQ(got["sluice_stream_events_total{" + kFast + "}"], 44);
  EXPECT_EQ(got["sluice_usage_anomalies_total{" + kFast + "}"], 2);
  EXPECT_EQ(got[R"(sluice_upstream_reused_connections_total{provider="openai"})"], 2);
}

TEST(Metrics, TimesAreInSecondsAndBucketsAreCumulative) {
  Metrics metrics;
  Record record = record_of();
  record.stream = true;
  record.usage.output = 11;
  record.reached(Stage::kFirstToken, kStart + 200ms);
  record.reached(Stage::kLastToken, kStart + 700ms);
  metrics.count(record);
  const auto got = parse(metrics.render());
  const auto histogram = [&](const std::string& name, double sum) {
    EXPECT_NEAR(got[name + "_sum{" + kFast + "}"], sum, 1e-9) << name;
    EXPECT_EQ(got[name + "_count{" + kFast + "}"], 1) << name;
    EXPECT_EQ(got[name + "_bucket{" + kFast + R"(,le="+Inf"})"], 1) << name;
    EXPECT_EQ(got.types.at(name), "histogram");
  };
  histogram("gen_ai_server_request_duration_seconds", 1.0);
  histogram("gen_ai_server_time_to_first_token_seconds", 0.2);
  histogram("gen_ai_server_time_per_output_token_seconds", 0.05);
  histogram("sluice_overhead_seconds", 0.30003);
  const std::string bucket = "gen_ai_server_request_duration_seconds_bucket{" + kFast + ",le=";
  EXPECT_EQ(got[bucket + "\"0.64\"}"], 0);
  EXPECT_EQ(got[bucket + "\"1.28\"}"], 1);
  EXPECT_EQ(got[bucket + "\"81.92\"}"], 1);
}

TEST(Metrics, AValueOnABoundBelongsToItsBucket) {
  Histogram histogram;
  const double bounds[] = {1, 2};
  for (double value : {0.5, 1.0, 1.5, 2.0, 2.5}) histogram.observe(value, bounds);
  EXPECT_EQ(histogram.counts, (std::vector<std::uint64_t>{2, 2, 1}));
  EXPECT_EQ(histogram.total, 5U);
  EXPECT_DOUBLE_EQ(histogram.sum, 7.5);
}

TEST(Metrics, TokenTimesNeedAStreamOfMoreThanOneToken) {
  Metrics metrics;
  Record record = record_of();
  record.reached(Stage::kFirstToken, kStart + 200ms);
  record.reached(Stage::kLastToken, kStart + 700ms);
  record.usage.output = 9;
  metrics.count(record);  // not a stream
  record.stream = true;
  record.usage.output = 1;
  metrics.count(record);
  EXPECT_EQ(metrics.render().find("time_per_output_token"), std::string::npos);
}

TEST(Metrics, MergingGivesTheSumOfItsParts) {
  Metrics parts[3], whole, merged;
  for (int i = 0; i < 60; ++i) {
    Record record = record_of(static_cast<Endpoint>(i % 3), i % 4 == 0 ? 502 : 200);
    record.route = i % 5 == 0 ? "slow" : "fast";
    record.stream = i % 2 == 0;
    record.usage = {.input = i, .output = 2 * i, .cached = i / 2, .reasoning = 1, .anomalous = i % 7 == 0};
    record.events = static_cast<std::uint64_t>(i);
    record.attempts.front().reused = i % 3 == 0;
    record.reached(Stage::kFirstToken, kStart + 125ms * i);
    record.reached(Stage::kLastToken, kStart + 250ms * i);
    record.reached(Stage::kTotal, kStart + 500ms * i);
    parts[i % 3].count(record);
    whole.count(record);
    parts[i % 3].count_reject(ErrorKind::kMalformedRequest);
    whole.count_reject(ErrorKind::kMalformedRequest);
    for (UpstreamCounts* counts : {&parts[i % 3].upstreams, &whole.upstreams}) {
      ++counts->connections;
      ++counts->of(static_cast<AddressKind>(i % static_cast<int>(kAddressKinds)));
      ++counts->of(static_cast<LookUpEnd>(i % 2));
    }
  }
  whole.requests_in_flight = 6, whole.connections = 15;
  for (auto& part : parts) {
    part.requests_in_flight = 2, part.connections = 5;
    merged.merge(part);
  }
  const auto got = parse(merged.render()), wanted = parse(whole.render());
  ASSERT_EQ(got.samples.size(), wanted.samples.size());
  for (const auto& [name, value] : wanted.samples) EXPECT_NEAR(got[name], value, 1e-6) << name;
}

TEST(Metrics, MergingAnEmptyOneChangesNothing) {
  Metrics metrics;
  metrics.count(record_of());
  const auto before = metrics.render();
  metrics.merge(Metrics{});
  EXPECT_EQ(metrics.render(), before);
  Metrics copy;
  copy.merge(metrics);
  EXPECT_EQ(copy.render(), before);
}

TEST(Metrics, F16NothingAClientSaysBecomesALabel) {
  Metrics metrics;
  metrics.count(record_of());
  const auto lines = std::ranges::count(metrics.render(), '\n');
  for (int i = 0; i < 1000; ++i) {
    Record record = record_of();
    record.model = record.upstream_model = "model-" + std::to_string(i);
    record.request_id = record.client_request_id = "id-" + std::to_string(i);
    record.error = record.detail = record.finish_reason = "text-" + std::to_string(i);
    metrics.count(record);
  }
  EXPECT_EQ(std::ranges::count(metrics.render(), '\n'), lines);
}

TEST(Metrics, RejectsAreCountedByReason) {
  Metrics metrics;
  metrics.count_reject(ErrorKind::kMalformedRequest);
  metrics.count_reject(ErrorKind::kMalformedRequest);
  metrics.count_reject(ErrorKind::kUriTooLong);
  const auto got = parse(metrics.render());
  EXPECT_EQ(got[R"(sluice_http_rejects_total{reason="malformed_request"})"], 2);
  EXPECT_EQ(got[R"(sluice_http_rejects_total{reason="uri_too_long"})"], 1);
}

TEST(Metrics, GaugesAreThereBeforeTheFirstRequest) {
  Metrics metrics;
  metrics.connections = 4;
  const auto got = parse(metrics.render());
  EXPECT_EQ(got["sluice_client_connections"], 4);
  EXPECT_EQ(got["sluice_requests_in_flight"], 0);
}

TEST(Metrics, F28CountsOfUpstreamsAreThereFromTheStart) {
  const auto got = parse(Metrics{}.render());
  EXPECT_EQ(got["sluice_upstream_connections_total"], 0);
  for (const char* kind : {"loopback", "private", "reserved", "link_local", "metadata", "unusable"}) {
    EXPECT_EQ(got["sluice_upstream_addresses_refused_total{kind=\"" + std::string(kind) + "\"}"], 0) << kind;
  }
  for (const char* result : {"ok", "failed", "timed_out"}) {
    EXPECT_EQ(got["sluice_dns_lookups_total{result=\"" + std::string(result) + "\"}"], 0) << result;
  }
  const auto of = [&](const std::string& name) {
    return std::ranges::count_if(got.samples, [&](const auto& sample) { return sample.first.starts_with(name); });
  };
  EXPECT_EQ(of("sluice_upstream_addresses_refused_total"), 6) << "public addresses are never refused";
  EXPECT_EQ(of("sluice_dns_lookups_total"), 3);
}

TEST(Metrics, F28ConnectionsRefusalsAndLookUpsAreCounted) {
  Metrics metrics;
  metrics.upstreams.connections = 7;
  metrics.upstreams.of(AddressKind::kLoopback) = 1;
  metrics.upstreams.of(AddressKind::kMetadata) = 2;
  metrics.upstreams.of(LookUpEnd::kOk) = 3;
  metrics.upstreams.of(LookUpEnd::kFailed) = 4;
  metrics.upstreams.of(LookUpEnd::kTimedOut) = 5;
  const auto got = parse(metrics.render());
  EXPECT_EQ(got["sluice_upstream_connections_total"], 7);
  EXPECT_EQ(got[R"(sluice_upstream_addresses_refused_total{kind="loopback"})"], 1);
  EXPECT_EQ(got[R"(sluice_upstream_addresses_refused_total{kind="metadata"})"], 2);
  EXPECT_EQ(got[R"(sluice_upstream_addresses_refused_total{kind="private"})"], 0);
  EXPECT_EQ(got[R"(sluice_dns_lookups_total{result="ok"})"], 3);
  EXPECT_EQ(got[R"(sluice_dns_lookups_total{result="failed"})"], 4);
  EXPECT_EQ(got[R"(sluice_dns_lookups_total{result="timed_out"})"], 5);
  EXPECT_EQ(got.types.at("sluice_upstream_connections_total"), "counter");
}

TEST(Metrics, F76HostileNamesFromTheConfigurationStayInsideTheirLabels) {
  Metrics metrics;
  Record record = record_of();
  record.route = "a\"} 1\nevil{x=\"\\";
  metrics.count(record);
  const auto got = parse(metrics.render());
  EXPECT_EQ(got.samples.count("evil"), 0U);
  EXPECT_TRUE(got.labels.contains(R"(model="a\"} 1\nevil{x=\"\\")"));
}

TEST(ProcessMetrics, SayWhatTheFactsSay) {
  LineCounts trace;
  trace.lines = 10;
  trace.dropped[0] = 2;
  trace.dropped[1] = 3;
  trace.queue_bytes = 4096;
  trace.write_errors = 6;
  trace.rotations = 7;
  trace.rotations_failed = 8;
  LineCounts log;
  log.dropped[1] = 9;
  const auto got = parse(render_process({.trace = trace,
                                         .log = log,
                                         .reloads_ok = 4,
                                         .reloads_failed = 5,
                                         .config_hash = "abc",
                                         .workers = 2,
                                         .draining = true}));
  EXPECT_EQ(got["sluice_trace_lines_total"], 10);
  EXPECT_EQ(got[R"(sluice_trace_dropped_total{reason="queue_full"})"], 2);
  EXPECT_EQ(got[R"(sluice_trace_dropped_total{reason="write_error"})"], 3);
  EXPECT_EQ(got["sluice_trace_queue_bytes"], 4096);
  EXPECT_EQ(got["sluice_trace_write_errors_total"], 6);
  EXPECT_EQ(got[R"(sluice_trace_rotations_total{result="ok"})"], 7);
  EXPECT_EQ(got[R"(sluice_trace_rotations_total{result="failed"})"], 8);
  EXPECT_EQ(got["sluice_log_lines_total"], 0);
  EXPECT_EQ(got[R"(sluice_log_dropped_total{reason="write_error"})"], 9);
  EXPECT_EQ(got[R"(sluice_config_reloads_total{result="ok"})"], 4);
  EXPECT_EQ(got[R"(sluice_config_reloads_total{result="failed"})"], 5);
  EXPECT_EQ(got[R"(sluice_config_info{hash="abc"})"], 1);
  EXPECT_EQ(got["sluice_workers"], 2);
  EXPECT_EQ(got["sluice_draining"], 1);
  EXPECT_GT(got["process_resident_memory_bytes"], 1e6);
  EXPECT_GE(got["process_open_fds"], 3);
  EXPECT_GT(got["process_max_fds"], got["process_open_fds"]);
}

TEST(Exposition, PromtoolFindsNoFault) {
  if (std::system("command -v promtool > /dev/null 2>&1") != 0) GTEST_SKIP() << "promtool is not installed";
  Metrics metrics;
  metrics.count(record_of());
  metrics.count_reject(ErrorKind::kMalformedRequest);
  const auto path = std::filesystem::temp_directory_path() / ("sluice-metrics-" + std::to_string(::getpid()));
  const LineCounts counts;
  std::ofstream(path) << metrics.render() << render_process({.trace = counts, .log = counts, .config_hash = "abc"});
  EXPECT_EQ(std::system(("promtool check metrics < " + path.string()).c_str()), 0);
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace sluice::observe
