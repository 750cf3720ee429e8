// One request, one record: the trace line and the metrics of every way a request can end.

#include <cstdlib>

#include "integration/fixture.hpp"
#include "support/client_keys.hpp"

namespace sluice::integration {
namespace {

using Record = GatewayTest;

TEST_F(Record, ATraceLineTellsTheWholeStory) {
  upstream_.on(kChat).header("x-request-id", "req_upstream").json(chat_answer());
  start();
  const std::string body = chat_body();
  const Response response = ask(body, "x-client-request-id: mine-1\r\n");
  const json line = only_trace_line();
  EXPECT_TRUE(line["time"].is_string());
  EXPECT_EQ(line["request_id"], response.header("x-request-id"));
  EXPECT_EQ(line["endpoint"], "chat");
  EXPECT_EQ(line["stream"], false);
  EXPECT_EQ(line["model"], "m");
  EXPECT_EQ(line["route"], "m");
  EXPECT_EQ(line["provider"], "up");
  EXPECT_EQ(line["upstream_model"], "upstream-model");
  EXPECT_EQ(line["attempts"], 1);
  EXPECT_EQ(line["status"], 200);
  EXPECT_EQ(line["outcome"], "ok");
  EXPECT_FALSE(line.contains("error"));
  EXPECT_EQ(line["finish_reason"], "stop");
  EXPECT_EQ(line["usage"]["input"], 12);
  EXPECT_EQ(line["usage"]["output"], 7);
  EXPECT_EQ(line["usage"]["cached"], 4);
  EXPECT_EQ(line["usage"]["reasoning"], 3);
  EXPECT_EQ(line["usage"]["source"], "reported");
  EXPECT_EQ(line["bytes_in"], body.size());
  EXPECT_EQ(line["bytes_out"], response.body.size());
  EXPECT_EQ(line["upstream_request_id"], "req_upstream");
  EXPECT_EQ(line["client_request_id"], "mine-1");
}

TEST_F(Record, StagesAddUp) {
  upstream_.on(kChat).stream(chat_stream_with_usage({"a", "b"})).delay(30ms).event_gap(10ms);
  start();
  const Response response = ask(stream_body("any-x"));
  const json line = only_trace_line();
  const json ledger = line["ledger_us"];
  std::int64_t sum = 0;
  for (const char* stage : {"accept", "auth", "body", "parse", "admit", "route", "connect", "first_byte", "first_token",
                            "generation", "relay", "settle"}) {
    ASSERT_TRUE(ledger.contains(stage)) << stage << " in " << ledger;
    EXPECT_GE(ledger[stage].get<std::int64_t>(), 0) << stage << " in " << ledger;
    sum += ledger[stage].get<std::int64_t>();
  }
  EXPECT_LE(std::abs(line["duration_us"].get<std::int64_t>() - sum), 12) << "each is cut to whole microseconds";
  EXPECT_GE(ledger["first_byte"], 30'000);
  EXPECT_GE(line["ttft_us"], 30'000);
  EXPECT_GE(line["provider_us"], 40'000);
  EXPECT_LT(line["gateway_us"], line["duration_us"].get<std::int64_t>() - 40'000);
  EXPECT_EQ(line["stream"], true);
  EXPECT_EQ(line["model"], "any-x");
  EXPECT_EQ(line["route"], "any-*");
  EXPECT_EQ(line["upstream_model"], "any-x");
  EXPECT_EQ(line["events"], response.events.size());
  EXPECT_EQ(line["bytes_out"], response.body.size());
}

TEST_F(Record, ATraceGoesOnThroughTheGateway) {
  upstream_.on(kChat).json(chat_answer());
  start();
  const std::string trace = "4bf92f3577b34da6a3ce929d0e0e4736";
  ask(chat_body(), "traceparent: 00-" + trace + "-00f067aa0ba902b7-01\r\ntracestate: a=b\r\n");
  const json line = only_trace_line();
  EXPECT_EQ(line["trace_id"], trace);
  EXPECT_EQ(line["parent_id"], "00f067aa0ba902b7");
  const Head head = upstream_.request(0).head;
  const std::string told = head.get("traceparent");
  EXPECT_TRUE(told.starts_with("00-" + trace + "-") && told.ends_with("-01")) << told;
  EXPECT_EQ(told.find("00f067aa0ba902b7"), std::string::npos) << "the upstream is asked by us, in a span of its own";
  EXPECT_EQ(told.find(line["span_id"].get<std::string>()), std::string::npos);
  EXPECT_EQ(head.get("tracestate"), "a=b");
  ask(chat_body(), "tracestate: a=b\r\n");
  const Head alone = upstream_.request(1).head;
  EXPECT_EQ(alone.count("traceparent"), 1U);
  EXPECT_EQ(alone.count("tracestate"), 0U) << "which says nothing without the trace";
}

TEST_F(Record, AttemptsThatFailedAreLinesOfTheSameTrace) {
  upstream_.on(kChat).status(500).json("{}");
  Scenario two;
  two.models = "m: {targets: [up/a, up/b]}";
  start(two);
  ask(chat_body("m"));
  const json line = only_trace_line();
  const auto attempts = gateway().events("attempt", 2);
  ASSERT_EQ(attempts.size(), 2U);
  for (const json& attempt : attempts) {
    EXPECT_EQ(attempt["trace_id"], line["trace_id"]);
    EXPECT_EQ(attempt["parent_id"], line["span_id"]);
    EXPECT_EQ(attempt["request_id"], line["request_id"]);
    EXPECT_EQ(attempt["result"], "upstream_error");
    EXPECT_GE(attempt["duration_us"], attempt["first_byte_us"]);
  }
  EXPECT_NE(attempts[0]["span_id"], attempts[1]["span_id"]);
  EXPECT_TRUE(line["ledger_us"].contains("retry"));
  EXPECT_GE(gateway().metrics().sum("sluice_errors_total", {"origin=\"provider\"", "class=\"transient\""}), 1);
}

TEST_F(Record, ClientsAreToldWhatTookHowLongIfTheyMayKnow) {
  upstream_.on(kChat).stream(chat_stream({"a"})).delay(20ms);
  start({.server = "server_timing: true"});
  const Response response = ask(stream_body("any-x"));
  const std::string timing = response.header("server-timing");
  EXPECT_NE(timing.find("parse;dur="), std::string::npos) << timing;
  EXPECT_NE(timing.find("provider;dur="), std::string::npos) << timing;
  stop();
  start();
  EXPECT_EQ(ask(stream_body("any-x")).header("server-timing"), "");
}

TEST_F(Record, TheTraceTellsWhichConfigurationIsInForce) {
  start();
  const auto first = gateway().events("config", 1);
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(first[0]["result"], "ok");
  gateway().replace_config("models: [");
  gateway().signal(SIGHUP);
  const auto both = gateway().events("config", 2);
  ASSERT_EQ(both.size(), 2U);
  EXPECT_EQ(both[1]["result"], "refused");
  EXPECT_EQ(both[1]["hash"], first[0]["hash"]);
  EXPECT_TRUE(both[1].contains("problem"));
}

TEST_F(Record, TheTraceTellsOfBudgetsThatReachAThreshold) {
  const ClientKey app = client_key(1);
  upstream_.on(kChat).json(chat_answer());
  start({.models = "m: up/upstream-model",
         .more = "prices: {rows: [{model: \"*\", input: 1 USD, output: 2 USD}]}\nstate: {path: \"{DIR}/sluice.db\"}\n"
                 "keys: [" +
                 app.row("app-1", "limits: {budget: {limit: 0.0001 USD/day, alerts: [20%, 90%]}}") + "]\n"});
  ask(chat_body("m", R"("max_tokens":7)"), app.bearer());
  const auto alerts = gateway().events("alert", 1);
  ASSERT_EQ(alerts.size(), 1U);
  EXPECT_EQ(alerts[0]["budget"], "key app-1");
  EXPECT_EQ(alerts[0]["percent"], 20);
  EXPECT_EQ(alerts[0]["used_usd"], 0.000026);
  EXPECT_EQ(alerts[0]["limit_usd"], 0.0001);
  EXPECT_EQ(alerts[0]["period"], "day");
}

TEST_F(Record, EveryOutcomeIsTracedAndCountedOnce) {
  upstream_.on_model("any-ok").json(chat_answer());
  upstream_.on_model("any-cut").stream({role_chunk()}).without_last_chunk();
  upstream_.on_model("any-error").status(500).json("{}");
  upstream_.on_model("any-slow").hang();
  upstream_.on_model("any-left").hang();
  upstream_.on_model("any-flood")
      .stream({role_chunk()})
      .repeat_forever("data: " + text_chunk(std::string(9'999, 'x')) + "\n\n");
  start({.timeouts = "first_byte: 500ms, first_token: 500ms", .limits = "write_timeout: 500ms"});
  EXPECT_EQ(ask(chat_body("any-ok")).status, 200);
  EXPECT_EQ(ask(stream_body("any-cut")).status, 200);
  EXPECT_EQ(ask(chat_body("any-error")).status, 502);
  EXPECT_EQ(ask(chat_body("any-slow")).status, 504);
  EXPECT_EQ(ask(chat_body("unknown")).status, 404);
  RawClient left = client();
  left.send(post_request(kChat, chat_body("any-left")));
  ASSERT_TRUE(upstream_.wait_for_requests(5));
  left.close();
  RawClient stalled = client(4096);
  stalled.send(post_request(kChat, stream_body("any-flood")));
  std::map<std::string, int> outcomes;
  for (const json& line : gateway().trace(7, 15s)) ++outcomes[line["outcome"]];
  const std::map<std::string, int> expected = {
      {"ok", 1},       {"upstream_truncated", 1}, {"upstream_error", 1}, {"timeout", 1},
      {"rejected", 1}, {"client_abort", 1},       {"client_stalled", 1}};
  EXPECT_EQ(outcomes, expected);
  const Metrics metrics = gateway().metrics();
  for (const auto& [outcome, count] : expected) {
    EXPECT_EQ(metrics.sum("sluice_requests_total", {"outcome=\"" + outcome + "\""}), count) << outcome;
  }
}

TEST_F(Record, HeadsThatCannotBeBelievedAreCountedApart) {
  start();
  EXPECT_TRUE(
      is_error(fetch(gateway().port(), "GET /v1/models HTTP/1.1\r\nhost : a\r\n\r\n"), 400, "malformed_request"));
  EXPECT_EQ(get("/nothing").status, 404);
  EXPECT_TRUE(eventually([&] { return gateway().metrics().sum("sluice_http_rejects_total") == 1; }));
  EXPECT_LE(gateway().trace().size(), 1U);
}

TEST_F(Record, TheIdOfTheAnswerIsTheIdOfTheTrace) {
  upstream_.on(kChat).status(500).json("{}");
  start();
  const std::vector<std::string> ids = {ask(chat_body()).header("x-request-id"), ask("{").header("x-request-id"),
                                        ask(chat_body("nope")).header("x-request-id")};
  const auto lines = gateway().trace(3);
  ASSERT_EQ(lines.size(), 3U);
  for (std::size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(lines[i]["request_id"], ids[i]);
}

TEST_F(Record, F76MetricsAreAValidExposition) {
  upstream_.on(kChat).stream(chat_stream_with_usage({"a"}));
  start();
  ask(stream_body());
  ask(chat_body("nope"));
  const Response scrape = gateway().admin("/metrics");
  EXPECT_EQ(scrape.status, 200);
  if (std::system("command -v promtool >/dev/null 2>&1") != 0) GTEST_SKIP() << "promtool is not installed";
  const TempDir directory;
  directory.write("metrics.txt", scrape.body);
  EXPECT_EQ(std::system(("promtool check metrics < " + directory.path("metrics.txt")).c_str()), 0);
}

TEST_F(Record, TokensAndEventsAreCounted) {
  upstream_.on(kChat).stream(chat_stream_with_usage({"a"}));
  start();
  ask(stream_body());
  const Metrics metrics = gateway().metrics();
  EXPECT_EQ(metrics.sum("sluice_tokens_total", {"\"input\""}), 12);
  EXPECT_EQ(metrics.sum("sluice_tokens_total", {"\"output\""}), 7);
  EXPECT_EQ(metrics.sum("sluice_stream_events_total"), 4);
  EXPECT_EQ(metrics.sum("gen_ai_server_request_duration_seconds_count"), 1);
  EXPECT_EQ(metrics.sum("gen_ai_server_time_to_first_token_seconds_count"), 1);
}

}  // namespace
}  // namespace sluice::integration
