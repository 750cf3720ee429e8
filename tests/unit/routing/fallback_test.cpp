// One target after another: who is asked next, and when nobody is.

#include <thread>

#include "unit/routing/support.hpp"

namespace sluice::routing {
namespace {

using namespace std::chrono_literals;
using namespace testing;

const std::string kAnswer =
    R"({"id":"c","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},)"
    R"("finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":1,"total_tokens":10}})";
const std::string kRole = chunk(R"({"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null})");

config::Target target(const std::string& provider, const std::string& model = "m") {
  config::Target made;
  made.provider = provider;
  made.model = model;
  return made;
}

// Three providers, of which `fast` asks the first two in order.
config::Config three() {
  config::Config config;
  config.routing.retries = 0;
  for (const char* name : {"a", "b", "c"}) config.providers[name] = upstream_provider(name);
  config.providers["house"] = static_provider();
  auto fast = model("fast", "a", "m");
  fast.targets.push_back(target("b"));
  config.models = {fast, model("spare", "c", "m"), model("house", "house")};
  return config;
}

// One router for several exchanges: what is learned stays.
struct Gateway {
  explicit Gateway(const config::Config& config) : stages(resolve_and_dispatch(config)) {}
  Result<void> ask(Conversation& one) const { return fakes::run(pipeline::Next(stages)(one.exchange)); }
  pipeline::Pipeline stages;
};

std::vector<std::string> hosts(const Conversation& one) {
  std::vector<std::string> all;
  for (const auto& asked : one.client.asked) all.push_back(asked.host.substr(0, 1));
  return all;
}
using Hosts = std::vector<std::string>;

std::string error_body(const std::string& code) {
  return R"({"error":{"message":"no","type":"invalid_request_error","param":null,"code":")" + code + "\"}}";
}

TEST(Fallback, ABrokenTargetIsFollowedByTheNextAndTheClientSeesItsAnswerAlone) {
  for (const int status : {500, 502, 503, 504, 529, 408, 429, 401, 403}) {
    Conversation one(kChatBody);
    one.client.add(status, {{"content-type", "application/json"}, {"x-request-id", "of-a"}}, {"{}"});
    one.client.add(200, kJson, {kAnswer});
    ASSERT_TRUE(one.dispatch(three()).has_value()) << status;
    EXPECT_EQ(hosts(one), (Hosts{"a", "b"})) << status;
    EXPECT_EQ(one.sink.body(), kAnswer);
    EXPECT_EQ(one.sink.field("x-upstream-request-id"), "(absent)") << "that was the other one's";
    EXPECT_EQ(one.sink.field("x-sluice-provider"), "b");
    EXPECT_EQ(one.sink.field("x-sluice-attempts"), "2");
    EXPECT_EQ(one.record.provider, "b");
    ASSERT_EQ(one.record.attempts.size(), 2U);
    EXPECT_EQ(one.record.attempts[1].result, "ok");
  }
}

TEST(Fallback, F39TheClientsOwnFaultsAreNobodyElsesBusiness) {
  for (const int status : {400, 404, 409, 413, 415, 422}) {
    Conversation one(kChatBody);
    one.client.add(status, kJson, {error_body("bad")});
    EXPECT_FALSE(one.dispatch(three()).has_value());
    EXPECT_EQ(hosts(one), Hosts{"a"}) << status;
  }
}

TEST(Fallback, F34F35UntilSomethingToReadHasComeAStreamMayBeAnothersAfterThatNot) {
  Conversation early(kStreamBody);
  early.client.add(200, kSse, {kRole, "data: {\"error\":{\"message\":\"x\",\"code\":\"server_error\"}}\n\n"});
  early.client.add(200, kSse, {kRole + token("b"), kFinish + kDone});
  ASSERT_TRUE(early.dispatch(three()).has_value());
  EXPECT_EQ(early.sink.body(), kRole + token("b") + kFinish + kDone);
  EXPECT_EQ(hosts(early), (Hosts{"a", "b"}));

  Conversation late(kStreamBody);
  late.client.add(200, kSse, {kRole + token("a"), fail(ErrorKind::kUpstreamTruncated, "cut").error()});
  const auto result = late.dispatch(three());
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(late.sink.body(), kRole + token("a"));
  EXPECT_EQ(hosts(late), Hosts{"a"}) << "no text comes twice";
}

TEST(Fallback, TheLastTargetsStreamIsShownFromItsFirstEvent) {
  auto config = three();
  config.models[0].targets.pop_back();
  Conversation one(kStreamBody);
  one.client.add(200, kSse, {kRole, token("a"), kFinish + kDone});
  ASSERT_TRUE(one.dispatch(config).has_value());
  EXPECT_EQ(one.sink.pieces.front(), kRole);
}

