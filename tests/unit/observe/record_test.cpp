// The trace line and the log line: one line each, whatever the client or an upstream put into the record.

#include "sluice/observe/record.hpp"

#include <gtest/gtest.h>

#include <sstream>

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
  record.trace = {.high = 10, .low = 11, .span = 12, .parent = 13};
  record.run_id = "run-1";
  record.client_request_id = "client-1";
  record.upstream_request_id = "up-1";
  record.endpoint = Endpoint::kChat;
  record.stream = true;
  record.model = "fast";
  record.route = "fast";
  record.provider = "openai";
  record.upstream_model = "gpt-4o-mini";
  record.attempts = {{.provider = "openai", .target = "openai/gpt", .result = "upstream_timeout", .span = 14},
                     {.provider = "openai", .target = "openai/gpt", .result = "ok", .reused = true, .span = 15}};
  record.status = 200;
  record.outcome = Outcome::kUpstreamTruncated;
  record.error = "upstream_stream_truncated";
  record.detail = "connection closed";
  record.phase = Phase::kStream;
  record.finish_reason = "stop";
  record.key = "app-1";
  record.group = "acme/search";
  static const std::map<std::string, std::string> kTags = {{"feature", "search"}, {"team", "\"x\""}};
  record.tags = &kTags;
  record.cost = Money::nanodollars(10'500'000);
  record.limit = "group acme requests/minute";
  record.observed = "key app-1 budget/month";
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

// The request's line as JSON.
json trace(const Record& record) {
  std::string out;
  append_trace_lines(out, record);
  EXPECT_TRUE(out.ends_with("}\n"));
  out.resize(out.find('\n') + 1);
  EXPECT_TRUE(
      std::ranges::none_of(out.substr(0, out.size() - 1), [](char c) { return static_cast<unsigned char>(c) < 32; }));
  auto value = json::parse(out, nullptr, false);
  EXPECT_TRUE(value.is_object()) << out;
  return value;
}

TEST(TraceLine, HoldsEverythingThatIsOnTheRecord) {
  const json wanted = json::parse(R"({
    "time": "2024-07-01T12:00:00.000042Z", "schema": 1, "event": "request",
    "trace_id": "000000000000000a000000000000000b", "span_id": "000000000000000c", "parent_id": "000000000000000d",
    "run_id": "run-1", "request_id": "req_0123456789abcdef01234567", "endpoint": "chat",
    "stream": true, "model": "fast", "route": "fast", "provider": "openai", "upstream_model": "gpt-4o-mini",
    "attempts": 2, "status": 200, "outcome": "upstream_truncated", "error": "upstream_stream_truncated",
    "detail": "connection closed", "phase": "stream", "finish_reason": "stop",
    "key": "app-1", "group": "acme/search", "tags": {"feature": "search", "team": "\"x\""}, "cost_usd": 0.0105,
    "limit": "group acme requests/minute", "observed": "key app-1 budget/month",
    "usage": {"input": 11, "output": 7, "cached": 5, "cache_write": 3, "reasoning": 2, "source": "reported",
              "anomalous": true},
    "ttft_us": 19, "duration_us": 24, "gateway_us": 9, "provider_us": 9,
    "ledger_us": {"accept": 1, "auth": 1, "body": 1, "parse": 1, "admit": 1, "queue": 1, "cache": 1, "route": 1,
                  "retry": 1, "connect": 1, "tls": 1, "first_byte": 1, "first_token": 1, "generation": 1, "relay": 1,
                  "settle": 1},
    "bytes_in": 100, "bytes_out": 2000, "events": 9, "upstream_request_id": "up-1", "client_request_id": "client-1"})");
  EXPECT_EQ(trace(full_record()), wanted);
}

TEST(TraceLine, HoldsContentWhereThereIsAny) {
  Record record = full_record();
  Content content;
  content.input_hash = "00112233445566778899aabbccddeeff";
  record.content = std::make_shared<Content>(content);
  json line = trace(record);
  EXPECT_EQ(line["input_hash"], content.input_hash);
  for (const char* name : {"input", "output", "truncated", "redactions"}) EXPECT_FALSE(line.contains(name)) << name;
  content.has_text = content.truncated = true;
  content.input = std::string(5000, 'x') + "\n\"\xE2\x80\xA8";
  content.redactions = {{"email", 2}};
  record.content = std::make_shared<Content>(content);
  line = trace(record);
  EXPECT_EQ(line["input"], content.input) << "however long";
  EXPECT_EQ(line["output"], "");
  EXPECT_EQ(line["truncated"], true);
  EXPECT_EQ(line["redactions"], json({{"email", 2}}));
  std::string log;
  append_log_line(log, record);
  EXPECT_EQ(log.find("xxx"), std::string::npos);
}

std::vector<json> lines_of(const Record& record) {
  std::string out;
  const std::size_t count = append_trace_lines(out, record);
  std::vector<json> lines;
  std::istringstream text(out);
  for (std::string line; std::getline(text, line);) lines.push_back(json::parse(line, nullptr, false));
  EXPECT_EQ(lines.size(), count);
  return lines;
}

