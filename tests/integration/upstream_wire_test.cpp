// What an upstream does to HTTP itself: interim heads, framing that lies, floods, connections that die in the pool.

#include "integration/fixture.hpp"

namespace sluice::integration {
namespace {

using UpstreamWire = GatewayTest;

std::string answer_head(const std::string& more) {
  return "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n" + more + "\r\n";
}

TEST_F(UpstreamWire, F42U55AReusedConnectionThatDiesIsReplayedOnce) {
  upstream_.on(kChat).json(chat_answer());
  upstream_.on(kChat).close_before_answer();
  upstream_.on(kChat).json(chat_answer());
  upstream_.on(kChat).reset_before_answer();
  upstream_.on(kChat).json(chat_answer());
  start();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(ask(chat_body()).status, 200) << i;
  EXPECT_EQ(upstream_.requests().size(), 5U);
  EXPECT_EQ(upstream_.connections().size(), 3U);
}

TEST_F(UpstreamWire, F42AFreshConnectionThatDiesIsNotReplayed) {
  upstream_.on(kChat).json(chat_answer());
  upstream_.on(kChat).close_before_answer();
  start();
  EXPECT_EQ(ask(chat_body()).status, 200);
  EXPECT_TRUE(is_error(ask(chat_body()), 502, "upstream_connection_lost"));
  EXPECT_EQ(upstream_.requests().size(), 3U) << "one replay, on a fresh connection, and no more";
}

TEST_F(UpstreamWire, F42NothingIsReplayedOnceAByteOfTheAnswerCame) {
  upstream_.on(kChat).json(chat_answer());
  upstream_.on(kChat).raw("HTTP/1.1 200 OK\r\nconte").then_fin();
  start();
  EXPECT_EQ(ask(chat_body()).status, 200);
  EXPECT_EQ(ask(chat_body()).status, 502);
  EXPECT_EQ(upstream_.requests().size(), 2U);
}

TEST_F(UpstreamWire, F42AnUpstreamThatClosesAfterEachAnswerGoesUnnoticed) {
  upstream_.on(kChat).json(chat_answer()).close_after_answer();
  start();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(ask(chat_body()).status, 200) << i;
}

TEST_F(UpstreamWire, F44StrayBytesAreNeverTakenForTheNextAnswer) {
  const std::string stray = answer_head("content-length: 6\r\n") + "\"evil\"";
  upstream_.on(kChat).json(chat_answer("first")).stray(stray);
  upstream_.on(kChat).json(chat_answer("second"));
  start();
  EXPECT_NE(ask(chat_body()).body.find("first"), std::string::npos);
  // Bytes that come after the next request cannot be told from its answer: these have come, and cost the connection.
  ASSERT_TRUE(eventually([&] { return upstream_.connections().at(0).peer != support::End::kOpen; }));
  EXPECT_NE(ask(chat_body()).body.find("second"), std::string::npos);
  EXPECT_EQ(upstream_.connections().size(), 2U);
}

TEST_F(UpstreamWire, F43U42InterimHeadsAreSkipped) {
  const std::string interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n";
  upstream_.on(kChat).interim(interim).early_hints().json(chat_answer());
  upstream_.on(kChat).interim(interim).early_hints().stream(chat_stream({"a"}));
  start();
  const Response response = ask(chat_body());
  EXPECT_EQ(response.body, chat_answer());
  EXPECT_TRUE(response.interim.empty());
  EXPECT_TRUE(ask(stream_body()).complete);
  EXPECT_EQ(upstream_.connections().size(), 1U);
}

TEST_F(UpstreamWire, F43AnAnswerBeforeTheRequestEndedIsUsedAndTheConnectionIsNot) {
  // The upstream answers as soon as it has the head and never reads the body.
  const Listener listener = listen_loopback();
  start({.base_url = "http://127.0.0.1:" + std::to_string(listener.port) + "/v1"});
  RawClient raw = client();
  raw.send(post_request(kChat, chat_body("m", "\"x\":\"" + std::string(20'000'000, 'y') + "\"")), 20s);
  Fd accepted;
  ASSERT_TRUE(eventually([&] { return (accepted = accept_connection(listener.fd.get())).valid(); }, 10s));
  write_some(accepted.get(), "HTTP/1.1 413 Too Large\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}");
  const Response response = raw.read_response();
  EXPECT_EQ(response.status, 413);
}

TEST_F(UpstreamWire, U40AnEncodedAnswerIsNeverMislabelled) {
  upstream_.on(kChat).header("content-encoding", "gzip").json("\x1f\x8b not really gzip");
  upstream_.on(kChat).header("content-encoding", "br").stream(chat_stream({"a"}));
  start();
  EXPECT_TRUE(is_error(ask(chat_body()), 502, "upstream_invalid_response"));
  EXPECT_TRUE(is_error(ask(stream_body()), 502, "upstream_invalid_response"));
}

struct BadAnswer {
  std::string name;
  std::string bytes;
};

std::vector<BadAnswer> bad_answers() {
  const std::string body = chat_answer();
  const std::string length = "content-length: " + std::to_string(body.size()) + "\r\n";
  std::string many;
  for (int i = 0; i < 2'000; ++i) many += "x-" + std::to_string(i) + ": y\r\n";
  return {
      {"TransferEncodingAndLength", answer_head("transfer-encoding: chunked\r\n" + length) + body},
      {"GzipChunked", answer_head("transfer-encoding: gzip, chunked\r\n") + "0\r\n\r\n"},
      {"TwoLengths", answer_head(length + "content-length: 5\r\n") + body},
      {"BadLength", answer_head("content-length: 1x\r\n") + body},
      {"HugeLength", answer_head("content-length: 99999999999999999999\r\n") + body},
      {"NoReasonNoSpace", "HTTP/1.1\r\n" + length + "\r\n" + body},
      {"LineFeedsOnly", "HTTP/1.1 200 OK\ncontent-length: 2\n\n{}"},
      {"BareCarriageReturn", answer_head("x: a\rb\r\n" + length) + body},
      {"NulInValue", answer_head(std::string("x: a\0b\r\n", 8) + length) + body},
      {"NotHttp", "SSH-2.0-OpenSSH_9\r\n\r\n"},
      {"Http2Preface", std::string("\0\0\x12\4\0\0\0\0\0", 9) + body},
      {"BadChunkSize", answer_head("transfer-encoding: chunked\r\n") + "zz\r\n" + body + "\r\n0\r\n\r\n"},
      {"HugeChunkSize", answer_head("transfer-encoding: chunked\r\n") + "fffffffffffffffff\r\n" + body},
      {"TrailerOf70Kilobytes",
       answer_head("transfer-encoding: chunked\r\n") + "2\r\n{}\r\n0\r\nx: " + std::string(70'000, 'y') + "\r\n\r\n"},
      {"HeadOf200Kilobytes", answer_head("x: " + std::string(200'000, 'y') + "\r\n" + length) + body},
      {"TwoThousandFields", answer_head(many + length) + body},
      {"FoldedHeader", answer_head("x: a\r\n b\r\n" + length) + body},
      {"SwitchingProtocols", "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"},
      {"StatusOf99", "HTTP/1.1 99 Odd\r\n" + length + "\r\n" + body},
  };
}

class BadUpstreamAnswer : public GatewayTest, public ::testing::WithParamInterface<BadAnswer> {};

TEST_P(BadUpstreamAnswer, F44U51U52IsABadGatewayAndTheConnectionIsDropped) {
  upstream_.on(kChat).raw(GetParam().bytes);
  upstream_.on(kChat).json(chat_answer());
  start({.timeouts = "first_byte: 1s, idle: 1s"});
  const Response response = ask(chat_body());
  EXPECT_TRUE(is_error(response, 502, "upstream_invalid_response"));
  EXPECT_EQ(ask(chat_body()).status, 200);
  EXPECT_EQ(upstream_.connections().size(), 2U) << "the broken connection was used again";
}

INSTANTIATE_TEST_SUITE_P(Shape, BadUpstreamAnswer, ::testing::ValuesIn(bad_answers()),
                         [](const auto& answer) { return answer.param.name; });

TEST_F(UpstreamWire, U52HttpZeroNineIsABadGateway) {
  upstream_.on(kChat).raw(chat_answer()).then_fin();
  start();
  EXPECT_EQ(ask(chat_body()).status, 502);
}

TEST_F(UpstreamWire, F45AnAnswerOverTheLimitIsABadGateway) {
  upstream_.on(kChat).json("{\"a\":\"").repeat_forever(std::string(65'536, 'x'));
  start({.limits = "response_bytes: 1MiB"});
  EXPECT_EQ(ask(chat_body()).status, 502);
  EXPECT_NE(upstream_.wait_for_disconnect(0).peer, End::kOpen);
}

TEST_F(UpstreamWire, U51HttpOneZeroCloseDelimitedAnswersAreRead) {
  upstream_.on(kChat).raw("HTTP/1.0 200 OK\r\ncontent-type: application/json\r\n\r\n" + chat_answer()).then_fin();
  upstream_.on(kChat)
      .raw("HTTP/1.0 200 OK\r\ncontent-type: text/event-stream\r\n\r\n" + sse_text(chat_stream({"a"})))
      .then_fin();
  start();
  EXPECT_EQ(ask(chat_body()).body, chat_answer());
  EXPECT_EQ(ask(stream_body()).body, sse_text(chat_stream({"a"})));
}

TEST_F(UpstreamWire, ANonStreamAnswerReadsTheSameHoweverItIsSplit) {
  std::size_t next = 0;
  upstream_.set_script([&](const ObservedRequest&) { return Behaviour().json(chat_answer()).split_at(++next); });
  start();
  RawClient raw = client();
  const std::size_t size = Behaviour().json(chat_answer()).one_packet().steps()[0].bytes.size();
  for (std::size_t i = 0; i < size; ++i) {
    raw.send(post_request(kChat, chat_body()));
    ASSERT_EQ(raw.read_response().body, chat_answer()) << "split at " << i + 1;
  }
}

TEST_F(UpstreamWire, ConnectionCloseIsObeyed) {
  upstream_.on(kChat).header("connection", "close").json(chat_answer());
  start();
  EXPECT_EQ(ask(chat_body()).status, 200);
  EXPECT_NE(upstream_.wait_for_disconnect(0).peer, End::kOpen);
  EXPECT_EQ(ask(chat_body()).status, 200);
  EXPECT_EQ(upstream_.connections().size(), 2U);
}

}  // namespace
}  // namespace sluice::integration
