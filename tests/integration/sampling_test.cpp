// A sampled trace: what it must not lack, and what its lines stand for.

#include "integration/fixture.hpp"

#include <set>

namespace sluice::integration {
namespace {

using Sampling = GatewayTest;

Scenario sampled(const std::string& rules, const std::string& more = "") {
  return {.trace = "path: {DIR}/trace.jsonl, sample: {" + rules + "}", .more = more};
}

std::string traceparent(int number) {
  char text[80];
  std::snprintf(text, sizeof text, "traceparent: 00-%032x-00f067aa0ba902b7-01\r\n", number + 1);
  return text;
}

TEST_F(Sampling, WhatWentWellIsLeftOutAndWhatDidNotIsKept) {
  upstream_.on_model("any-ok").json(chat_answer());
  upstream_.on_model("any-error").status(500).json("{}");
  start(sampled("rate: 0%"));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(ask(chat_body("any-ok")).status, 200);
  EXPECT_EQ(ask(chat_body("any-error")).status, 502);
  EXPECT_EQ(ask(chat_body("unknown")).status, 404);
  const auto lines = gateway().trace(2);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0]["outcome"], "upstream_error");
  EXPECT_EQ(lines[1]["outcome"], "rejected");
  for (const json& line : lines) EXPECT_FALSE(line.contains("sample_rate")) << "it stands for itself";
  EXPECT_TRUE(eventually([&] { return gateway().metrics().sum("sluice_trace_sampled_out_total") == 5; }));
  EXPECT_EQ(gateway().metrics().sum("sluice_requests_total"), 7) << "which is of all";
}

TEST_F(Sampling, WhatIsSlowOrDearIsKept) {
  upstream_.on_model("any-slow").json(chat_answer()).delay(100ms);
  upstream_.on_model("any-late").stream(chat_stream({"a"})).delay(60ms);
  upstream_.on_model("any-ok").json(chat_answer());
  upstream_.on_model("dear").json(chat_answer());
  Scenario scenario =
      sampled("rate: 0%, slow: 90ms, slow_first_token: 50ms, cost: 0.00001 USD",
              "prices: {rows: [{model: dear, input: 1 USD, output: 1 USD}, {model: \"*\", input: 0 USD, "
              "output: 0 USD}]}\n");
  scenario.models += ", dear: up/dear";
  start(scenario);
  for (const char* model : {"any-slow", "any-ok", "dear"}) EXPECT_EQ(ask(chat_body(model)).status, 200);
  EXPECT_EQ(ask(stream_body("any-late")).status, 200);
  std::set<std::string> kept;
  for (const json& line : gateway().trace(3)) kept.insert(line["model"]);
  EXPECT_TRUE(kept.contains("any-slow"));
  EXPECT_TRUE(kept.contains("dear"));
  EXPECT_TRUE(kept.contains("any-late"));
  EXPECT_FALSE(kept.contains("any-ok") && kept.size() < 4) << "unless the machine was so slow that all were";
}

// The same traces at two gateways, each trace with two requests.
TEST_F(Sampling, ReplicasKeepTheSameTracesAndEachAsAWhole) {
  upstream_.on(kChat).json(chat_answer());
  const Scenario scenario = sampled("rate: 30%, slow: 0s");
  std::map<std::string, int> kept[2];
  const int traces = scaled(60);
  for (auto& of_one : kept) {
    start(scenario);
    RawClient one = client();
    for (int i = 0; i < 2 * traces; ++i) {
      ASSERT_TRUE(one.send(post_request(kChat, chat_body(), traceparent(i % traces))));
      ASSERT_EQ(one.read_response().status, 200);
    }
    ASSERT_TRUE(eventually([&] {
      const Metrics metrics = gateway().metrics();
      return metrics.sum("sluice_trace_sampled_out_total") + static_cast<double>(gateway().trace().size()) ==
             2 * traces;
    }));
    for (const json& line : gateway().trace()) {
      EXPECT_EQ(line["sample_rate"], 0.3);
      ++of_one[line["trace_id"]];
    }
    TearDown();
  }
  EXPECT_EQ(kept[0], kept[1]);
  EXPECT_GT(kept[0].size(), 0U);
  EXPECT_LT(kept[0].size(), static_cast<std::size_t>(traces));
  for (const auto& [trace, count] : kept[0]) EXPECT_EQ(count, 2) << trace;
}

TEST_F(Sampling, AReloadChangesTheRate) {
  upstream_.on(kChat).json(chat_answer());
  Scenario scenario = sampled("rate: 0%");
  start(scenario);
  ask(chat_body());
  ASSERT_TRUE(eventually([&] { return gateway().metrics().sum("sluice_trace_sampled_out_total") == 1; }));
  scenario.trace = "path: {DIR}/trace.jsonl";
  gateway().replace_config(config_text(scenario, upstream_.url()));
  gateway().signal(SIGHUP);
  ASSERT_EQ(gateway().events("config", 2).size(), 2U);
  ask(chat_body());
  const json line = only_trace_line();
  EXPECT_EQ(line["outcome"], "ok");
  EXPECT_FALSE(line.contains("sample_rate"));
}

}  // namespace
}  // namespace sluice::integration
