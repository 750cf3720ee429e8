// Targets that go away under load, come back, or fail every other time; and clients who leave meanwhile.

#include <atomic>
#include <thread>

#include "integration/fixture.hpp"

namespace sluice::integration {
namespace {

class RoutingOutage : public GatewayTest {
 protected:
  RoutingOutage() : GatewayTest({.keep_requests = false}) {}

  std::string other(const std::string& name, const ScriptedUpstream& upstream) {
    return "  " + name + ": {base_url: \"" + upstream.url() + "\"}\n";
  }
  void start_three(const std::string& routing = "") {
    for (ScriptedUpstream* one : {&upstream_, &second_, &third_})
      serve(*one, asked_[one == &upstream_ ? 0 : one == &second_ ? 1 : 2]);
    start({.workers = 2,
           .providers = other("second", second_) + other("third", third_),
           .models = "m: {strategy: weighted, targets: [up/x, second/x, third/x]}",
           .trace = "path: {DIR}/trace.jsonl",
           .more = "routing: {retries: 0" + routing + "}\n"});
  }
  void serve(ScriptedUpstream& upstream, std::atomic<int>& asked) {
    upstream.set_script([this, &upstream, &asked](const ObservedRequest&) -> std::optional<Behaviour> {
      const int turn = asked++;
      const bool fails = &upstream == &upstream_ && (down_ || (flaps_ && turn % 2 == 0));
      if (all_down_ || fails) return Behaviour().status(500).json(error_answer("down", "server_error", "down"));
      return Behaviour().json(chat_answer());
    });
  }
  // So many good answers of so many requests, from several clients at once.
  int load(int requests) {
    constexpr int kClients = 4;
    std::atomic<int> good = 0, left = requests;
    std::vector<std::thread> clients;
    for (int i = 0; i < kClients; ++i) {
      clients.emplace_back([&] {
        RawClient raw = client();
        while (left-- > 0) {
          raw.send(post_request(kChat, chat_body()));
          const Response response = raw.read_response(10s);
          if (response.status == 200) ++good;
          if (!response.complete || response.header("connection") == "close") raw = client();
        }
      });
    }
    for (auto& one : clients) one.join();
    return good;
  }
  int asked() const { return asked_[0] + asked_[1] + asked_[2]; }

