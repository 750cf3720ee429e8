// How much a key may use: rates, tokens, budgets, and what the client is told.

#include <csignal>
#include <thread>

#include "integration/fixture.hpp"
#include "support/client_keys.hpp"
#include "support/paths.hpp"

namespace sluice::integration {
namespace {

const ClientKey kApp = client_key(1);
const ClientKey kOther = client_key(2);

// One token in costs one dollar per million, one out two.
constexpr const char* kPrices =
    "prices: {rows: [{model: \"*\", input: 1 USD, output: 2 USD}]}\nstate: {path: \"{DIR}/sluice.db\"}\n";

class Admission : public GatewayTest {
 protected:
  Gateway& start_with(const std::string& more, unsigned workers = 1) {
    upstream_.on(kChat).json(chat_answer());  // 12 tokens in, 7 out
    return start({.workers = workers, .more = more});
  }
  Response ask_as(const ClientKey& key, const std::string& more = "") {
    return ask(chat_body("m", more), key.bearer());
  }
  json admin(const std::string& target) {
    const Response answer = gateway().admin(target);
    EXPECT_EQ(answer.status, 200) << answer.body;
    return json::parse(answer.body, nullptr, false);
  }
  // Settling comes after the last byte of an answer.
  json settled_budget() {
    json budget;
    EXPECT_TRUE(eventually([&] {
      budget = admin("/admin/limits?key=app-1")["limits"][0];
      return budget["reserved_usd"] == 0;
    }));
    return budget;
  }
};

TEST_F(Admission, ARateOfRequestsIsKeptToTheRequestAndSaysWhen) {
  start_with("keys: [" + kApp.row("app-1", "limits: {requests: 3/h}") + "]\n");
  for (int left = 2; left >= 0; --left) {
    const Response answer = ask_as(kApp);
    ASSERT_EQ(answer.status, 200);
    EXPECT_EQ(answer.header("x-ratelimit-limit-requests"), "3");
    EXPECT_EQ(answer.header("x-ratelimit-remaining-requests"), std::to_string(left));
    EXPECT_FALSE(answer.header("x-ratelimit-reset-requests").empty());
  }
  const Response refused = ask_as(kApp);
  EXPECT_TRUE(is_error(refused, 429, "rate_limit_exceeded"));
  EXPECT_NE(refused.body.find("key app-1 may use 3 requests per hour"), std::string::npos) << refused.body;
  EXPECT_GT(std::stol(refused.header("retry-after")), 3000);
  EXPECT_GT(std::stol(refused.header("retry-after-ms")), 3'000'000);
  EXPECT_EQ(refused.header("x-should-retry"), "false") << "an hour is nothing to sit out";
  EXPECT_EQ(upstream_.requests().size(), 3U);
  EXPECT_EQ(gateway().metrics().sum("sluice_limit_refused_total"), 1);
  const auto lines = gateway().trace(4);
  EXPECT_EQ(lines[3]["outcome"], "rate_limited");
  EXPECT_EQ(lines[3]["limit"], "key app-1 requests/hour");
}

TEST_F(Admission, EveryNodeOnThePathMustAdmitAndNobodyElseIsAffected) {
  start_with("groups: {acme: {limits: {requests: 2/h}}}\nkeys: [" + kApp.row("app-1", "group: acme/search") + ", " +
             kOther.row("app-2", "group: acme/chat") + ", " + client_key(3).row("app-3", "group: other") + "]\n");
  EXPECT_EQ(ask_as(kApp).status, 200);
  EXPECT_EQ(ask_as(kOther).status, 200);
  EXPECT_TRUE(is_error(ask_as(kApp), 429, "rate_limit_exceeded"));
  EXPECT_TRUE(is_error(ask_as(kOther), 429, "rate_limit_exceeded"));
  EXPECT_EQ(ask_as(client_key(3)).status, 200);
}

TEST_F(Admission, WhatOneNodeRefusesIsTakenFromNone) {
  start_with("groups: {acme: {limits: {requests: 100/h}}}\nkeys: [" +
             kApp.row("app-1", "group: acme, limits: {requests: 1/h}") + "]\n");
  EXPECT_EQ(ask_as(kApp).status, 200);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(ask_as(kApp).status, 429);
  const json limits = admin("/admin/limits?key=app-1")["limits"];
  ASSERT_EQ(limits.size(), 2U);
  EXPECT_EQ(limits[0]["node"], "group acme");
  EXPECT_EQ(limits[0]["remaining"], 99);
  EXPECT_EQ(limits[1]["remaining"], 0);
}

TEST_F(Admission, AnObservedLimitRefusesNothingAndIsReported) {
  start_with("keys: [" + kApp.row("app-1", "limits: {requests: {limit: 1/h, mode: observe}}") + "]\n");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(ask_as(kApp).status, 200);
  EXPECT_EQ(gateway().metrics().sum("sluice_limit_observed_total"), 2);
  EXPECT_EQ(gateway().trace(3)[2]["observed"], "key app-1 requests/hour");
}

TEST_F(Admission, TokensAreReservedAtMostAndSettledToWhatWasUsed) {
  start_with("keys: [" + kApp.row("app-1", "limits: {tokens: 2k/h}") + "]\n");
  EXPECT_EQ(ask_as(kApp, R"("max_tokens":1000)").status, 200);
  EXPECT_TRUE(eventually([&] { return admin("/admin/limits?key=app-1")["limits"][0]["used"] == 19; }));
  const Response large = ask_as(kApp, R"("max_tokens":5000)");
  EXPECT_TRUE(is_error(large, 429, "rate_limit_exceeded"));
  EXPECT_NE(large.body.find("Request too large"), std::string::npos);
  EXPECT_EQ(large.header("x-should-retry"), "false");
}

TEST_F(Admission, EndUsersHaveLimitsOfTheirOwn) {
  start_with("auth: {user_headers: [x-end-user]}\nkeys: [" + kApp.row("app-1", "limits: {each_user: {requests: 1/h}}") +
             "]\n");
  EXPECT_EQ(ask_as(kApp, R"("user":"ann")").status, 200);
  EXPECT_EQ(ask_as(kApp, R"("user":"ann")").status, 429);
  EXPECT_EQ(ask_as(kApp, R"("safety_identifier":"bob","user":"ann")").status, 200);
  EXPECT_EQ(ask(chat_body("m", R"("user":"ann")"), kApp.bearer() + "x-end-user: eve\r\n").status, 200);
  EXPECT_EQ(ask_as(kApp).status, 200) << "nobody is named";
  EXPECT_EQ(admin("/admin/limits?key=app-1&user=ann")["limits"][0]["remaining"], 0);
}

TEST_F(Admission, ModelsAndProvidersHaveLimitsWhoeverAsks) {
  upstream_.on(kChat).json(chat_answer());
  start({.provider = "limits: {requests: 3/h}",
         .models = "m: {target: up/upstream-model, limits: {requests: 1/h}}, other: up/upstream-model"});
  EXPECT_EQ(ask(chat_body("m")).status, 200);
  const Response model = ask(chat_body("m"));
  EXPECT_NE(model.body.find("model m may use 1 requests per hour"), std::string::npos) << model.body;
  EXPECT_EQ(ask(chat_body("other")).status, 200);
  EXPECT_EQ(ask(chat_body("other")).status, 200);
  EXPECT_NE(ask(chat_body("other")).body.find("provider up"), std::string::npos);
}

TEST_F(Admission, ABudgetIsReservedBeforeTheCallAndSettledAfterIt) {
  // 12 in and 7 out cost 26 millionths of a dollar; the most a request may cost is about 2,000.
  start_with(std::string(kPrices) + "keys: [" + kApp.row("app-1", "limits: {budget: 0.0021 USD/month}") + "]\n");
  EXPECT_EQ(ask_as(kApp, R"("max_tokens":1000)").status, 200);
  const json line = gateway().trace(1)[0];
  EXPECT_EQ(line["cost_usd"], 0.000026);
  EXPECT_EQ(line["usage"]["source"], "reported");
  const json budget = settled_budget();
  EXPECT_EQ(budget["meter"], "budget");
  EXPECT_EQ(budget["used_usd"], 0.000026);
  const Response refused = ask_as(kApp, R"("max_tokens":1100)");
  EXPECT_TRUE(is_error(refused, 429, "insufficient_quota"));
  EXPECT_EQ(json::parse(refused.body)["error"]["type"], "insufficient_quota");
  EXPECT_EQ(refused.header("x-should-retry"), "false");
  EXPECT_EQ(ask_as(kApp, R"("max_tokens":100)").status, 200) << "what was reserved and not used is free again";
  json spend;
  const auto all_settled = [&] {  // an answer can be here before what it cost is in the books
    spend = admin("/admin/spend?by=key&since=1h")["rows"];
    return spend.size() == 1 && spend[0]["requests"] == 3;
  };
  ASSERT_TRUE(eventually(all_settled)) << spend;
  EXPECT_EQ(spend[0]["key"], "app-1");
  EXPECT_EQ(spend[0]["cost_usd"], 0.000052);
}

TEST_F(Admission, SpendOutlivesAKill) {
  const std::string more =
      std::string(kPrices) + "keys: [" + kApp.row("app-1", "limits: {budget: 1 USD/month}") + "]\n";
  start_with(more);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(ask_as(kApp).status, 200);
  const auto answered = Clock::now();
  const auto written = [&] {
    const std::chrono::duration<double> since = Clock::now() - answered;
    return gateway().metrics().sum("sluice_state_lag_seconds") < since.count();
  };
  ASSERT_TRUE(eventually(written));
  gateway().signal(SIGKILL);
  ASSERT_TRUE(gateway().wait_exit());
  Process again({sluice_binary(), "serve", "--config", gateway().config_path()},
                {{"UP_KEY", "x"}, {"UP_HEADER", "x"}, {"SPARE_KEY", "x"}, {"SPARE_QUERY", "x"}});
  ASSERT_TRUE(again.wait_output([](const std::string& text) { return text.contains("admin on http://"); }, 10s));
  const std::string text = again.output();
  const auto at = text.find("admin on http://127.0.0.1:") + 26;
  const auto port = static_cast<std::uint16_t>(std::stoi(text.substr(at)));
  const json limits = json::parse(fetch(port, get_request("/admin/limits?key=app-1")).body)["limits"];
  EXPECT_EQ(limits[0]["used_usd"], 0.00026);
  again.signal(SIGTERM);
  EXPECT_EQ(again.wait_exit(10s), 0);
  gateway_.reset();
}

TEST_F(Admission, AnAbortedRequestSettlesWhatItWillBeBilled) {
  upstream_.on(kChat).hang();
  start({.more = std::string(kPrices) + "keys: [" + kApp.row("app-1", "limits: {budget: 1 USD/month}") + "]\n"});
  RawClient raw = client();
  raw.send(post_request(kChat, chat_body(), kApp.bearer()));
  ASSERT_TRUE(upstream_.wait_for_requests(1));
  EXPECT_GT(admin("/admin/limits?key=app-1")["limits"][0]["reserved_usd"], 0);
  raw.close();
  const json line = only_trace_line();
  EXPECT_EQ(line["outcome"], "client_abort");
  EXPECT_EQ(line["usage"]["source"], "estimated");
  EXPECT_GT(line["cost_usd"], 0);
  EXPECT_EQ(settled_budget()["used_usd"], line["cost_usd"]);
}

TEST_F(Admission, AnUpstreamsRefusalCostsNothing) {
  upstream_.on(kChat).status(500).json(error_answer("down", "server_error", "down"));
  start({.more = std::string(kPrices) + "keys: [" + kApp.row("app-1", "limits: {budget: 1 USD/month}") + "]\n"});
  EXPECT_EQ(ask_as(kApp).status, 502);
  EXPECT_EQ(only_trace_line()["cost_usd"], 0);
  EXPECT_EQ(settled_budget()["remaining_usd"], 1);
}

TEST_F(Admission, AStreamThatRunsPastItsBudgetIsCutWhereTheConfigurationSaysSo) {
  upstream_.on(kChat).stream(std::vector<std::string>(500, text_chunk("x"))).event_gap(1ms).stall();
  start({.more = std::string(kPrices) + "keys: [" +
                 kApp.row("app-1", "limits: {budget: {limit: 0.0005 USD/month, on_exceeded: cut}}") + "]\n"});
  RawClient raw = client();
  raw.send(post_request(kChat, stream_body("m", R"("max_tokens":10)"), kApp.bearer()));
  const Response answer = raw.read_response();
  EXPECT_TRUE(ends_in_error(answer, "insufficient_quota"));
  const json line = only_trace_line();
  EXPECT_EQ(line["error"], "insufficient_quota");
  EXPECT_LE(line["cost_usd"], 0.00051);
  EXPECT_GE(line["cost_usd"], 0.00045);
}

TEST_F(Admission, AModelWithoutAPriceIsToldLoudlyAndCharged) {
  start_with("prices: {rows: [{model: known, input: 1 USD, output: 1 USD}]}\nstate: {path: \"{DIR}/sluice.db\"}\n");
  EXPECT_EQ(ask(chat_body()).status, 200);
  EXPECT_GT(only_trace_line()["cost_usd"], 0);
  EXPECT_TRUE(gateway().wait_output("NO PRICE for up/upstream-model"));
}

TEST_F(Admission, AModelWithoutAPriceIsRefusedWhereTheConfigurationSaysSo) {
  start_with(
      "prices: {unknown: refuse, rows: [{model: known, input: 1 USD, output: 1 USD}]}\n"
      "state: {path: \"{DIR}/sluice.db\"}\n");
  EXPECT_TRUE(is_error(ask(chat_body()), 503, "price_unknown"));
  EXPECT_TRUE(upstream_.requests().empty());
}

TEST_F(Admission, LimitsGoOnOverAReload) {
  Scenario scenario{.more = "keys: [" + kApp.row("app-1", "limits: {requests: 2/h}") + "]\n"};
  upstream_.on(kChat).json(chat_answer());
  start(scenario);
  EXPECT_EQ(ask_as(kApp).status, 200);
  scenario.more = "keys: [" + kApp.row("app-1", "limits: {requests: 3/h}") + "]\n";
  gateway().replace_config(config_text(scenario, upstream_.url()));
  gateway().signal(SIGHUP);
  ASSERT_TRUE(gateway().wait_output("is in force"));
  EXPECT_EQ(ask_as(kApp).header("x-ratelimit-remaining-requests"), "1");
}

TEST_F(Admission, F58ManyAtOnceNeverExceedALimit) {
  start_with("keys: [" + kApp.row("app-1", "limits: {requests: 100/h}") + "]\n", 2);
  std::atomic<int> admitted = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      RawClient raw = client();
      for (int i = 0; i < 50; ++i) {
        raw.send(post_request(kChat, chat_body(), kApp.bearer()));
        admitted += raw.read_response().status == 200 ? 1 : 0;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(admitted, 100);
  EXPECT_EQ(upstream_.requests().size(), 100U);
}

}  // namespace
}  // namespace sluice::integration
