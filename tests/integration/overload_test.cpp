// F24, F25, F75: too many connections, too few descriptors, too little memory, bodies that take long to check.

#include <sys/resource.h>

#include <csignal>

#include "integration/fixture.hpp"

namespace sluice::integration {
namespace {

class Overload : public GatewayTest {
 protected:
  // Open, and known to be served.
  RawClient settled() {
    RawClient raw = client();
    raw.send(get_request("/v1/models"));
    EXPECT_EQ(raw.read_response().status, 200);
    return raw;
  }
  static ::testing::AssertionResult is_shed(const Response& response) {
    auto shed = is_error(response, 503, "server_is_overloaded");
    if (shed && response.header("retry-after").empty()) return ::testing::AssertionFailure() << "no retry-after";
    return shed;
  }
  double shed(std::string_view reason) { return gateway().metrics().sum("sluice_shed_total", {reason}); }

  // As much memory as makes what is used now that share of it.
  void set_memory(double percent_used, const std::string& bounds = "") {
    const auto used = gateway().metrics().sum("sluice_memory_used_bytes");
    Scenario scenario = scenario_;
    const auto limit = static_cast<std::uint64_t>(used / percent_used * 100);
    scenario.more = "overload: {memory: " + std::to_string(limit) + "B" + bounds + "}\n";
    gateway().replace_config(config_text(scenario, upstream_.url()));
    const double before = gateway().metrics().sum("sluice_config_reloads_total", {R"(result="ok")"});
    gateway().signal(SIGHUP);
    EXPECT_TRUE(eventually(
        [&] { return gateway().metrics().sum("sluice_config_reloads_total", {R"(result="ok")"}) > before; }));
  }
  Scenario scenario_{.timeouts = "connect: 1s, first_byte: 20s, first_token: 20s, idle: 20s, total: 60s"};
};

TEST_F(Overload, F24BeyondMaxConnectionsClientsAreToldSo) {
  start({.more = "overload: {max_connections: 3}\n"});
  std::vector<RawClient> held;
  for (int i = 0; i < 3; ++i) held.push_back(settled());
  for (int i = 0; i < 40; ++i) EXPECT_TRUE(is_shed(get("/v1/models")));
  EXPECT_EQ(shed(R"(reason="connections")"), 40);
  EXPECT_EQ(gateway().admin("/readyz").status, 200) << "the operators' listener has its own bound";
  held[0].send(get_request("/v1/models"));
  EXPECT_EQ(held[0].read_response().status, 200) << "those inside are not disturbed";
  held.pop_back();
  EXPECT_TRUE(eventually([&] { return get("/v1/models").status == 200; }));
  EXPECT_EQ(gateway().metrics().sum("sluice_max_connections"), 3);
}

TEST_F(Overload, F24TheRefusedThatSayNothingHoldNobodyUp) {
  start({.more = "overload: {max_connections: 1}\n"});
  RawClient inside = settled();
  std::vector<RawClient> silent;
  for (int i = 0; i < 100; ++i) silent.push_back(client());
  const std::size_t fds = gateway().open_fds();
  EXPECT_LT(fds, 100U) << "only a few of them are accepted at a time";
  inside.send(get_request("/v1/models"));
  EXPECT_EQ(inside.read_response().status, 200);
  silent.clear();
  inside.close();
  EXPECT_TRUE(eventually([&] { return get("/v1/models").status == 200; }, 10s));
}

TEST_F(Overload, F24OutOfDescriptorsTheReservedOneAnswers) {
  start();
  RawClient inside = settled();
  rlimit all{};
  ASSERT_EQ(::prlimit(gateway().process().pid(), RLIMIT_NOFILE, nullptr, &all), 0);
  const rlimit few{gateway().open_fds(), all.rlim_max};
  ASSERT_EQ(::prlimit(gateway().process().pid(), RLIMIT_NOFILE, &few, nullptr), 0);
  std::vector<RawClient> in_the_gaps;  // numbers below the limit that were free
  for (bool more = true; more && in_the_gaps.size() < 20;) {
    in_the_gaps.push_back(client());
    in_the_gaps.back().send(get_request("/v1/models"));
    more = in_the_gaps.back().read_response().status == 200;
  }
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(is_shed(get("/v1/models")));
  EXPECT_GE(shed(R"(reason="descriptors")"), 10);
  EXPECT_EQ(gateway().admin("/healthz").status, 200) << "the operators' listener serves with its reserve";
  inside.send(get_request("/v1/models"));
  EXPECT_EQ(inside.read_response().status, 200);
  ASSERT_EQ(::prlimit(gateway().process().pid(), RLIMIT_NOFILE, &all, nullptr), 0);
  EXPECT_TRUE(eventually([&] { return get("/v1/models").status == 200; }));
}

TEST_F(Overload, F25UnderMemoryPressureNewRequestsGoFirst) {
  const auto gate = std::make_shared<Gate>();
  upstream_.on(kChat).stream({role_chunk()}).then_wait_for(gate).stream({finish_chunk(), kDone});
  start(scenario_);
  RawClient stream = client(), body = client();
  stream.send(post_request(kChat, stream_body()));
  ASSERT_TRUE(stream.read_head());
  const std::string half = post_request(kChat, chat_body());
  body.send(half.substr(0, half.size() - 5));
  set_memory(30, ", shed_at: 15%, cut_at: 100%");
  EXPECT_TRUE(eventually([&] { return get("/v1/models").status == 503; }));
  EXPECT_TRUE(is_shed(ask(chat_body())));
  EXPECT_EQ(gateway().admin("/readyz").status, 200);
  body.send(half.substr(half.size() - 5));
  EXPECT_TRUE(is_shed(body.read_response())) << "a body that is still coming is new work";
  EXPECT_GE(shed(R"(reason="memory")"), 3);
  EXPECT_EQ(shed(R"(reason="memory_streams")"), 0);
  gate->open();
  EXPECT_EQ(data_of(stream.finish()).back(), "[DONE]") << "what runs goes on";
  set_memory(30);
  EXPECT_TRUE(eventually([&] { return get("/v1/models").status == 200; }));
}

TEST_F(Overload, F25ThenTheLargestStreamsAreCut) {
  upstream_.on(kChat).stream({role_chunk()}).stall();
  start(scenario_);
  RawClient small = client(), large = client();
  small.send(post_request(kChat, stream_body()));
  ASSERT_TRUE(small.read_head());
  std::string padded = stream_body();
  padded.insert(1, R"("x":")" + std::string(3'000'000, 'x') + R"(",)");
  large.send(post_request(kChat, padded));
  ASSERT_TRUE(large.read_head());
  set_memory(96);
  EXPECT_TRUE(ends_in_error(large.finish(), "server_is_overloaded"));
  const auto lines = gateway().trace(1);
  ASSERT_FALSE(lines.empty());
  EXPECT_EQ(lines[0]["outcome"], "shed");
  EXPECT_GT(lines[0]["bytes_in"], 3'000'000) << "the larger one went first";
  EXPECT_NE(upstream_.wait_for_disconnect(1).peer, End::kOpen);
  EXPECT_GE(shed(R"(reason="memory_streams")"), 1);
}

// With one event loop, a small request that is sent after a large body can only be answered before it if the body is
// checked beside the loop.
TEST_F(Overload, F75ABodyThatTakesLongToCheckHoldsNobodyUp) {
  start();
  std::string body = R"({"model":"m","messages":[],"x":{)";
  for (int i = 0; body.size() < 6'000'000; ++i) body += "\"k" + std::to_string(i) + "\":0,";
  body += R"("k0":0}})";
  RawClient slow = client(), quick = client();
  ASSERT_TRUE(slow.send(post_request(kChat, body)));
  // All of it has been taken from the kernel once this is answered, or nearly: then it is checked.
  int before = 0;
  for (int i = 0; i < 2000 && slow.stays_silent(0ms); ++i, ++before) {
    quick.send(get_request("/v1/models"));
    ASSERT_EQ(quick.read_response().status, 200);
  }
  EXPECT_GT(before, 10);
  EXPECT_TRUE(is_error(slow.read_response(30s), 400, "duplicate_key"));
  EXPECT_GT(gateway().metrics().sum("sluice_loop_lag_seconds_count"), 0);
}

}  // namespace
}  // namespace sluice::integration