TEST(Fallback, AStreamThatStarvesGivesWay) {
  auto config = three();
  config.models[0].starve = config::Starve{.rate = {100, 1s}, .within = 30ms};
  Conversation one(kStreamBody);
  one.client.add(200, kSse, {kRole + token("a"), fail(ErrorKind::kUpstreamIdleTimeout, "silent").error()});
  one.client.add(200, kSse, {token("b") + token("b") + token("b"), kFinish + kDone});
  ASSERT_TRUE(one.dispatch(config).has_value());
  EXPECT_EQ(one.sink.body(), token("b") + token("b") + token("b") + kFinish + kDone);
  EXPECT_EQ(one.record.attempts[0].result, "upstream_timeout");
  EXPECT_EQ(one.record.usage.output, 3) << "what the first one brought is told apart";
}

TEST(Fallback, WhoRunsOutOfAttemptsHearsOfTheLastOne) {
  auto config = three();
  config.models[0].fallback = {"spare"};
  config.routing.max_attempts = 2;
  Conversation one(kChatBody);
  for (const int status : {500, 503, 500}) one.client.add(status, kJson, {"{}"});
  const auto result = one.dispatch(config);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().http_status(), 503);
  EXPECT_EQ(hosts(one), (Hosts{"a", "b"}));
}

TEST(Fallback, ModelsForOneReasonComeForThatReasonOnly) {
  auto config = three();
  config.models[0].fallback = {"house"};
  config.models[0].fallback_on.context_length = {"spare"};
  Conversation one(kChatBody);
  one.client.add(400, kJson, {error_body("context_length_exceeded")});
  one.client.add(200, kJson, {kAnswer});
  ASSERT_TRUE(one.dispatch(config).has_value());
  EXPECT_EQ(hosts(one), (Hosts{"a", "c"})) << "b has no larger context";

  Conversation other(kChatBody);
  other.client.add(400, kJson, {error_body("content_policy_violation")});
  ASSERT_TRUE(other.dispatch(config).has_value());
  EXPECT_EQ(other.record.provider, "house");
}

TEST(Fallback, AStaticAnswerIsTheLastWord) {
  auto config = three();
  config.models[0].answer = "Later, please.";
  for (const auto* body : {&kChatBody, &kStreamBody}) {
    Conversation one(*body);
    for (int i = 0; i < 2; ++i) one.client.add(500, kJson, {"{}"});
    ASSERT_TRUE(one.dispatch(config).has_value());
    EXPECT_TRUE(one.sink.body().contains("Later")) << one.sink.body();
    EXPECT_EQ(one.record.provider, "answer");
  }
}

TEST(Fallback, F40OnceAllAreEjectedNobodyIsAsked) {
  auto config = three();
  config.routing.retry_budget.percent = 100;
  const Gateway gateway(config);
  for (int i = 0; i < 5; ++i) {
    Conversation one(kChatBody);
    for (int j = 0; j < 2; ++j) one.client.add(500, kJson, {"{}"});
    EXPECT_FALSE(gateway.ask(one).has_value());
  }
  Conversation one(kChatBody);
  const auto result = gateway.ask(one);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind, ErrorKind::kNoHealthyUpstream);
  EXPECT_GT(result.error().retry_after, 20s);
  EXPECT_TRUE(one.client.asked.empty());
}

TEST(Fallback, F40RetriesStopWhenTheirBudgetIsSpent) {
  auto config = three();
  config.providers["a"].breaker.consecutive_failures = config.providers["a"].breaker.error_percent = 0;
  const Gateway gateway(config);
  std::size_t asked = 0;
  constexpr int kRequests = 40;
  for (int i = 0; i < kRequests; ++i) {
    Conversation one(kChatBody);
    one.client.add(500, kJson, {"{}"});
    one.client.add(200, kJson, {kAnswer});
    static_cast<void>(gateway.ask(one));
    asked += one.client.asked.size();
  }
  EXPECT_EQ(asked, kRequests + 3 + kRequests / 5);
}

TEST(Fallback, WhatFailsInPassingIsAskedAgainAMomentLater) {
  auto config = three();
  config.models[0].targets.pop_back();
  config.routing.retries = 2;
  config.routing.backoff = {.base = 1ms, .most = 2ms};
  Conversation one(kChatBody);
  for (const int status : {500, 503}) one.client.add(status, kJson, {"{}"});
  one.client.add(200, kJson, {kAnswer});
  ASSERT_TRUE(one.dispatch(config).has_value());
  EXPECT_EQ(hosts(one), (Hosts{"a", "a", "a"}));

  // Who cannot be reached, says how long to wait or broke the connection is not asked again.
  Conversation refused(kChatBody);
  refused.client.add(fail(ErrorKind::kUpstreamConnectFailed, "refused").error());
  EXPECT_FALSE(refused.dispatch(config).has_value());
  EXPECT_EQ(refused.client.asked.size(), 1U);
  Conversation told(kChatBody);
  told.client.add(503, {{"content-type", "application/json"}, {"retry-after", "7"}}, {"{}"});
  EXPECT_FALSE(told.dispatch(config).has_value());
  EXPECT_EQ(told.client.asked.size(), 1U);
}

