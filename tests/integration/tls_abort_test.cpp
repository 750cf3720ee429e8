// A client's leaving is seen through TLS as it is in the clear: at once, whichever way it leaves.

#include "integration/tls_fixture.hpp"

namespace sluice::integration {
namespace {

enum class Leave { kGoodbye, kGoodbyeAndFin, kFin, kReset, kHalfClose };

void leave(RawClient& client, Leave how) {
  switch (how) {
    case Leave::kGoodbye:
      return client.say_goodbye();
    case Leave::kGoodbyeAndFin:
      return client.close();
    case Leave::kFin:
      return client.cut();
    case Leave::kReset:
      return client.reset();
    case Leave::kHalfClose:
      return client.shutdown_write();
  }
}

class TlsAbort : public TlsListenerTest, public ::testing::WithParamInterface<Leave> {
 protected:
  void expect_closed_after_leaving(RawClient& raw) {
    const auto left = Clock::now();
    leave(raw, GetParam());
    const ObservedConnection seen = upstream_.wait_for_disconnect(0);
    ASSERT_NE(seen.peer, End::kOpen) << "the upstream connection is still open";
    EXPECT_LE(seen.closed_at - left, abort_bound());
    EXPECT_EQ(only_trace_line()["outcome"], "client_abort");
    EXPECT_EQ(upstream_.connections().size(), 1U);
  }
};

TEST_P(TlsAbort, F05MidStream) {
  upstream_.on(kChat).stream({role_chunk(), text_chunk("a")}).stall();
  start_tls();
  RawClient raw = secure();
  raw.send(post_request(kChat, stream_body()));
  ASSERT_TRUE(raw.read_head());
  ASSERT_TRUE(raw.next_event());
  ASSERT_TRUE(raw.next_event());
  expect_closed_after_leaving(raw);
  EXPECT_EQ(only_trace_line()["phase"], "stream");
}

TEST_P(TlsAbort, F05WhileEventsKeepComing) {
  upstream_.on(kChat).stream(std::vector<std::string>(2'000, text_chunk("x"))).event_gap(5ms);
  start_tls();
  RawClient raw = secure();
  raw.send(post_request(kChat, stream_body()));
  ASSERT_TRUE(raw.read_head());
  ASSERT_TRUE(raw.next_event());
  expect_closed_after_leaving(raw);
}

TEST_P(TlsAbort, F06WhileWaitingForAnAnswer) {
  upstream_.on(kChat).hang();
  start_tls();
  RawClient raw = secure();
  raw.send(post_request(kChat, chat_body()));
  ASSERT_TRUE(upstream_.wait_for_requests(1));
  expect_closed_after_leaving(raw);
}

std::string name_of(const ::testing::TestParamInfo<Leave>& how) {
  constexpr std::array kNames = {"Goodbye", "GoodbyeAndFin", "Fin", "Reset", "HalfClose"};
  return kNames[static_cast<std::size_t>(how.param)];
}
INSTANTIATE_TEST_SUITE_P(By, TlsAbort,
                         ::testing::Values(Leave::kGoodbye, Leave::kGoodbyeAndFin, Leave::kFin, Leave::kReset,
                                           Leave::kHalfClose),
                         name_of);

class TlsAbortMany : public TlsListenerTest {};

// With the read-ahead full no read is pending, and the connection's state is asked for instead.
TEST_F(TlsAbortMany, F06BehindAFullReadAhead) {
  upstream_.on(kChat).stream({role_chunk()}).stall();
  start_tls();
  RawClient raw = secure();
  std::string pipelined = post_request(kChat, stream_body());
  while (pipelined.size() < 40'000) pipelined += post_request(kChat, chat_body());
  raw.send(pipelined);
  ASSERT_TRUE(raw.read_head());
  ASSERT_TRUE(raw.next_event());
  const auto left = Clock::now();
  raw.close();
  const ObservedConnection seen = upstream_.wait_for_disconnect(0);
  ASSERT_NE(seen.peer, End::kOpen);
  EXPECT_LE(seen.closed_at - left, abort_bound());
  EXPECT_EQ(only_trace_line()["outcome"], "client_abort");
}

TEST_F(TlsAbortMany, F05LeavesNoDescriptorBehind) {
  upstream_.on(kChat).stream({role_chunk(), text_chunk("a")}).stall();
  start_tls();
  RawClient first = secure();
  first.send(get_request("/v1/models"));
  ASSERT_EQ(first.read_response().status, 200);
  first.close();
  ASSERT_EQ(gateway().trace(1).size(), 1U) << "the trace file is open from now on";
  ASSERT_TRUE(eventually([&] { return gateway().metrics().sum("sluice_client_connections") == 0; }));
  const std::size_t before = gateway().open_fds();
  for (int i = 0; i < 60; ++i) {
    RawClient raw = secure();
    raw.send(post_request(kChat, stream_body()));
    if (i % 2 == 0) raw.read_head();
    i % 3 == 0 ? raw.reset() : i % 3 == 1 ? raw.cut() : raw.close();
  }
  ASSERT_TRUE(eventually([&] { return gateway().metrics().sum("sluice_requests_in_flight") == 0; }));
  EXPECT_TRUE(eventually([&] { return gateway().open_fds() <= before; })) << gateway().open_fds() << " > " << before;
}

}  // namespace
}  // namespace sluice::integration
