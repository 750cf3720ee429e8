// Upstreams that cannot be reached, do not answer, or answer with an error.

#include "integration/fixture.hpp"

namespace sluice::integration {
namespace {

using UpstreamFault = GatewayTest;

TEST_F(UpstreamFault, F27RefusedConnectIsABadGateway) {
  start({.base_url = "http://127.0.0.1:" + std::to_string(refused_port()) + "/v1"});
  EXPECT_TRUE(is_error(ask(chat_body()), 502, "upstream_connect_failed"));
  EXPECT_TRUE(is_error(ask(stream_body()), 502, "upstream_connect_failed"));
  for (const json& line : gateway().trace(2)) {
    EXPECT_EQ(line["outcome"], "upstream_error");
    EXPECT_EQ(line["attempts"], 1);
  }
}

TEST_F(UpstreamFault, F27ResetBeforeAnAnswerIsABadGateway) {
  upstream_.on(kChat).reset_before_answer();
  upstream_.on(kChat).close_before_answer();
  start();
  EXPECT_TRUE(is_error(ask(chat_body()), 502, "upstream_connection_lost"));
  EXPECT_TRUE(is_error(ask(chat_body()), 502, "upstream_connection_lost"));
  EXPECT_EQ(upstream_.requests().size(), 2U) << "no replay on a fresh connection";
}

TEST_F(UpstreamFault, F28ABlackholeIsAGatewayTimeout) {
  const BlackholePort blackhole;
  start({.timeouts = "connect: 300ms", .base_url = "http://127.0.0.1:" + std::to_string(blackhole.port()) + "/v1"});
  const auto before = Clock::now();
  const Response response = ask(chat_body());
  EXPECT_TRUE(is_error(response, 504, "upstream_timeout"));
  EXPECT_LT(Clock::now() - before, 2s);
  EXPECT_EQ(connecting_to(blackhole.port()), 0U);
  EXPECT_EQ(only_trace_line()["outcome"], "timeout");
}

TEST_F(UpstreamFault, F28ANameThatDoesNotResolveIsABadGateway) {
  start({.base_url = "http://no-such-host.invalid/v1"});
  const Response response = ask(chat_body());
  EXPECT_TRUE(response.status == 502 || response.status == 504) << response.status;
  EXPECT_EQ(response.body.find("no-such-host"), std::string::npos)
      << "the operator's host name is none of the client's";
  const Metrics metrics = gateway().metrics();
  EXPECT_EQ(metrics.sum("sluice_dns_lookups_total", {R"(result="ok")"}), 0);
  EXPECT_EQ(metrics.sum("sluice_dns_lookups_total"), 1) << "failed or timed out";
  EXPECT_EQ(metrics.sum("sluice_upstream_connections_total"), 0);
}

TEST_F(UpstreamFault, F28ConnectionsAndLookUpsOfAllWorkersAreCounted) {
  constexpr int kRequests = 12;
  for (int i = 0; i < kRequests; ++i) upstream_.on(kChat).json(chat_answer());
  start({.workers = 3, .base_url = "http://localhost:" + std::to_string(upstream_.port()) + "/v1"});
  EXPECT_TRUE(gateway().metrics().has("sluice_upstream_addresses_refused_total"));
  EXPECT_EQ(gateway().metrics().sum("sluice_dns_lookups_total"), 0);
  EXPECT_EQ(gateway().metrics().sum("sluice_upstream_connections_total"), 0);
  for (int i = 0; i < kRequests; ++i) EXPECT_EQ(ask(chat_body()).status, 200);
  ASSERT_TRUE(eventually([&] { return gateway().metrics().sum("sluice_requests_total") == kRequests; }));
  const Metrics metrics = gateway().metrics();
  const double connections = metrics.sum("sluice_upstream_connections_total");
  EXPECT_EQ(connections, static_cast<double>(upstream_.connections().size()));
  EXPECT_EQ(connections, kRequests - metrics.sum("sluice_upstream_reused_connections_total"));
  const double look_ups = metrics.sum("sluice_dns_lookups_total", {R"(result="ok")"});
  EXPECT_GE(look_ups, 1);
  EXPECT_LE(look_ups, 3) << "one per worker";
  EXPECT_EQ(metrics.sum("sluice_upstream_addresses_refused_total"), 0);
}

TEST_F(UpstreamFault, F30AnUpstreamThatNeverAnswersIsAGatewayTimeout) {
  upstream_.on(kChat).hang();
  start({.timeouts = "first_byte: 300ms, first_token: 300ms"});
  EXPECT_TRUE(is_error(ask(chat_body()), 504, "upstream_timeout"));
  EXPECT_TRUE(is_error(ask(stream_body()), 504, "upstream_timeout"));
  for (std::size_t i = 0; i < 2; ++i) EXPECT_NE(upstream_.wait_for_disconnect(i).peer, End::kOpen);
  EXPECT_EQ(upstream_.requests().size(), 2U);
  for (const json& line : gateway().trace(2)) EXPECT_EQ(line["outcome"], "timeout");
}

TEST_F(UpstreamFault, F31SilenceInsideAnAnswerIsAnIdleTimeout) {
  upstream_.on(kChat).json("{\"id\":").announce_length(500).stall();
  start({.timeouts = "idle: 300ms"});
  EXPECT_TRUE(is_error(ask(chat_body()), 504, "upstream_idle_timeout"));
}

TEST_F(UpstreamFault, F32ACutAnswerIsABadGateway) {
  upstream_.on(kChat).json(chat_answer()).then_fin_at(50);
  upstream_.on(kChat).json(chat_answer()).then_reset_at(50);
  start();
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(is_error(ask(chat_body()), 502, "upstream_stream_truncated"));
  for (const json& line : gateway().trace(2)) EXPECT_EQ(line["outcome"], "upstream_truncated");
}

TEST_F(UpstreamFault, AnAnswerThatIsNoJsonIsABadGateway) {
  upstream_.on(kChat).json("{\"id\":\"x\",}");
  upstream_.on(kChat).json("");
  start();
  EXPECT_TRUE(is_error(ask(chat_body()), 502, "upstream_invalid_response"));
  EXPECT_TRUE(is_error(ask(chat_body()), 502, "upstream_invalid_response"));
}

TEST_F(UpstreamFault, F36BadErrorBodiesAreNeverEchoed) {
  const std::string html = "<html><body>canary-html</body></html>";
  upstream_.on(kChat).status(502).body("text/html", html);
  upstream_.on(kChat).status(500).body("text/plain", "");
  upstream_.on(kChat).status(500).json("{\"error\":{\"mess").announce_length(4'000).then_fin();
  upstream_.on(kChat).status(500).body("text/html", std::string(50'000'000, 'x') + "canary-html");
  upstream_.on(kChat).status(429).body("text/html", html);
  start();
  for (const int status : {502, 502, 502, 502, 429}) {
    const Response response = ask(chat_body());
    EXPECT_EQ(response.status, status);
    EXPECT_EQ(response.body.find("canary-html"), std::string::npos);
    EXPECT_LT(response.body.size(), 2'000U);
    EXPECT_TRUE(json::parse(response.body, nullptr, false)["error"]["message"].is_string()) << response.body;
  }
}

// One account each, since one that was limited rests.
Scenario with_accounts(std::size_t count, const std::string& url) {
  Scenario scenario{.models = ""};
  for (std::size_t i = 0; i < count; ++i) {
    const std::string name = "p" + std::to_string(i);
    scenario.providers += "  " + name + ": {base_url: \"" + url + "\", api_keys: [\"${UP_KEY}\"]}\n";
    scenario.models += (i == 0 ? "" : ", ") + ("\"" + name + "\": " + name + "/x");
  }
  return scenario;
}
std::string from_account(std::size_t i) { return chat_body("p" + std::to_string(i)); }

TEST_F(UpstreamFault, F37RateLimitsAreAnsweredWithTheSameWait) {
  upstream_.on(kChat)
      .status(429)
      .header("retry-after", "2")
      .header("x-ratelimit-remaining-tokens", "0")
      .json(error_answer("slow down", "tokens", "rate_limit_exceeded"));
  upstream_.on(kChat).status(429).header("retry-after-ms", "350").json(error_answer("slow", "tokens", "x"));
  upstream_.on(kChat).status(429).header("retry-after-ms", "350").header("retry-after", "9").json("{}");
  upstream_.on(kChat).status(503).header("retry-after", "1").json("{}");
  start(with_accounts(4, upstream_.url()));
  const Response seconds = ask(from_account(0));
  EXPECT_EQ(seconds.status, 429);
  EXPECT_EQ(seconds.header("retry-after"), "2");
  EXPECT_EQ(seconds.header("retry-after-ms"), "2000");
  EXPECT_EQ(seconds.header("x-ratelimit-remaining-tokens"), "0");
  EXPECT_EQ(json::parse(seconds.body)["error"]["message"], "slow down");
  EXPECT_EQ(json::parse(seconds.body)["error"]["code"], "rate_limit_exceeded");
  for (const std::size_t account : {1U, 2U}) {
    const Response milliseconds_win = ask(from_account(account));
    EXPECT_EQ(milliseconds_win.header("retry-after-ms"), "350");
    EXPECT_EQ(milliseconds_win.header("retry-after"), "1");
  }
  EXPECT_EQ(ask(from_account(3)).header("retry-after-ms"), "1000");
  EXPECT_EQ(upstream_.requests().size(), 4U);
  const Response rests = ask(from_account(0));
  EXPECT_TRUE(is_error(rests, 429, "rate_limit_exceeded"));
  EXPECT_GT(std::stoi(rests.header("retry-after-ms")), 0);
  EXPECT_LE(std::stoi(rests.header("retry-after-ms")), 2000);
  EXPECT_EQ(upstream_.requests().size(), 4U) << "the provider has said how long to wait";
}

TEST_F(UpstreamFault, F37NonsenseInRetryAfterIsIgnored) {
  const std::vector<std::string> nonsense = {"-1", "NaN", "soon", "", "1e9", "Wed, 21 Oct 2015 07:28:00 GMT"};
  for (const auto& value : nonsense) upstream_.on(kChat).status(429).header("retry-after", value).json("{}");
  start(with_accounts(nonsense.size(), upstream_.url()));
  for (std::size_t i = 0; i < nonsense.size(); ++i) {
    const std::string& value = nonsense[i];
    const Response response = ask(from_account(i));
    EXPECT_EQ(response.status, 429);
    const std::string wait = response.header("retry-after-ms");
    if (wait.empty()) continue;
    EXPECT_GT(std::stod(wait), 0) << value;
    EXPECT_LE(std::stod(wait), 120'000) << value;
  }
}

TEST_F(UpstreamFault, F38RejectedCredentialsAreTheOperatorsProblem) {
  upstream_.on(kChat).status(401).json(error_answer("Incorrect key: sk-upstream-secret", "x", "invalid_api_key"));
  upstream_.on(kChat).status(403).json(error_answer("sk-upstream-secret may not", "x", "denied"));
  start();
  for (const std::string& body : {chat_body(), stream_body()}) {
    const Response response = ask(body);
    EXPECT_TRUE(is_error(response, 502, "upstream_auth_failed"));
    EXPECT_EQ(response.header("x-should-retry"), "false");
    EXPECT_EQ(response.body.find("sk-upstream"), std::string::npos);
  }
  ASSERT_EQ(gateway().trace(2).size(), 2U);
  EXPECT_EQ(gateway().directory().read("trace.jsonl").find("sk-upstream"), std::string::npos);
  EXPECT_EQ(gateway().output().find("sk-upstream"), std::string::npos);
  EXPECT_EQ(gateway().admin("/metrics").body.find("sk-upstream"), std::string::npos);
}

TEST_F(UpstreamFault, F39ClientErrorsKeepStatusMessageAndCode) {
  upstream_.on(kChat).status(400).json(
      R"({"error":{"message":"too long","type":"invalid_request_error","param":"messages",)"
      R"("code":"context_length_exceeded"}})");
  upstream_.on(kChat).status(404).json(error_answer("no such model", "invalid_request_error", "model_not_found"));
  upstream_.on(kChat).status(422).json(R"({"detail":"bad shape"})");
  upstream_.on(kChat).status(400).json(R"({"object":"error","message":"flat","type":"BadRequest","code":40003})");
  start();
  const Response too_long = ask(chat_body());
  EXPECT_TRUE(is_error(too_long, 400, "context_length_exceeded"));
  EXPECT_EQ(json::parse(too_long.body)["error"]["param"], "messages");
  EXPECT_TRUE(is_error(ask(chat_body()), 404, "model_not_found"));
  const Response wrapped = ask(chat_body());
  EXPECT_EQ(wrapped.status, 422);
  EXPECT_EQ(json::parse(wrapped.body)["error"]["message"], "bad shape");
  const Response flat = ask(stream_body());
  EXPECT_EQ(flat.status, 400);
  EXPECT_EQ(json::parse(flat.body)["error"]["message"], "flat");
  EXPECT_EQ(json::parse(flat.body)["error"]["code"], "40003");
  EXPECT_EQ(upstream_.requests().size(), 4U) << "never retried";
}

TEST_F(UpstreamFault, F46RedirectsAreNotFollowed) {
  ScriptedUpstream trap;
  trap.on_any().json(chat_answer());
  for (const int status : {301, 302, 303, 307, 308}) {
    upstream_.on(kChat).status(status).header("location", trap.url("/v1/chat/completions")).body("text/plain", "moved");
  }
  start();
  for (int i = 0; i < 5; ++i) {
    const Response response = ask(chat_body());
    EXPECT_TRUE(is_error(response, 502, "upstream_invalid_response"));
    EXPECT_EQ(response.head.count("location"), 0U);
  }
  EXPECT_EQ(trap.connections().size(), 0U);
}

TEST_F(UpstreamFault, A529IsAnOverload) {
  upstream_.on(kChat).status(529).json(error_answer("Overloaded", "overloaded_error", "529"));
  start();
  EXPECT_EQ(ask(chat_body()).status, 503);
}

TEST_F(UpstreamFault, AProviderWithoutCredentialIsOff) {
  start({.environment = {{"UP_KEY", ""}}});
  EXPECT_TRUE(is_error(ask(chat_body()), 503, "provider_off"));
  EXPECT_EQ(upstream_.connections().size(), 0U);
}

}  // namespace
}  // namespace sluice::integration