  ScriptedUpstream second_{UpstreamOptions{.keep_requests = false}}, third_{UpstreamOptions{.keep_requests = false}};
  std::atomic<int> asked_[3] = {};
  std::atomic<bool> down_ = false, all_down_ = false, flaps_ = false;
};

TEST_F(RoutingOutage, F41OneOfThreeGoesAwayAndHardlyAnybodyNotices) {
  start_three();
  constexpr int kHalf = 2000;
  EXPECT_EQ(load(kHalf), kHalf);
  EXPECT_EQ(asked(), kHalf);
  const int before = asked_[0];
  down_ = true;
  EXPECT_GE(load(kHalf), kHalf * 0.999);
  EXPECT_LE(asked() - kHalf, kHalf * 1.2 + 3);
  EXPECT_LE(asked_[0] - before, 5 + 8) << "left alone after five, but for what was under way";
  const Metrics metrics = gateway().metrics();
  EXPECT_EQ(metrics.sum("sluice_target_ejections_total", {R"(provider="up")"}), 1);
  EXPECT_EQ(metrics.sum("sluice_target_in", {R"(provider="up")"}), 0);
  const Response targets = gateway().admin("/admin/targets");
  EXPECT_NE(targets.body.find(R"("breaker":"open","reason":"consecutive_faults","out_for_ms":)"), std::string::npos)
      << targets.body;
}

TEST_F(RoutingOutage, F41ATargetThatRecoversIsProbedAndTakenBack) {
  start_three(", breaker: {ejection: 200ms, slow_start: 0s}");
  down_ = true;
  EXPECT_GE(load(500), 499);
  down_ = false;
  const int before = asked_[0];
  ASSERT_TRUE(eventually([&] {
    load(10);
    return gateway().metrics().sum("sluice_target_in", {R"(provider="up")"}) == 1;
  }));
  EXPECT_EQ(load(300), 300);
  EXPECT_GE(asked_[0] - before, 90) << "its third again";
}

TEST_F(RoutingOutage, F41AFlappingTargetIsLeftOut) {
  start_three();
  flaps_ = true;
  constexpr int kRequests = 2000;
  EXPECT_GE(load(kRequests), kRequests * 0.99);
  EXPECT_LE(asked(), kRequests * 1.2 + 3);
  EXPECT_GE(gateway().metrics().sum("sluice_target_ejections_total", {R"(provider="up")"}), 1);
}

TEST_F(RoutingOutage, F40WhenAllAreDownTheAnswerIsQuickAndTheUpstreamsAreSpared) {
  start_three();
  all_down_ = true;
  constexpr int kRequests = 1000;
  EXPECT_EQ(load(kRequests), 0);
  EXPECT_LE(asked(), kRequests * 1.2 + 3);
  EXPECT_LE(asked(), 3 * (5 + 8)) << "five each, and what was under way";
  const auto before = Clock::now();
  const Response response = ask(chat_body());
  EXPECT_LT(Clock::now() - before, 50ms * (abort_bound() / 50ms));
  EXPECT_TRUE(is_error(response, 503, "no_healthy_upstream"));
  EXPECT_EQ(response.header("x-should-retry"), "false");
  EXPECT_GT(std::stoi(response.header("retry-after")), 0);
}

class RoutingAbort : public GatewayTest {
 protected:
  void start_two(const std::string& model) {
    start({.providers = "  second: {base_url: \"" + second_.url() + "\"}\n", .models = "m: {" + model + "}"});
  }
  json target(const std::string& provider) {
    for (const json& one : json::parse(gateway().admin("/admin/targets").body)["targets"]) {
      if (one["provider"] == provider) return one;
    }
    return json::object();
  }
  ScriptedUpstream second_;
};

TEST_F(RoutingAbort, F05WhoLeavesDuringAFallbackClosesTheSecondAtOnce) {
  upstream_.on(kChat).status(500).json("{}");
  second_.on(kChat).hang();
  start_two("targets: [up/x, second/x]");
  {
    RawClient raw = client();
    raw.send(post_request(kChat, chat_body()));
    ASSERT_TRUE(second_.wait_for_requests(1));
  }
  const auto left = Clock::now();
  EXPECT_NE(second_.wait_for_disconnect(0).peer, End::kOpen);
  EXPECT_LT(Clock::now() - left, abort_bound());
  EXPECT_EQ(only_trace_line()["outcome"], "client_abort");
}

TEST_F(RoutingAbort, F05WhoLeavesDuringAHedgeClosesBothAtOnce) {
  upstream_.on(kChat).hang();
  second_.on(kChat).hang();
  start_two("targets: [up/x, second/x], hedge: {after: 20ms, least: 0ms}");
  {
    RawClient raw = client();
    raw.send(post_request(kChat, stream_body()));
    ASSERT_TRUE(second_.wait_for_requests(1));
  }
  const auto left = Clock::now();
  EXPECT_NE(upstream_.wait_for_disconnect(0).peer, End::kOpen);
  EXPECT_NE(second_.wait_for_disconnect(0).peer, End::kOpen);
  EXPECT_LT(Clock::now() - left, 2 * abort_bound());
  EXPECT_EQ(only_trace_line()["outcome"], "client_abort");
}

TEST_F(RoutingAbort, F06WhoLeavesDuringABackOffIsNotAskedForAgain) {
  upstream_.on(kChat).status(500).header("retry-after", "30").json("{}");
  start({.timeouts = "total: 10m", .models = "m: up/x", .more = "routing: {retries: 1, backoff: {most: 1m}}\n"});
  {
    RawClient raw = client();
    raw.send(post_request(kChat, chat_body()));
    ASSERT_TRUE(eventually([&] { return target("up")["window_faults"] == 1; }));
    EXPECT_EQ(target("up")["in_flight"], 0);
    EXPECT_EQ(gateway().metrics().sum("sluice_requests_in_flight"), 1) << "it waits before it asks once more";
  }
  json line = only_trace_line(1s);
  EXPECT_EQ(line["outcome"], "client_abort");
  EXPECT_EQ(line["attempts"], 1);
  EXPECT_EQ(upstream_.requests().size(), 1U);
}

TEST_F(RoutingAbort, AHedgeWinsAndTheSlowOneIsLetGo) {
  upstream_.on(kChat).hang();
  second_.on(kChat).stream(chat_stream({"from the", " second"}));
  start_two("targets: [up/x, second/x], hedge: {after: 50ms, least: 0ms}");
  const Response response = ask(stream_body());
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(data_of(response), chat_stream({"from the", " second"}));
  EXPECT_NE(upstream_.wait_for_disconnect(0).peer, End::kOpen);
  EXPECT_EQ(only_trace_line()["attempts"], 2);
  EXPECT_EQ(gateway().metrics().sum("sluice_hedges_total", {R"(target="second/x")", R"(result="ok")"}), 1);
}

TEST_F(RoutingAbort, WhereTheHedgeLosesNothingOfItIsTold) {
  const auto gate = std::make_shared<Gate>();
  upstream_.on(kChat).header("x-request-id", "of-first").hold_head_until(gate).stream(chat_stream({"first"}));
  second_.on(kChat).header("x-request-id", "of-second").stream({role_chunk()}).stall();
  start_two("targets: [up/first, second/other], hedge: {after: 50ms, least: 0ms}");
  RawClient raw = client();
  raw.send(post_request(kChat, stream_body()));
  ASSERT_TRUE(second_.wait_for_requests(1));
  gate->open();
  const Response response = raw.read_response();
  EXPECT_EQ(data_of(response), chat_stream({"first"}));
  EXPECT_EQ(response.header("x-sluice-provider"), "up");
  EXPECT_EQ(response.header("x-sluice-model"), "first");
  EXPECT_EQ(response.header("x-upstream-request-id"), "of-first");
  EXPECT_NE(second_.wait_for_disconnect(0).peer, End::kOpen);
  json line = only_trace_line();
  EXPECT_EQ(line["provider"], "up");
  EXPECT_EQ(line["upstream_model"], "first");
  EXPECT_EQ(line["upstream_request_id"], "of-first");
  EXPECT_EQ(gateway().metrics().sum("sluice_hedges_total", {R"(target="second/other")", R"(result="superseded")"}), 1);
}

TEST_F(RoutingAbort, WhereTheHedgeWinsNothingOfTheFirstIsTold) {
  upstream_.on(kChat).header("x-request-id", "of-first").header("openai-version", "1").stream({role_chunk()}).stall();
  second_.on(kChat).header("x-request-id", "of-second").stream(chat_stream({"second"}));
  start_two("targets: [up/first, second/other], hedge: {after: 300ms, least: 0ms}");
  const Response response = ask(stream_body());
  EXPECT_EQ(data_of(response), chat_stream({"second"}));
  EXPECT_EQ(response.header("x-sluice-provider"), "second");
  EXPECT_EQ(response.header("x-sluice-model"), "other");
  EXPECT_EQ(response.header("x-upstream-request-id"), "of-second");
  EXPECT_EQ(response.header("openai-version"), "");
  json line = only_trace_line();
  EXPECT_EQ(line["upstream_model"], "other");
  EXPECT_EQ(line["upstream_request_id"], "of-second");
}

TEST_F(RoutingAbort, AStreamThatStarvesIsNeverShownAndItsConnectionClosed) {
  upstream_.on(kChat).stream({role_chunk(), text_chunk("lost")}).stall();
  second_.on(kChat).stream(chat_stream({"a", "b", "c", "d"}));
  start_two("targets: [up/x, second/x], starve: {rate: 10/s, within: 300ms}");
  const Response response = ask(stream_body());
  EXPECT_EQ(data_of(response), chat_stream({"a", "b", "c", "d"}));
  EXPECT_EQ(response.header("x-sluice-attempts"), "2");
  EXPECT_NE(upstream_.wait_for_disconnect(0).peer, End::kOpen);
  EXPECT_EQ(upstream_.requests().size(), 1U);
  EXPECT_EQ(second_.requests().size(), 1U);
  json line = only_trace_line();
  EXPECT_EQ(line["outcome"], "ok");
  EXPECT_EQ(line["attempts"], 2);
  EXPECT_EQ(line["provider"], "second");
  EXPECT_EQ(gateway().metrics().sum("sluice_fallbacks_total", {R"(from="up/x")", R"(reason="upstream_timeout")"}), 1);
  EXPECT_EQ(target("up")["window_faults"], 1);
}

}  // namespace
}  // namespace sluice::integration
