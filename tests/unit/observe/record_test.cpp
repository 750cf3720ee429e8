// The trace line and the log line: one line each, whatever the client or an upstream put into the record.

#include "sluice/observe/record.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace sluice::observe {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

constexpr TimePoint kStart{1000s};

Record full_record() {
  Record record;
  record.time = std::chrono::system_clock::time_point(1'719'835'200s + 42us);
  record.started = kStart;
  record.request_id = "req_0123456789abcdef01234567";
  record.client_request_id = "client-1";
  record.upstream_request_id = "up-1";
  record.endpoint = Endpoint::kChat;
  record.stream = true;
  record.model = "fast";
  record.route = "fast";
  record.provider = "openai";
  record.upstream_model = "gpt-4o-mini";
  record.attempts = {{"openai", "upstream_timeout", false}, {"openai", "ok", true}};
  record.status = 200;
  record.outcome = Outcome::kUpstreamTruncated;
  record.error = "upstream_stream_truncated";
  record.detail = "connection closed";
  record.phase = Phase::kStream;
  record.finish_reason = "stop";
  record.usage = {.input = 11,
                  .output = 7,
                  .cached = 5,
                  .cache_write = 3,
                  .reasoning = 2,
                  .source = UsageSource::kReported,
                  .anomalous = true};
  record.bytes_in = 100;
  record.bytes_out = 2000;
  record.events = 9;
  auto when = kStart;
  for (std::size_t i = 0; i < kStages; ++i) record.reached(static_cast<Stage>(i), when += 1500ns);
  return record;
}

// The line as JSON; it must be one line.
json trace(const Record& record) {
  std::string out;
  append_trace_line(out, record);
  EXPECT_TRUE(out.ends_with("}\n"));
  EXPECT_EQ(std::ranges::count(out, '\n'), 1);
  EXPECT_TRUE(
      std::ranges::none_of(out.substr(0, out.size() - 1), [](char c) { return static_cast<unsigned char>(c) < 32; }));
  auto value = json::parse(out, nullptr, false);
  EXPECT_TRUE(value.is_object()) << out;
  return value;
}

TEST(TraceLine, HoldsEverythingThatIsOnTheRecord) {
  const json wanted = json::parse(R"({
    "time": "2024-07-01T12:00:00.000042Z", "request_id": "req_0123456789abcdef01234567", "endpoint": "chat",
    "stream": true, "model": "fast", "route": "fast", "provider": "openai", "upstream_model": "gpt-4o-mini",
    "attempts": 2, "status": 200, "outcome": "upstream_truncated", "error": "upstream_stream_truncated",
    "detail": "connection closed", "phase": "stream", "finish_reason": "stop",
    "usage": {"input": 11, "output": 7, "cached": 5, "cache_write": 3, "reasoning": 2, "source": "reported",
              "anomalous": true},
    "stages_us": {"parse": 1, "route": 3, "connect": 4, "first_byte": 6, "first_token": 7, "last_token": 9,
                  "total": 10},
    "bytes_in": 100, "bytes_out": 2000, "events": 9, "upstream_request_id": "up-1", "client_request_id": "client-1"})");
  EXPECT_EQ(trace(full_record()), wanted);
}

TEST(TraceLine, LeavesOutWhatNeverHappened) {
  Record record;
  record.started = kStart;
  record.request_id = "req_1";
  const json line = trace(record);
  for (auto name : {"error", "detail", "phase", "finish_reason", "upstream_request_id", "client_request_id"}) {
    EXPECT_FALSE(line.contains(name)) << name;
  }
  EXPECT_EQ(line["stages_us"], json::object());
  EXPECT_EQ(line["outcome"], "ok");
  EXPECT_EQ(line["endpoint"], "none");
  EXPECT_EQ(line["route"], "other");
  EXPECT_EQ(line["usage"]["source"], "none");
  EXPECT_FALSE(line["usage"].contains("anomalous"));
}