TEST(TraceLine, AttemptsAndLimitsHaveLinesOfTheirOwn) {
  Record record = full_record();
  record.attempts[0].began = kStart + 1ms;
  record.attempts[0].ended = kStart + 4ms;
  record.attempts[1].began = kStart + 5ms;
  record.attempts[1].connected = kStart + 6ms;
  record.attempts[1].first_byte = kStart + 8ms;
  record.attempts[1].ended = kStart + 9ms;
  const auto lines = lines_of(record);
  ASSERT_EQ(lines.size(), 5U);
  for (const json& line : lines) {
    EXPECT_EQ(line["trace_id"], "000000000000000a000000000000000b");
    EXPECT_EQ(line["request_id"], "req_0123456789abcdef01234567");
    EXPECT_EQ(line["run_id"], "run-1");
    EXPECT_EQ(line["schema"], 1);
  }
  EXPECT_EQ(lines[1]["event"], "attempt");
  EXPECT_EQ(lines[1]["time"], "2024-07-01T12:00:00.001042Z");
  EXPECT_EQ(lines[1]["parent_id"], "000000000000000c");
  EXPECT_EQ(lines[1]["span_id"], "000000000000000e");
  EXPECT_EQ(lines[1]["result"], "upstream_timeout");
  EXPECT_EQ(lines[1]["duration_us"], 3000);
  EXPECT_FALSE(lines[1].contains("first_byte_us"));
  EXPECT_EQ(lines[2]["number"], 2);
  EXPECT_EQ(lines[2]["connect_us"], 1000);
  EXPECT_EQ(lines[2]["first_byte_us"], 3000);
  EXPECT_EQ(lines[3]["event"], "limit");
  EXPECT_EQ(lines[3]["result"], "refused");
  EXPECT_EQ(lines[4]["limit"], "key app-1 budget/month");
  record.attempts.erase(record.attempts.begin());
  record.limit = record.observed = "";
  EXPECT_EQ(lines_of(record).size(), 1U) << "of one attempt that went well the request's line says everything";
}

TEST(Ledger, StagesAddUpToTheWholeAndEachHasAnOwner) {
  const Record record = full_record();
  const Spent spent = record.spent();
  nanoseconds sum{0}, shares{0};
  for (const nanoseconds span : spent.stages) sum += span;
  for (const nanoseconds span : spent.shares) shares += span;
  EXPECT_EQ(sum, *record.until(Stage::kTotal));
  EXPECT_EQ(shares, sum);
}

TEST(Ledger, WhatOtherTargetsTookIsNotTheGateways) {
  Record record;
  record.started = kStart;
  record.reached(Stage::kAdmit, kStart + 1ms);
  record.asks(kStart + 2ms);
  record.reached(Stage::kConnect, kStart + 3ms);
  record.reached(Stage::kFirstByte, kStart + 50ms);
  record.asks(kStart + 60ms);
  record.reached(Stage::kFirstByte, kStart + 70ms);
  record.reached(Stage::kTotal, kStart + 71ms);
  const Spent spent = record.spent();
  EXPECT_EQ(spent.of(Stage::kRetry), 58ms);
  EXPECT_EQ(spent.of(Stage::kConnect), 0ms);
  EXPECT_EQ(spent.of(Share::kGateway), 3ms);
  EXPECT_EQ(spent.of(Share::kProvider), 68ms);
}

TEST(Ledger, ServerTimingTellsMilliseconds) {
  Record record;
  record.started = kStart;
  record.reached(Stage::kParse, kStart + 1234us);
  record.asks(kStart + 1300us);
  record.reached(Stage::kFirstToken, kStart + 31'305us);
  EXPECT_EQ(server_timing(record),
            "parse;dur=1.234, route;dur=0.066, first_token;dur=30.005, gateway;dur=1.300, provider;dur=30.005");
}

TEST(TraceLine, LeavesOutWhatNeverHappened) {
  Record record;
  record.started = kStart;
  record.request_id = "req_1";
  const json line = trace(record);
  for (auto name : {"error", "detail", "phase", "finish_reason", "upstream_request_id", "client_request_id", "key",
                    "group", "tags", "cost_usd", "limit", "observed"}) {
    EXPECT_FALSE(line.contains(name)) << name;
  }
  EXPECT_EQ(line["ledger_us"], json::object());
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
    EXPECT_EQ(trace(record)["ledger_us"].size(), reached);
  }
}

