// F72: SIGTERM lets running requests finish, for a while.

#include <csignal>

#include "integration/fixture.hpp"

namespace sluice::integration {
namespace {

using Drain = GatewayTest;

TEST_F(Drain, AnIdleGatewayExitsAtOnce) {
  start();
  RawClient idle = client();
  idle.send(get_request("/v1/models"));
  EXPECT_EQ(idle.read_response().status, 200);
  const auto before = Clock::now();
  gateway().signal(SIGTERM);
  EXPECT_EQ(gateway().wait_exit(), 0);
  EXPECT_LT(Clock::now() - before, 1500ms) << "an idle connection holds nothing up";
  EXPECT_EQ(idle.wait_end(1s), End::kFin);
}

TEST_F(Drain, F72ReadinessEndsAtOnceAndStreamsFinish) {
  const auto gate = std::make_shared<Gate>();
  upstream_.on(kChat).stream({role_chunk()}).then_wait_for(gate).stream({finish_chunk(), kDone});
  start({.server = "drain_grace: 0s, drain_timeout: 10s"});
  RawClient raw = client();
  raw.send(post_request(kChat, stream_body()));
  ASSERT_TRUE(raw.read_head());
  ASSERT_TRUE(raw.next_event());
  gateway().signal(SIGTERM);
  EXPECT_TRUE(eventually([&] { return gateway().admin("/readyz").status == 503; }, 1s));
  EXPECT_EQ(gateway().admin("/healthz").status, 200);
  EXPECT_EQ(gateway().metrics().sum("sluice_draining"), 1);
  gate->open();
  const Response response = raw.finish();
  EXPECT_TRUE(response.complete);
  EXPECT_EQ(data_of(response).back(), "[DONE]");
  EXPECT_EQ(gateway().wait_exit(5s), 0);
  EXPECT_EQ(only_trace_line()["outcome"], "ok") << "the last line is flushed";
}

TEST_F(Drain, F72WhatDoesNotFinishGetsADrainingEvent) {
  upstream_.on(kChat).stream({role_chunk()}).stall();
  start({.server = "drain_grace: 0s, drain_timeout: 500ms", .timeouts = "idle: 30s"});
  RawClient raw = client();
  raw.send(post_request(kChat, stream_body()));
  ASSERT_TRUE(raw.read_head());
  ASSERT_TRUE(raw.next_event());
  gateway().signal(SIGTERM);
  EXPECT_TRUE(ends_in_error(raw.finish(), "draining"));
  EXPECT_EQ(gateway().wait_exit(5s), 0);
  EXPECT_EQ(only_trace_line()["outcome"], "shed");
  EXPECT_NE(upstream_.wait_for_disconnect(0).peer, End::kOpen);
}

TEST_F(Drain, F72WhatHasNotBegunIsAnsweredWithServiceUnavailable) {
  upstream_.on(kChat).hang();
  start({.server = "drain_grace: 0s, drain_timeout: 500ms", .timeouts = "first_byte: 30s, first_token: 30s"});
  RawClient raw = client();
  raw.send(post_request(kChat, chat_body()));
  ASSERT_TRUE(upstream_.wait_for_requests(1));
  gateway().signal(SIGTERM);
  const Response response = raw.read_response();
  EXPECT_TRUE(is_error(response, 503, "draining"));
  EXPECT_EQ(response.header("x-should-retry"), "true");
  EXPECT_EQ(gateway().wait_exit(5s), 0);
}

TEST_F(Drain, TheGracePeriodStillTakesConnections) {
  upstream_.on(kChat).json(chat_answer());
  start({.server = "drain_grace: 1s, drain_timeout: 1s"});
  gateway().signal(SIGTERM);
  ASSERT_TRUE(eventually([&] { return gateway().admin("/readyz").status == 503; }, 900ms));
  const Response response = ask(chat_body());
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(gateway().wait_exit(8s), 0);
}

TEST_F(Drain, ARequestFinishedWhileDrainingClosesItsConnection) {
  const auto gate = std::make_shared<Gate>();
  upstream_.on(kChat).hold_head_until(gate).json(chat_answer());
  start({.server = "drain_grace: 0s, drain_timeout: 10s"});
  RawClient raw = client();
  raw.send(post_request(kChat, chat_body()));
  ASSERT_TRUE(upstream_.wait_for_requests(1));
  gateway().signal(SIGTERM);
  ASSERT_TRUE(eventually([&] { return gateway().admin("/readyz").status == 503; }, 1s));
  gate->open();
  const Response response = raw.read_response();
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.header("connection"), "close");
  EXPECT_EQ(raw.wait_end(2s), End::kFin);
  EXPECT_EQ(gateway().wait_exit(5s), 0);
}

TEST_F(Drain, ManyStreamsAllFinish) {
  const auto gate = std::make_shared<Gate>();
  upstream_.on(kChat).stream({role_chunk()}).then_wait_for(gate).stream({finish_chunk(), kDone});
  start({.server = "drain_grace: 0s, drain_timeout: 20s"});
  std::vector<RawClient> streams;
  for (int i = 0; i < 50; ++i) {
    streams.push_back(client());
    streams.back().send(post_request(kChat, stream_body()));
    ASSERT_TRUE(streams.back().read_head());
  }
  gateway().signal(SIGTERM);
  ASSERT_TRUE(eventually([&] { return gateway().admin("/readyz").status == 503; }, 2s));
  gate->open();
  for (RawClient& stream : streams) EXPECT_TRUE(stream.finish().complete);
  EXPECT_EQ(gateway().wait_exit(10s), 0);
  EXPECT_EQ(gateway().trace(50).size(), 50U);
}

}  // namespace
}  // namespace sluice::integration
