// A client that reads slowly, or not at all, costs a bounded amount of memory and a bounded time.

#include "integration/fixture.hpp"

namespace sluice::integration {
namespace {

using Backpressure = GatewayTest;

constexpr std::size_t kMebibyte = 1024 * 1024;

std::string big_event() { return "data: " + text_chunk(std::string(16 * 1024, 'x')) + "\n\n"; }

// True once the upstream's count of sent bytes has not moved for a while.
bool sending_has_paused(const ScriptedUpstream& upstream, milliseconds still) {
  std::size_t last = 0;
  auto since = Clock::now();
  return eventually(
      [&] {
        const std::size_t now = upstream.connections().at(0).bytes_out;
        if (now != last) since = Clock::now();
        last = now;
        return now > 0 && Clock::now() - since > still;
      },
      20s);
}

TEST_F(Backpressure, F04AStalledReaderPausesTheUpstreamAndIsCut) {
  upstream_.on(kChat).stream({role_chunk()}).repeat_forever(big_event());
  start({.limits = "write_timeout: 1500ms"});
  const std::size_t before = gateway().resident_bytes();
  RawClient raw = client(4096);
  raw.send(post_request(kChat, stream_body()));
  ASSERT_TRUE(upstream_.wait_for_requests(1));
  ASSERT_TRUE(sending_has_paused(upstream_, 500ms)) << "the upstream is still being read";
  EXPECT_LT(upstream_.connections()[0].bytes_out, 64 * kMebibyte);
  EXPECT_LT(gateway().resident_bytes(), before + 16 * kMebibyte);
  EXPECT_NE(upstream_.wait_for_disconnect(0, 10s).peer, End::kOpen);
  const json line = only_trace_line();
  EXPECT_EQ(line["outcome"], "client_stalled");
  EXPECT_NE(raw.wait_end(5s), End::kOpen);
  EXPECT_EQ(raw.unread().find("[DONE]"), std::string::npos);
}

TEST_F(Backpressure, F04ASlowReaderThatKeepsReadingIsNotCut) {
  std::vector<std::string> events = chat_stream(std::vector<std::string>(400, std::string(16 * 1024, 'x')));
  upstream_.on(kChat).stream(events);
  start({.limits = "write_timeout: 1s"});
  RawClient raw = client(16 * 1024);
  raw.send(post_request(kChat, stream_body()));
  ASSERT_TRUE(raw.read_head());
  for (int i = 0; i < 15; ++i) {  // longer than the write timeout, altogether
    ASSERT_TRUE(raw.next_event());
    EXPECT_FALSE(wait_any({}, Clock::now() + 100ms));
  }
  const Response response = raw.finish(20s);
  EXPECT_TRUE(response.complete);
  EXPECT_EQ(data_of(response), events);
}

// A byte now and then does not put the end off: what was written has to be taken as a whole within the time.
TEST_F(Backpressure, F04AReaderOfSingleBytesIsCutAsWell) {
  upstream_.on(kChat).stream({role_chunk()}).repeat_forever(big_event());
  start({.limits = "write_timeout: 700ms"});
  RawClient raw = client(4096);
  raw.send(post_request(kChat, stream_body()));
  ASSERT_TRUE(raw.read_head());
  const bool cut = eventually(
      [&] {
        char byte = 0;
        read_some(raw.fd(), &byte, 1);
        return upstream_.connections().at(0).peer != End::kOpen;
      },
      10s);
  EXPECT_TRUE(cut);
  EXPECT_EQ(only_trace_line()["outcome"], "client_stalled");
}

// Each piece is taken in time, but there is no end to it.
TEST_F(Backpressure, F04TheTotalTimeEndsASteadySlowReader) {
  upstream_.on(kChat).stream({role_chunk()}).repeat_forever(big_event());
  start({.timeouts = "total: 1200ms", .limits = "write_timeout: 30s"});
  RawClient raw = client(16 * 1024);
  raw.send(post_request(kChat, stream_body()));
  const auto start = Clock::now();
  ASSERT_TRUE(raw.read_head());
  while (Clock::now() - start < 5s && raw.next_event(200ms)) EXPECT_FALSE(wait_any({}, Clock::now() + 20ms));
  EXPECT_NE(raw.finish(5s).end, End::kOpen);
  EXPECT_LT(Clock::now() - start, 5s);
  const json line = only_trace_line();
  EXPECT_TRUE(line["outcome"] == "timeout" || line["outcome"] == "client_stalled") << line;
}

TEST_F(Backpressure, F04TheTotalTimeEndsTheSlowReadingOfAWholeAnswer) {
  upstream_.on(kChat).json(chat_answer(std::string(30 * kMebibyte, 'x')));
  start({.timeouts = "total: 1500ms", .limits = "write_timeout: 30s"});
  RawClient raw = client(4096);
  raw.send(post_request(kChat, chat_body()));
  EXPECT_EQ(only_trace_line(10s)["outcome"], "client_stalled");
}

TEST_F(Backpressure, AStalledReaderOfAWholeAnswerIsCutToo) {
  upstream_.on(kChat).json(chat_answer(std::string(30 * kMebibyte, 'x')));
  start({.limits = "write_timeout: 500ms"});
  RawClient raw = client(4096);
  raw.send(post_request(kChat, chat_body()));
  EXPECT_EQ(only_trace_line(15s)["outcome"], "client_stalled");
}

TEST_F(Backpressure, TwentyStalledReadersStayWithinBounds) {
  upstream_.on(kChat).stream({role_chunk()}).repeat_forever(big_event());
  start({.limits = "write_timeout: 3s"});
  const std::size_t before = gateway().resident_bytes();
  std::vector<RawClient> readers;
  for (int i = 0; i < 20; ++i) {
    readers.push_back(client(4096));
    readers.back().send(post_request(kChat, stream_body()));
  }
  ASSERT_TRUE(upstream_.wait_for_requests(20));
  ASSERT_TRUE(sending_has_paused(upstream_, 300ms));
  EXPECT_LT(gateway().resident_bytes(), before + 32 * kMebibyte);
  EXPECT_LT(upstream_.connections()[0].bytes_out, 64 * kMebibyte);
  for (const json& line : gateway().trace(20, 15s)) EXPECT_EQ(line["outcome"], "client_stalled");
}

}  // namespace
}  // namespace sluice::integration
