// The operator's page at / of the admin listener, and /admin/live that it asks.

#include <openssl/evp.h>

#include <csignal>
#include <regex>

#include "integration/fixture.hpp"
#include "support/client_keys.hpp"

namespace sluice::integration {
namespace {

const ClientKey kApp = client_key(1);

class Live : public GatewayTest {
 protected:
  json live() { return json::parse(gateway().admin("/admin/live").body); }
  // Once so many requests have been served to their end.
  json live_after(std::uint64_t served) {
    json seen;
    EXPECT_TRUE(eventually([&] {
      seen = live();
      std::uint64_t count = 0;
      for (const auto& [outcome, requests] : seen["requests"].items()) count += requests.get<std::uint64_t>();
      return count >= served;
    })) << seen;
    return seen;
  }
  std::vector<std::string> recent_models(std::uint64_t served) {
    std::vector<std::string> models;
    for (const json& record : live_after(served)["recent"]) models.push_back(record["model"]);
    return models;
  }
  Response admin_request(const std::string& request) { return fetch(gateway().admin_port(), request); }
};

// The text between two tags of a page.
std::string inside(const std::string& page, const std::string& tag) {
  const auto from = page.find("<" + tag + ">") + tag.size() + 2;
  return page.substr(from, page.find("</" + tag + ">") - from);
}

std::string source_of(const std::string& text) {
  std::array<unsigned char, 32> digest{};
  EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
  std::array<unsigned char, 45> base64{};
  EVP_EncodeBlock(base64.data(), digest.data(), 32);
  return "'sha256-" + std::string(reinterpret_cast<const char*>(base64.data())) + "'";
}

TEST_F(Live, ThePageIsWholeAndAllowsNothingButItself) {
  start();
  const Response page = gateway().admin("/");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.header("content-type"), "text/html; charset=utf-8");
  EXPECT_EQ(page.header("cache-control"), "no-store");
  EXPECT_EQ(page.header("x-content-type-options"), "nosniff");
  const std::string policy = page.header("content-security-policy");
  EXPECT_TRUE(policy.starts_with("default-src 'none'; style-src " + source_of(inside(page.body, "style")) +
                                 "; script-src " + source_of(inside(page.body, "script")) + "; "))
      << policy;
  EXPECT_EQ(policy.find("unsafe"), std::string::npos) << policy;
  EXPECT_TRUE(page.body.starts_with("<!doctype html>") && page.body.ends_with("</html>\n"));
  EXPECT_EQ(page.body.find("/*s"), std::string::npos) << "a part was not put in";
  const std::regex outside(R"re((src|href)="(https?:)?//|url\(|@import|innerHTML|insertAdjacentHTML|\beval\b)re");
  EXPECT_FALSE(std::regex_search(page.body, outside));
}

TEST_F(Live, HeadIsAnsweredAndOtherMethodsAreNot) {
  start();
  for (const std::string path : {"/", "/admin/live"}) {
    RawClient raw(gateway().admin_port());
    raw.send("HEAD " + path + " HTTP/1.1\r\nhost: a\r\n\r\n");
    const Response head = raw.read_response(5s, true);
    EXPECT_EQ(head.status, 200) << path;
    EXPECT_GT(std::stoul(head.header("content-length")), 0U);
    EXPECT_EQ(head.header("cache-control"), "no-store") << path;
    EXPECT_TRUE(raw.stays_silent(50ms)) << raw.unread();
    const Response post = admin_request(post_request(path, "{}"));
    EXPECT_TRUE(is_error(post, 405, "method_not_allowed")) << path;
    EXPECT_EQ(post.header("allow"), "GET, HEAD");
  }
  EXPECT_TRUE(is_error(get("/"), 404, "unknown_url")) << "apps have no page";
  EXPECT_TRUE(is_error(get("/admin/live"), 404, "unknown_url"));
}

TEST_F(Live, ANewGatewayHasNothingToShowButSaysHowToBegin) {
  start();
  const json seen = live();
  EXPECT_EQ(seen["status"], "ok");
  EXPECT_EQ(seen["recent"], json::array());
  EXPECT_EQ(seen["running"], (json{{"requests", 0}, {"streams", 0}, {"oldest", json::array()}}));
  EXPECT_EQ(seen["errors"], json::array());
  EXPECT_EQ(seen["ttft"]["streams"], 0);
  EXPECT_EQ(seen["ttft"]["counts"].size(), seen["ttft"]["bounds_s"].size() + 1);
  EXPECT_EQ(seen["listen"], "http://127.0.0.1:" + std::to_string(gateway().port()));
  EXPECT_EQ(seen["example_model"], "m");
  EXPECT_EQ(seen["needs_key"], false);
  EXPECT_EQ(seen["recent_records"], 100);
  EXPECT_EQ(seen["stages"].size(), 16U);
  const auto uptime = seen["uptime_us"].get<std::int64_t>();
  EXPECT_GT(live()["uptime_us"], uptime);
}

TEST_F(Live, ARequestIsShownWithItsLedger) {
  upstream_.on(kChat).stream(chat_stream_with_usage({"a", "b"}));
  start({.models = "m: up/upstream-model",
         .more = "prices: {rows: [{model: \"*\", input: 1 USD, output: 2 USD}]}\n"
                 "state: {path: \"{DIR}/sluice.db\"}\n"
                 "keys: [" +
                 kApp.row("app-1", "group: acme/search") + "]\n"});
  ASSERT_EQ(ask(stream_body("m"), kApp.bearer()).status, 200);
  const json seen = live_after(1);
  EXPECT_EQ(seen["requests"]["ok"], 1);
  EXPECT_EQ(seen["input_tokens"], 12);
  EXPECT_EQ(seen["output_tokens"], 7);
  EXPECT_EQ(seen["ttft"]["streams"], 1);
  EXPECT_EQ(seen["keeps_spend"], true);
  EXPECT_EQ(seen["needs_key"], true);
  EXPECT_EQ(seen["upstreams"]["targets"][0]["breaker"], "closed");
  const json line = only_trace_line();
  const json& record = seen["recent"].at(0);
  for (const char* name :
       {"request_id", "time",      "endpoint",       "stream",      "model",      "route",         "key",
        "group",      "provider",  "upstream_model", "outcome",     "status",     "finish_reason", "cost_usd",
        "events",     "bytes_out", "ttft_us",        "duration_us", "gateway_us", "provider_us"}) {
    EXPECT_EQ(record[name], line[name]) << name;
  }
  EXPECT_EQ(record["cost_usd"], 0.000026);
  std::int64_t stages = 0;
  for (const auto& [name, span] : record["ledger_us"].items()) {
    EXPECT_EQ(span, line["ledger_us"][name]) << name;
    stages += span.get<std::int64_t>();
  }
  EXPECT_GT(stages, 0);
  EXPECT_LE(stages, record["duration_us"]);
  EXPECT_EQ(record["attempts"].at(0)["result"], "ok");
}

TEST_F(Live, FailuresAreCountedByTheirCode) {
  upstream_.on(kChat).status(500).json(error_answer("no", "server_error", "boom"));
  start({.more = "routing: {retries: 0}\n"});
  ask(chat_body("m"));
  ask(chat_body("unknown"));
  const json seen = live_after(2);
  EXPECT_EQ(seen["requests"]["ok"], 0);
  EXPECT_EQ(seen["requests"]["upstream_error"], 1);
  EXPECT_EQ(seen["requests"]["rejected"], 1);
  std::map<std::string, std::string> origins;
  for (const json& error : seen["errors"]) {
    EXPECT_EQ(error["count"], 1);
    origins[error["error"]] = error["origin"];
  }
  EXPECT_EQ(origins["model_not_found"], "client");
  EXPECT_EQ(origins[seen["recent"].at(1)["error"]], "provider");
}

TEST_F(Live, WhatAClientCallsItsModelIsOnlyText) {
  upstream_.on(kChat).json(chat_answer());
  start({.models = R"("*": "up/*")"});
  const std::string name = "</script><script>alert(\"1\")</script>'\\\xe2\x80\xa8";
  ASSERT_EQ(ask(chat_body(name)).status, 200);
  const json seen = live_after(1);
  EXPECT_EQ(seen["recent"].at(0)["model"], name);
  const Response answer = gateway().admin("/admin/live");
  EXPECT_EQ(answer.header("content-type"), "application/json");
  EXPECT_EQ(answer.body.find("\xe2\x80\xa8"), std::string::npos) << "one line, whoever reads it";
}

TEST_F(Live, AStreamIsShownWhileItRuns) {
  auto gate = std::make_shared<Gate>();
  upstream_.on(kChat)
      .stream({role_chunk(), text_chunk("a"), text_chunk("b")})
      .then_wait_for(gate)
      .then_stream({finish_chunk(), kDone});
  start({.workers = 2});
  RawClient raw = client();
  raw.send(post_request(kChat, stream_body("m")));
  json running;
  ASSERT_TRUE(eventually([&] {
    running = live()["running"];
    return running["streams"] == 1 && running["oldest"].at(0)["events"] == 3;
  })) << running;
  const json& one = running["oldest"].at(0);
  EXPECT_EQ(running["requests"], 1);
  EXPECT_EQ(one["model"], "m");
  EXPECT_EQ(one["route"], "m");
  EXPECT_EQ(one["provider"], "up");
  EXPECT_EQ(one["phase"], "stream");
  EXPECT_GT(one["bytes"], 0);
  EXPECT_GT(one["ttft_us"], 0);
  EXPECT_GE(one["age_us"], one["ttft_us"]);
  EXPECT_EQ(live()["recent"], json::array()) << "it is not over";
  gate->open();
  EXPECT_TRUE(raw.read_response().complete);
  const json seen = live_after(1);
  EXPECT_EQ(seen["running"]["requests"], 0);
  EXPECT_EQ(seen["recent"].at(0)["request_id"], one["request_id"]);
}

TEST_F(Live, AsManyRecordsAreKeptAsTheConfigurationSays) {
  upstream_.on(kChat).json(chat_answer());
  Scenario scenario{.workers = 2, .models = R"("*": "up/*")"};
  scenario.server += ", recent_records: 3";
  start(scenario);
  for (int i = 0; i < 9; ++i) ask(chat_body("m" + std::to_string(i)));
  EXPECT_EQ(recent_models(9), (std::vector<std::string>{"m8", "m7", "m6"})) << "the newest of both workers";
  const auto reload = [&](const std::string& records) {
    Scenario next{.workers = 2, .models = R"("*": "up/*")"};
    next.server += ", recent_records: " + records;
    gateway().replace_config(config_text(next, upstream_.url()));
    gateway().signal(SIGHUP);
    ASSERT_TRUE(eventually([&] { return live()["recent_records"] == std::stoi(records); })) << gateway().output();
  };
  reload("1");
  EXPECT_EQ(recent_models(9), (std::vector<std::string>{"m8"}));
  reload("0");
  ask(chat_body("m9"));
  EXPECT_EQ(recent_models(10), std::vector<std::string>());
}

}  // namespace
}  // namespace sluice::integration
