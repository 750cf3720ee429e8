// Runs of agents: what they use up together, and how they are stopped.

#include <atomic>
#include <csignal>
#include <thread>

#include "integration/fixture.hpp"
#include "support/client_keys.hpp"
#include "support/redis_server.hpp"

namespace sluice::integration {
namespace {

const ClientKey kApp = client_key(1);
const ClientKey kOther = client_key(2);

class GuardRun : public GatewayTest {
 protected:
  void start_with(const std::string& guard, const std::string& more = "") {
    start({.more = (guard.empty() ? "" : "guard: {" + guard + "}\n") + more});
  }
  static std::string run(const std::string& id, const std::string& more = "") {
    return "x-sluice-run-id: " + id + "\r\n" + more;
  }
  // A request that no other one equals.
  Response turn(const std::string& id, const std::string& more = "") {
    return ask(chat_body("m", "\"seed\":" + std::to_string(++seed_)), run(id, more));
  }
  static std::string cap_of(const Response& response) {
    const json guard = json::parse(response.body)["error"]["run_guard"];
    return guard["cap"].get<std::string>() + " " + guard["limit"].dump() + " " + guard["used"].dump();
  }
  // Once what is on its way has been settled: the gateway counts a turn's cost after its answer.
  void expect_stopped_by(const std::string& id, const std::string& cap, const std::string& more = "") {
    const Response response = turn(id, more);
    EXPECT_TRUE(is_error(response, 429, "run_stopped"));
    EXPECT_EQ(cap_of(response), cap);
    EXPECT_EQ(response.header("x-should-retry"), "false");
    EXPECT_EQ(response.header("retry-after"), "");
  }