TEST(Fallback, F06WhoLeavesDuringABackOffEndsIt) {
  auto config = three();
  config.models[0].targets.pop_back();
  config.routing.retries = 1;
  config.routing.backoff = {.base = 1h, .most = 1h};
  config.providers["a"].timeouts.total = 10h;
  Conversation one(kChatBody);
  one.client.add(500, kJson, {"{}"});
  const auto stages = resolve_and_dispatch(config);
  net::io_context io;
  net::cancellation_signal left;
  net::basic_waitable_timer<Clock, net::wait_traits<Clock>, Executor> later(io.get_executor(), 20ms);
  later.async_wait([&](const boost::system::error_code&) { left.emit(net::cancellation_type::terminal); });
  const auto result = fakes::run_on(io, pipeline::Next(stages)(one.exchange), left.slot());
  ASSERT_TRUE(result.has_value());
  ASSERT_FALSE(result->has_value());
  EXPECT_EQ(result->error().kind, ErrorKind::kClientGone);
  EXPECT_EQ(one.client.asked.size(), 1U);
}

TEST(Fallback, F37ARestingCredentialIsPassedOverAndTheOthersServe) {
  auto config = three();
  config.models[0].targets.pop_back();
  config.providers["a"].api_keys = {Secret("sk-one"), Secret("sk-two")};
  const Gateway gateway(config);
  Conversation first(kChatBody);
  first.client.add(429, {{"content-type", "application/json"}, {"retry-after", "60"}}, {"{}"});
  first.client.add(200, kJson, {kAnswer});
  ASSERT_TRUE(gateway.ask(first).has_value()) << "the other credential is not limited";
  EXPECT_NE(first.client.asked[0].head.contains("sk-one"), first.client.asked[1].head.contains("sk-one"));
  const bool one_rests = first.client.asked[0].head.contains("sk-one");
  for (int i = 0; i < 4; ++i) {
    Conversation next(kChatBody);
    next.client.add(200, kJson, {kAnswer});
    ASSERT_TRUE(gateway.ask(next).has_value());
    EXPECT_EQ(next.client.asked[0].head.contains("sk-one"), !one_rests);
  }
}

TEST(Fallback, F37WhenAllCredentialsRestTheClientHearsForHowLong) {
  auto config = three();
  config.models[0].targets.pop_back();
  const Gateway gateway(config);
  Conversation first(kChatBody);
  first.client.add(429, {{"content-type", "application/json"}, {"retry-after", "60"}}, {"{}"});
  EXPECT_FALSE(gateway.ask(first).has_value());
  Conversation second(kChatBody);
  const auto result = gateway.ask(second);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().http_status(), 429);
  EXPECT_GT(result.error().retry_after, 55s);
  EXPECT_LE(result.error().retry_after, 60s);
  EXPECT_TRUE(second.client.asked.empty());
}

TEST(Fallback, F38ARefusedCredentialIsNeverTheClients) {
  auto config = three();
  config.models[0].targets.pop_back();
  const Gateway gateway(config);
  for (const std::size_t asked : {1U, 0U}) {
    Conversation one(kChatBody);
    one.client.add(401, kJson, {"{}"});
    const auto result = gateway.ask(one);
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().http_status(), 502);
    EXPECT_EQ(one.client.asked.size(), asked) << "the second time it is quarantined";
  }
}

TEST(Fallback, AClientsDeadlineIsNotTheTargetsFault) {
  auto config = three();
  config.models[0].targets.pop_back();
  const Gateway gateway(config);
  for (int i = 0; i < 8; ++i) {
    Conversation one(kChatBody);
    one.request.head.fields.push_back({"x-stainless-timeout", "0.001"});
    one.client.add(fail(ErrorKind::kUpstreamTimeout, "too slow").error());
    std::this_thread::sleep_until(one.record.started + 2ms);
    const auto result = gateway.ask(one);
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().kind, ErrorKind::kUpstreamTimeout) << i;
    EXPECT_LE(one.client.asked.at(0).head_due, one.record.started + 1ms);
  }
}

}  // namespace
}  // namespace sluice::routing