TEST(TraceLine, NamesOnlyTheStagesThatWereReached) {
  for (std::size_t reached = 0; reached < kStages; ++reached) {
    Record record;
    record.started = kStart;
    for (std::size_t i = 0; i < reached; ++i) record.reached(static_cast<Stage>(i), kStart + 1ms);
    EXPECT_EQ(trace(record)["stages_us"].size(), reached);
  }
}

TEST(TraceLine, SaysWhereAFailureStoodForEveryPhase) {
  const std::string_view names[] = {"body", "connect", "first_byte", "first_token", "stream", "answer"};
  for (std::size_t i = 0; i < std::size(names); ++i) {
    Record record;
    record.outcome = Outcome::kClientAbort;
    record.phase = static_cast<Phase>(i);
    EXPECT_EQ(trace(record)["phase"], names[i]);
  }
}

TEST(TraceLine, TheTimeIsRightFromLineToLine) {
  Record record;
  for (auto [at, text] : {std::pair{0us, "1970-01-01T00:00:00.000000Z"},
                          {999'999us, "1970-01-01T00:00:00.999999Z"},
                          {1'000'000us, "1970-01-01T00:00:01.000000Z"},
                          {951'782'400'000'000us, "2000-02-29T00:00:00.000000Z"},
                          {1us, "1970-01-01T00:00:00.000001Z"}}) {
    record.time = std::chrono::system_clock::time_point(at);
    EXPECT_EQ(trace(record)["time"], text);
  }
}

constexpr std::string_view kHostile[] = {"\r\nstatus=200",     "\"},{\"a\":\"", "\x1b[2J\x07", "\\",
                                         "${jndi:ldap://x}",   "</script>",     "%s%n",        "\xff\xfe",
                                         "\u2028\u2029\u0085", "\xed\xa0\x80"};

TEST(TraceLine, F17HostileTextStaysInsideItsMember) {
  for (const auto hostile : kHostile) {
    Record record = full_record();
    const auto members = trace(record).size();
    const std::string text(hostile);
    record.model = record.route = record.provider = record.upstream_model = text;
    record.error = record.detail = record.finish_reason = text;
    record.upstream_request_id = record.client_request_id = text;
    const json line = trace(record);
    EXPECT_EQ(line.size(), members) << text;
    EXPECT_EQ(line["status"], 200);
    EXPECT_EQ(line["model"], line["client_request_id"]);
  }
}

std::string log_line(const Record& record) {
  std::string out;
  append_log_line(out, record);
  return out;
}

TEST(LogLine, SaysTheMainThingsForPeople) {
  EXPECT_EQ(log_line(full_record()),
            "2024-07-01T12:00:00.000042Z request req_0123456789abcdef01234567 chat stream model=\"fast\" "
            "provider=openai status=200 outcome=upstream_truncated error=\"upstream_stream_truncated\" ttft_us=7 "
            "total_us=10 tokens=11+7 detail=\"connection closed\"\n");
}

TEST(LogLine, IsOneLineWhateverTheClientOrTheUpstreamSent) {
  for (const auto hostile : kHostile) {
    Record record = full_record();
    record.model = record.upstream_model = record.detail = record.error = hostile;
    record.upstream_request_id = record.client_request_id = record.finish_reason = hostile;
    const auto line = log_line(record);
    EXPECT_EQ(std::ranges::count(line, '\n'), 1) << line;
    EXPECT_EQ(std::ranges::count_if(line, [](char c) { return static_cast<unsigned char>(c) < 32; }), 1) << line;
  }
}

TEST(LogLine, HoldsNoneOfTheClientsTextButTheModel) {
  Record record = full_record();
  record.client_request_id = "canary-of-the-client";
  EXPECT_EQ(log_line(record).find("canary"), std::string::npos);
}

TEST(Record, UntilCountsFromTheStartOfTheRequest) {
  Record record;
  record.started = kStart;
  EXPECT_EQ(record.until(Stage::kTotal), std::nullopt);
  record.reached(Stage::kTotal, kStart + 5ms);
  EXPECT_EQ(record.until(Stage::kTotal), 5ms);
}

}  // namespace
}  // namespace sluice::observe