TEST(TraceLine, SaysWhereAFailureStoodForEveryPhase) {
  const std::string_view names[] = {"body", "queue", "connect", "first_byte", "first_token", "stream", "answer"};
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

const std::string kHostile[] = {"\r\nstatus=200",
                                "\"},{\"a\":\"",
                                "\x1b[2J\x07",
                                "\x1b]0;title\x07\x9b"
                                "2J",
                                "\\",
                                "${jndi:ldap://x}",
                                "</script>",
                                "%s%n",
                                "\xff\xfe",
                                std::string("\0a\0", 3),
                                "\xc0\x80\xf4\x90\x80\x80\xe2\x80",
                                "\u2028\u2029\u0085",
                                "\xed\xa0\x80",
                                std::string(64 * 1024, 'x'),
                                std::string(64 * 1024, '\n'),
                                std::string(64 * 1024, '\x80')};

TEST(TraceLine, F17HostileTextStaysInsideItsMember) {
  for (const auto& hostile : kHostile) {
    Record record = full_record();
    const auto members = trace(record).size();
    const std::string& text = hostile;
    record.model = record.route = record.provider = record.upstream_model = text;
    record.error = record.detail = record.finish_reason = text;
    record.upstream_request_id = record.client_request_id = text;
    record.attempts = {{text, text, "ok"}};
    const json line = trace(record);
    EXPECT_EQ(line.size(), members) << text;
    EXPECT_EQ(line["status"], 200);
    EXPECT_EQ(line["model"], line["client_request_id"]);
  }
}

std::string encoded(unsigned code) {
  const auto byte = [](unsigned value) { return static_cast<char>(value); };
  if (code < 0x80) return {byte(code)};
  if (code < 0x800) return {byte(0xC0 | code >> 6), byte(0x80 | (code & 0x3F))};
  return {byte(0xE0 | code >> 12), byte(0x80 | (code >> 6 & 0x3F)), byte(0x80 | (code & 0x3F))};
}

// Sixteen to a line, in every member that holds a client's or an upstream's words.
TEST(TraceLine, F17EveryCodePointOfTheBmpStaysInItsLine) {
  std::string out;
  for (unsigned first = 0; first < 0x10000; first += 16) {
    std::string text, wanted;
    for (unsigned code = first; code < first + 16; ++code) {
      text += encoded(code);
      wanted += code >= 0xD800 && code <= 0xDFFF ? "\uFFFD\uFFFD\uFFFD" : encoded(code);
    }
    Record record;
    record.outcome = Outcome::kUpstreamError;
    record.model = record.client_request_id = record.upstream_request_id = text;
    record.error = record.detail = record.finish_reason = text;
    out.clear();
    append_trace_lines(out, record);
    ASSERT_EQ(out.find('\n'), out.size() - 1) << std::hex << first;
    const auto line = json::parse(out, nullptr, false);
    ASSERT_TRUE(line.is_object()) << std::hex << first << " " << out;
    for (auto member : {"model", "client_request_id", "upstream_request_id", "error", "detail", "finish_reason"}) {
      ASSERT_EQ(line[member], wanted) << std::hex << first << " " << member;
    }
    out.clear();
    append_log_line(out, record);
    ASSERT_EQ(out.find('\n'), out.size() - 1) << std::hex << first;
    ASSERT_TRUE(std::all_of(out.begin(), out.end() - 1, [](char c) { return c < 0 || c >= 32; })) << std::hex << first;
  }
}

TEST(TraceLine, J13LongTextIsCutAndSaysSo) {
  Record record = full_record();
  const auto usual = trace(record).dump().size();
  record.detail = record.finish_reason = record.error = std::string(1'000'000, 'x');
  const json line = trace(record);
  EXPECT_EQ(line["detail"], std::string(512, 'x') + "…");
  EXPECT_LT(line.dump().size(), usual + 3 * 520);
  record.detail = std::string(511, 'x') + "\u20ac";
  EXPECT_EQ(trace(record)["detail"], std::string(511, 'x') + "…") << "never in the middle of a character";
}

std::string log_line(const Record& record) {
  std::string out;
  append_log_line(out, record);
  return out;
}

TEST(LogLine, SaysTheMainThingsForPeople) {
  EXPECT_EQ(log_line(full_record()),
            "2024-07-01T12:00:00.000042Z request req_0123456789abcdef01234567 chat stream model=\"fast\" "
            "key=app-1 provider=openai status=200 outcome=upstream_truncated error=\"upstream_stream_truncated\" "
            "limit=\"group acme requests/minute\" ttft_us=19 total_us=24 tokens=11+7 cost_usd=0.0105 "
            "detail=\"connection closed\"\n");
}

TEST(LogLine, IsOneLineWhateverTheClientOrTheUpstreamSent) {
  for (const auto& hostile : kHostile) {
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

TEST(Record, F77AnIdIsKeptOnlyIfItLooksLikeOne) {
  for (const std::string id : {"", "req_0f", "9b1d-4c:x", "a=b+c/d.e", "ABC"}) EXPECT_EQ(recorded_id(id), id);
  EXPECT_EQ(recorded_id(std::string(128, 'a')).size(), 128U);
  for (const std::string text : {"tell me a story", "a\"b", "a\nb", "\x1b[2J", "é", "${x}", "a;b", "<b>"}) {
    EXPECT_EQ(recorded_id(text), "") << text;
  }
  EXPECT_EQ(recorded_id(std::string(129, 'a')), "");
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