  int seed_ = 0;
};

TEST_F(GuardRun, TheDefaultsAreATripwire) {
  upstream_.on(kChat).json(chat_answer());
  start();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(turn("a", "x-request-source: x\r\n").status, 200) << i;
  const Response refused = turn("a");
  EXPECT_TRUE(is_error(refused, 429, "run_stopped"));
  EXPECT_EQ(cap_of(refused), "turns 3 3");
  EXPECT_NE(json::parse(refused.body)["error"]["message"].get<std::string>().find("'a' was stopped"),
            std::string::npos);
  EXPECT_EQ(turn("b").status, 200) << "another run";
  EXPECT_EQ(upstream_.requests().size(), 4U);
  EXPECT_EQ(upstream_.request(0).head.get("x-sluice-run-id"), "") << "of no concern to the upstream";

  const json line = gateway().trace(5)[3];
  EXPECT_EQ(line["run_id"], "a");
  EXPECT_EQ(line["error"], "run_stopped");
  EXPECT_EQ(line["outcome"], "rate_limited");
  const json event = gateway().events("guard", 1)[0];
  EXPECT_EQ(event["run_id"], "a");
  EXPECT_EQ(event["request_id"], refused.header("x-request-id"));
  EXPECT_EQ(event["result"], "refused");
  EXPECT_EQ(event["cap"], "turns");
  EXPECT_EQ(event["limit"], 3);
  EXPECT_EQ(event["used"], 3);
  const auto metrics = gateway().metrics();
  EXPECT_EQ(metrics.sum("sluice_run_guard_total", {R"(cap="turns")", R"(result="refused")"}), 1);
  EXPECT_EQ(metrics.sum("sluice_run_requests_total"), 5);
}

TEST_F(GuardRun, MetadataNamesARunAsWell) {
  upstream_.on(kChat).json(chat_answer());
  start_with("turns: 1, headers: [x-agent-session]");
  const std::string body = chat_body("m", R"("metadata":{"run_id":"from-body"})");
  EXPECT_EQ(ask(body).status, 200);
  EXPECT_TRUE(is_error(ask(body), 429, "run_stopped"));
  EXPECT_EQ(ask(body, "x-agent-session: s-1\r\n").status, 200) << "the header comes first";
  EXPECT_EQ(ask(chat_body(), "x-sluice-run-id: from-body\r\n").status, 200) << "not configured here";
  EXPECT_EQ(gateway().trace(4)[2]["run_id"], "s-1");
}

TEST_F(GuardRun, NamesThatAreNoneAreRefused) {
  start();
  EXPECT_TRUE(is_error(ask(chat_body("m", R"("metadata":{"run_id":7})")), 400, "invalid_value"));
  EXPECT_TRUE(is_error(turn(std::string(513, 'r')), 400, "invalid_value"));
  const Response response = turn("a", "x-sluice-run-max-turns: many\r\n");
  EXPECT_TRUE(is_error(response, 400, "invalid_value"));
  EXPECT_EQ(json::parse(response.body)["error"]["param"], "x-sluice-run-max-turns");
  EXPECT_EQ(upstream_.requests().size(), 0U);
}

TEST_F(GuardRun, HostileNamesStayInOneLine) {
  upstream_.on(kChat).json(chat_answer());
  start_with("turns: 1");
  const std::string body = chat_body("m", R"("metadata":{"run_id":"a\"\n\u001b[31m\u2028}"})");
  EXPECT_EQ(ask(body).status, 200);
  EXPECT_TRUE(is_error(ask(body), 429, "run_stopped"));
  EXPECT_EQ(gateway().trace(2)[1]["run_id"], "a\"\n\x1b[31m\xE2\x80\xA8}");
}

TEST_F(GuardRun, CostIsReckonedWithoutAPriceTable) {
  upstream_.on(kChat).json(chat_answer());
  start_with("turns: none, cost: 0.001 USD");
  EXPECT_EQ(turn("a").status, 200);  // 12 in, 7 out at 15 and 75 dollars per million: 0.000705
  EXPECT_EQ(turn("a").status, 200);
  ASSERT_TRUE(eventually([&] { return gateway().trace(2).size() == 2; }));
  expect_stopped_by("a", "cost_usd 0.001 0.00141");
  EXPECT_EQ(turn("b").status, 200);
  EXPECT_FALSE(gateway().trace(4)[0]["cost_usd"].is_null());
}

TEST_F(GuardRun, TokensOfStreamsCount) {
  upstream_.on(kChat).stream(chat_stream_with_usage({"a", "b"}));
  start_with("turns: none, tokens: 20");
  EXPECT_EQ(ask(stream_body(), run("a")).status, 200);
  EXPECT_EQ(ask(stream_body(), run("a")).status, 200);
  ASSERT_TRUE(eventually([&] { return gateway().trace(2).size() == 2; }));
  expect_stopped_by("a", "tokens 20 38");
}

TEST_F(GuardRun, TheSameRequestOverAndOver) {
  upstream_.on(kChat).json(chat_answer());
  start_with("turns: none, same_request: 2");
  const std::string body = R"({"model":"m","messages":[{"role":"user","content":"again"}],"user":"u"})";
  const std::string spelled = R"({"user":"v", "messages":[{"content":"again","role":"user"}], "model":"m"})";
  EXPECT_EQ(ask(body, run("a")).status, 200);
  EXPECT_EQ(ask(spelled, run("a")).status, 200);
  const Response refused = ask(body, run("a"));
  EXPECT_TRUE(is_error(refused, 429, "run_stopped"));
  EXPECT_EQ(cap_of(refused), "same_request 2 2");
  EXPECT_EQ(turn("a").status, 200) << "another one";
}

TEST_F(GuardRun, TheSameToolCallOverAndOver) {
  upstream_.on(kChat).json(tool_call_answer("search", R"({"q": "cats", "n": 1})"));
  start_with("turns: none, same_request: none, same_tool_call: 2");
  const std::string tools = R"("tools":[{"type":"function","function":{"name":"search"}}])";
  for (int i = 0; i < 3; ++i) EXPECT_EQ(ask(chat_body("m", tools), run("a")).status, 200) << i;
  ASSERT_TRUE(eventually([&] { return gateway().trace(3).size() == 3; }));
  const Response refused = ask(chat_body("m", tools), run("a"));
  EXPECT_TRUE(is_error(refused, 429, "run_stopped"));
  EXPECT_EQ(cap_of(refused), "same_tool_call 2 3");
}

TEST_F(GuardRun, WallTime) {
  upstream_.on(kChat).json(chat_answer());
  start_with("turns: none, cost: none, duration: 50ms");
  EXPECT_EQ(turn("a").status, 200);
  ASSERT_TRUE(eventually([&] { return turn("a").status == 429; }));
  const json event = gateway().events("guard", 1)[0];
  EXPECT_EQ(event["cap"], "duration_s");
  EXPECT_EQ(event["limit"], 0.05);
  EXPECT_GE(event["used"].get<double>(), 0.05);
}

TEST_F(GuardRun, RequestsAtTheSameTime) {
  auto gate = std::make_shared<Gate>();
  upstream_.on(kChat).hold_head_until(gate).json(chat_answer());
  start_with("turns: none, parallel: 2");
  std::vector<RawClient> clients;
  for (int i = 0; i < 2; ++i) {
    clients.push_back(client());
    clients.back().send(post_request(kChat, chat_body("m", "\"seed\":" + std::to_string(++seed_)), run("a")));
  }
  ASSERT_TRUE(upstream_.wait_for_requests(2));
  expect_stopped_by("a", "parallel 2 2");
  gate->open();
  for (auto& one : clients) EXPECT_EQ(one.read_response().status, 200);
  EXPECT_EQ(turn("a").status, 200) << "they are over";
}

TEST_F(GuardRun, NoMoreThanTheCapAtOnce) {
  upstream_.on(kChat).json(chat_answer());
  start({.workers = 4, .more = "guard: {turns: 25, parallel: none, cost: none, tokens: none}\n"});
  std::atomic<int> served = 0;
  std::atomic<int> seed = 1000;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 10; ++i) {
        served += ask(chat_body("m", "\"seed\":" + std::to_string(++seed)), run("a")).status == 200 ? 1 : 0;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(served, 25);
}

TEST_F(GuardRun, AClientMayLowerAndNeverRaise) {
  upstream_.on(kChat).json(chat_answer());
  start_with("turns: 2");
  EXPECT_EQ(turn("a", "x-sluice-run-max-turns: 99\r\n").status, 200);
  expect_stopped_by("a", "turns 1 1", "x-sluice-run-max-turns: 1\r\n");
  EXPECT_EQ(turn("a", "x-sluice-run-max-turns: 99\r\n").status, 200);
  expect_stopped_by("a", "turns 2 2", "x-sluice-run-max-turns: 99\r\n");
  expect_stopped_by("b", "cost_usd 0 0", "x-sluice-run-max-cost-usd: 0\r\n");
}

TEST_F(GuardRun, KeysHaveCapsAndRunsOfTheirOwn) {
  upstream_.on(kChat).json(chat_answer());
  start_with("turns: 1", "keys: [" + kApp.row("app", "guard: {turns: 2}") + ", " + kOther.row("other") + "]\n");
  const auto turn_of = [&](const ClientKey& key) { return turn("same", key.bearer()); };
  EXPECT_EQ(turn_of(kApp).status, 200);
  EXPECT_EQ(turn_of(kApp).status, 200);
  EXPECT_EQ(cap_of(turn_of(kApp)), "turns 2 2");
  EXPECT_EQ(turn_of(kOther).status, 200);
  EXPECT_EQ(cap_of(turn_of(kOther)), "turns 1 1");
  EXPECT_EQ(gateway().events("guard", 2)[1]["key"], "other");
}

TEST_F(GuardRun, ObservedOrOff) {
  upstream_.on(kChat).json(chat_answer());
  start_with("turns: 1, mode: observe",
             "keys: [" + kApp.row("app") + ", " + kOther.row("free", "guard: {mode: off}") + "]\n");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(turn("a", kApp.bearer()).status, 200);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(turn("a", kOther.bearer()).status, 200);
  const auto events = gateway().events("guard", 2);
  EXPECT_EQ(events[1]["result"], "observed");
  EXPECT_EQ(events[1]["used"], 2);
  EXPECT_EQ(gateway().trace(6)[5]["run_id"], "a");
}

TEST_F(GuardRun, WhatTheGatewayRefusesIsNoTurn) {
  upstream_.on(kChat).json(chat_answer());
  start({.more = "guard: {turns: 1}\nadmission: {concurrency: 1, queue: {most: 0}}\n"});
  auto gate = std::make_shared<Gate>();
  upstream_.forget_script();
  upstream_.on(kChat).hold_head_until(gate).json(chat_answer());
  RawClient busy = client();
  busy.send(post_request(kChat, chat_body()));
  ASSERT_TRUE(upstream_.wait_for_requests(1));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(is_error(turn("a"), 503, "server_is_overloaded")) << i;
  gate->open();
  EXPECT_EQ(busy.read_response().status, 200);
  ASSERT_TRUE(eventually([&] { return turn("a").status == 200; }));
}

TEST_F(GuardRun, AnUpstreamsFailureIsATurn) {
  upstream_.on(kChat).status(400).json(error_answer("no", "invalid_request_error", "bad"));
  start_with("turns: 2");
  for (int i = 0; i < 2; ++i) EXPECT_EQ(turn("a").status, 400);
  EXPECT_TRUE(is_error(turn("a"), 429, "run_stopped"));
}

TEST_F(GuardRun, ARunThatIsSilentIsForgotten) {
  upstream_.on(kChat).json(chat_answer());
  start_with("turns: 1, expires: 1s");
  EXPECT_EQ(turn("a").status, 200);
  EXPECT_TRUE(is_error(turn("a"), 429, "run_stopped"));
  ASSERT_TRUE(eventually([&] { return turn("a").status == 200; }, 20s)) << "what is refused keeps no run alive";
}

TEST_F(GuardRun, RunsAreBounded) {
  upstream_.on(kChat).json(chat_answer());
  start_with("most_runs: 64");
  for (int i = 0; i < 200; ++i) EXPECT_EQ(turn("run-" + std::to_string(i)).status, 200);
  const auto metrics = gateway().metrics();
  EXPECT_LE(metrics.sum("sluice_runs"), 64);
  EXPECT_GE(metrics.sum("sluice_runs_evicted_total"), 136);
}

TEST_F(GuardRun, AReloadChangesCaps) {
  upstream_.on(kChat).json(chat_answer());
  start_with("turns: 1");
  EXPECT_EQ(turn("a").status, 200);
  EXPECT_TRUE(is_error(turn("a"), 429, "run_stopped"));
  gateway().replace_config(config_text({.more = "guard: {turns: 2}\n"}, upstream_.url()));
  gateway().signal(SIGHUP);
  ASSERT_TRUE(eventually([&] { return turn("a").status == 200; })) << "what it has used goes on";
  EXPECT_TRUE(is_error(turn("a"), 429, "run_stopped"));
}

}  // namespace
}  // namespace sluice::integration
