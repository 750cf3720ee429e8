// The client goes away, in every phase of a request: the upstream is closed at once and nothing more is attempted.

#include "integration/fixture.hpp"

namespace sluice::integration {
namespace {

enum class Leave { kFin, kReset, kHalfClose };

void leave(RawClient& client, Leave how) {
  switch (how) {
    case Leave::kFin:
      return client.close();
    case Leave::kReset:
      return client.reset();
    case Leave::kHalfClose:
      return client.shutdown_write();
  }
}

class Abort : public GatewayTest, public ::testing::WithParamInterface<Leave> {
 protected:
  // The client leaves; the upstream connection must be closed within the bound.
  void expect_closed_after_leaving(RawClient& raw, std::size_t connection) {
    const auto left = Clock::now();
    leave(raw, GetParam());
    const ObservedConnection seen = upstream_.wait_for_disconnect(connection);
    ASSERT_NE(seen.peer, End::kOpen) << "the upstream connection is still open";
    EXPECT_LE(seen.closed_at - left, abort_bound());
  }
  void expect_abort_recorded(const std::vector<std::string>& phases) {
    const json line = only_trace_line();
    EXPECT_EQ(line["outcome"], "client_abort");
    EXPECT_NE(std::ranges::find(phases, line.value("phase", "")), phases.end()) << line;
    EXPECT_LE(line.value("attempts", 99), 1);
    EXPECT_EQ(upstream_.connections().size(), connections_);
  }
  std::size_t connections_ = 1;  // that the upstream may have seen by the end
};

TEST_P(Abort, F06WhileTheBodyIsStillComing) {
  upstream_.on(kChat).json(chat_answer());
  start();
  RawClient raw = client();
  const std::string request = post_request(kChat, chat_body());
  raw.send(request.substr(0, request.size() - 5));
  ASSERT_TRUE(eventually([&] { return gateway().metrics().sum("sluice_client_connections") >= 1; }));
  leave(raw, GetParam());
  connections_ = 0;
  expect_abort_recorded({"body"});
  EXPECT_EQ(upstream_.bytes_in(), 0U);
}

TEST_P(Abort, F06WhileConnecting) {
  const BlackholePort blackhole;
  start({.timeouts = "connect: 30s", .base_url = "http://127.0.0.1:" + std::to_string(blackhole.port()) + "/v1"});
  // Seen by polling the system's table, hence the double, and the best of three: a busy machine may delay any one.
  const auto bound = 2 * abort_bound();
  Clock::duration best = 1h;
  std::size_t tries = 0;
  for (; tries < 3 && best > bound; ++tries) {
    RawClient raw = client();
    raw.send(post_request(kChat, chat_body()));
    ASSERT_TRUE(eventually([&] { return connecting_to(blackhole.port()) == 1; }));
    const auto left = Clock::now();
    leave(raw, GetParam());
    ASSERT_TRUE(eventually([&] { return connecting_to(blackhole.port()) == 0; }));
    best = std::min(best, Clock::now() - left);
  }
  EXPECT_LE(best, bound);
  const auto lines = gateway().trace(tries);
  EXPECT_EQ(lines.size(), tries);
  for (const json& line : lines) {
    EXPECT_EQ(line["outcome"], "client_abort");
    EXPECT_EQ(line["phase"], "connect");
  }
  EXPECT_EQ(upstream_.connections().size(), 0U);
}

TEST_P(Abort, F06WhileTheTlsHandshakeStalls) {
  start({.timeouts = "connect: 30s",
         .base_url = "https://127.0.0.1:" + std::to_string(upstream_.port()) + "/v1",
         .provider = "tls: {verify: false}"});
  RawClient raw = client();
  raw.send(post_request(kChat, chat_body()));
  ASSERT_TRUE(eventually([&] { return upstream_.bytes_in() > 0; })) << "no client hello came";
  expect_closed_after_leaving(raw, 0);
  expect_abort_recorded({"connect"});
}

TEST_P(Abort, F06WhileWaitingForTheFirstByteOfAStream) {
  upstream_.on(kChat).hang();
  start();
  RawClient raw = client();
  raw.send(post_request(kChat, stream_body()));
  ASSERT_TRUE(upstream_.wait_for_requests(1));
  expect_closed_after_leaving(raw, 0);
  expect_abort_recorded({"first_byte", "first_token"});
}

TEST_P(Abort, F06WhileWaitingForTheFirstEvent) {
  upstream_.on(kChat).sse({":" + std::string(500, '-') + "\n\n"}).stall();
  start();
  RawClient raw = client();
  raw.send(post_request(kChat, stream_body()));
  ASSERT_TRUE(
      eventually([&] { return !upstream_.connections().empty() && upstream_.connections()[0].bytes_out > 500; }));
  expect_closed_after_leaving(raw, 0);
  expect_abort_recorded({"first_token"});
}

TEST_P(Abort, F05MidStream) {
  upstream_.on(kChat).stream({role_chunk(), text_chunk("a")}).stall();
  start();
  RawClient raw = client();
  raw.send(post_request(kChat, stream_body()));
  ASSERT_TRUE(raw.read_head());
  ASSERT_TRUE(raw.next_event());
  ASSERT_TRUE(raw.next_event());
  expect_closed_after_leaving(raw, 0);
  expect_abort_recorded({"stream"});
  EXPECT_EQ(only_trace_line()["events"], 2);
}

TEST_P(Abort, F05WhileEventsKeepComing) {
  upstream_.on(kChat).stream(std::vector<std::string>(2'000, text_chunk("x"))).event_gap(5ms);
  start();
  RawClient raw = client();
  raw.send(post_request(kChat, stream_body()));
  ASSERT_TRUE(raw.read_head());
  ASSERT_TRUE(raw.next_event());
  expect_closed_after_leaving(raw, 0);
  expect_abort_recorded({"stream"});
}

TEST_P(Abort, F06WhileWaitingForANonStreamAnswer) {
  upstream_.on(kChat).hang();
  start();
  RawClient raw = client();
  raw.send(post_request(kChat, chat_body()));
  ASSERT_TRUE(upstream_.wait_for_requests(1));
  expect_closed_after_leaving(raw, 0);
  expect_abort_recorded({"first_byte", "first_token", "answer"});
}

TEST_P(Abort, F06InTheMiddleOfANonStreamAnswer) {
  upstream_.on(kChat).json(chat_answer().substr(0, 100)).announce_length(5'000).stall();
  start();
  RawClient raw = client();
  raw.send(post_request(kChat, chat_body()));
  ASSERT_TRUE(upstream_.wait_for_requests(1));
  ASSERT_TRUE(eventually([&] { return upstream_.connections()[0].bytes_out > 100; }));
  expect_closed_after_leaving(raw, 0);
  expect_abort_recorded({"answer", "first_token"});
}

std::string name_of(const ::testing::TestParamInfo<Leave>& how) {
  switch (how.param) {
    case Leave::kFin:
      return "Fin";
    case Leave::kReset:
      return "Reset";
    case Leave::kHalfClose:
      break;
  }
  return "HalfClose";
}
INSTANTIATE_TEST_SUITE_P(By, Abort, ::testing::Values(Leave::kFin, Leave::kReset, Leave::kHalfClose), name_of);

using AbortMany = GatewayTest;

TEST_F(AbortMany, F05LeavesNoDescriptorBehind) {
  upstream_.on(kChat).stream({role_chunk(), text_chunk("a")}).stall();
  start();
  ASSERT_EQ(get("/v1/models").status, 200);
  ASSERT_EQ(gateway().trace(1).size(), 1U) << "the trace file is open from now on";
  const std::size_t before = gateway().open_fds();
  for (int i = 0; i < 100; ++i) {
    RawClient raw = client();
    raw.send(post_request(kChat, stream_body()));
    if (i % 2 == 0) raw.read_head();
    i % 3 == 0 ? raw.reset() : raw.close();
  }
  ASSERT_TRUE(eventually([&] { return gateway().metrics().sum("sluice_requests_in_flight") == 0; }));
  EXPECT_TRUE(eventually([&] { return gateway().open_fds() <= before; })) << gateway().open_fds() << " > " << before;
  EXPECT_EQ(gateway().metrics().sum("sluice_streams_in_flight"), 0);
}

TEST_F(AbortMany, F08AnAbortRacingTheLastChunkHasOneOutcome) {
  upstream_.on(kChat).stream(chat_stream({"a", "b"}));
  start();
  for (int i = 0; i < 200; ++i) {
    RawClient raw = client();
    raw.send(post_request(kChat, stream_body()));
    if (raw.read_head() && i % 2 == 0) raw.next_event();
    i % 3 == 0 ? raw.reset() : raw.close();
  }
  const auto lines = gateway().trace(200, 10s);
  ASSERT_EQ(lines.size(), 200U);
  for (const json& line : lines) {
    EXPECT_TRUE(line["outcome"] == "ok" || line["outcome"] == "client_abort") << line;
  }
}

TEST_F(AbortMany, TheConnectionOfACompleteAnswerIsKept) {
  upstream_.on(kChat).json(chat_answer());
  start();
  {
    RawClient raw = client();
    raw.send(post_request(kChat, chat_body()));
    ASSERT_TRUE(raw.read_response().complete);
  }
  EXPECT_EQ(ask(chat_body()).status, 200);
  EXPECT_EQ(upstream_.connections().size(), 1U);
  for (const json& line : gateway().trace(2)) EXPECT_EQ(line["outcome"], "ok");
}

}  // namespace
}  // namespace sluice::integration
