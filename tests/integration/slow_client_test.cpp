// Clients that send slowly, or stop: each is given up in time, and the others do not notice.

#include "integration/fixture.hpp"

namespace sluice::integration {
namespace {

using SlowClient = GatewayTest;

const std::string kPostHead = "POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n";

// A piece each `gap`, until there is an answer or nothing is left to send. How long that took.
milliseconds trickle(RawClient& raw, std::string_view bytes, std::size_t piece, milliseconds gap) {
  const auto start = Clock::now();
  while (!bytes.empty() && raw.send(bytes.substr(0, piece)) && raw.stays_silent(gap)) {
    bytes.remove_prefix(std::min(piece, bytes.size()));
  }
  return std::chrono::duration_cast<milliseconds>(Clock::now() - start);
}

TEST_F(SlowClient, F02AHeadInTricklingBytesEndsAfterTheTotalTime) {
  start({.limits = "head_timeout: 600ms"});
  RawClient raw = client();
  const auto took = trickle(raw, get_request("/v1/models"), 1, 100ms);
  EXPECT_TRUE(is_error(raw.read_response(3s), 408, "request_timeout"));
  EXPECT_EQ(raw.wait_end(2s), End::kFin);
  EXPECT_GE(took, 550ms);
  EXPECT_LT(took, 2s) << "each byte must not begin the time anew";
  EXPECT_EQ(gateway().metrics().sum("sluice_http_rejects_total", {"reason=\"request_timeout\""}), 1);
}

TEST_F(SlowClient, F02BytesThatComeFasterThanTimersTickPutNothingOff) {
  start({.limits = "head_timeout: 400ms"});
  RawClient raw = client();
  const std::string endless = "GET /v1/models HTTP/1.1\r\nhost: a\r\nx: " + std::string(60'000, 'y');
  EXPECT_LT(trickle(raw, endless, 1, 1ms), 3s);
  EXPECT_TRUE(is_error(raw.read_response(3s), 408, "request_timeout"));
}

TEST_F(SlowClient, F02AnEmptyConnectionIsClosedWithoutAWord) {
  start({.limits = "head_timeout: 100ms, keepalive_timeout: 300ms"});
  RawClient raw = client();
  EXPECT_EQ(raw.wait_end(3s), End::kFin);
  EXPECT_TRUE(raw.unread().empty());
  EXPECT_EQ(gateway().metrics().sum("sluice_http_rejects_total"), 0);
}

class SlowBody : public GatewayTest, public ::testing::WithParamInterface<std::pair<const char*, std::string>> {};

// What comes at once, before the body trickles.
INSTANTIATE_TEST_SUITE_P(Framings, SlowBody,
                         ::testing::Values(std::pair{"Length", kPostHead + "content-length: 50000\r\n\r\n"},
                                           std::pair{"LongLength", kPostHead + "content-length: 9000000\r\n\r\n" +
                                                                       std::string(200'000, ' ')},
                                           std::pair{"Chunked",
                                                     kPostHead + "transfer-encoding: chunked\r\n\r\nffff\r\n"}),
                         [](const auto& one) { return one.param.first; });

TEST_P(SlowBody, F03SlowerThanTheRateIsGivenUpUnconnected) {
  start({.limits = "body_timeout: 30s, body_min_rate: 1KiB/s, body_rate_window: 400ms"});
  RawClient raw = client();
  raw.send(GetParam().second);
  const auto took = trickle(raw, std::string(2'000, ' '), 10, 40ms);  // 250 bytes per second
  EXPECT_LT(took, 3s);
  EXPECT_TRUE(is_error(raw.read_response(3s), 408, "request_timeout"));
  EXPECT_EQ(raw.wait_end(2s), End::kFin);
  const json line = only_trace_line();
  EXPECT_EQ(line["outcome"], "rejected");
  EXPECT_GT(line["bytes_in"], 0);
  EXPECT_EQ(upstream_.connections().size(), 0U) << "no connect before the body is complete";
}

TEST_P(SlowBody, F03FastEnoughButEndlessIsGivenUpAfterTheTotalTime) {
  start({.limits = "body_timeout: 600ms, body_min_rate: 1KiB/s, body_rate_window: 200ms"});
  RawClient raw = client();
  raw.send(GetParam().second);
  const auto took = trickle(raw, std::string(40'000, ' '), 100, 10ms);
  EXPECT_GE(took, 500ms);
  EXPECT_LT(took, 3s);
  EXPECT_TRUE(is_error(raw.read_response(3s), 408, "request_timeout"));
  EXPECT_EQ(upstream_.connections().size(), 0U);
}

TEST_F(SlowClient, F03ABodyThatKeepsThePaceIsServed) {
  upstream_.on(kChat).json(chat_answer());
  start({.limits = "body_min_rate: 1KiB/s, body_rate_window: 200ms"});
  RawClient raw = client();
  const std::string request = post_request(kChat, chat_body("m", "\"x\":\"" + std::string(4'000, 'y') + "\""));
  EXPECT_GE(trickle(raw, request, 100, 15ms), 500ms) << "it took longer than two windows";
  EXPECT_EQ(raw.read_response().status, 200);
}

TEST_F(SlowClient, F02F03HundredsOfSlowConnectionsDoNotHarmTheOthers) {
  upstream_.on(kChat).json(chat_answer());
  start({.limits = "head_timeout: 1500ms, body_timeout: 1500ms"});
  std::vector<RawClient> heads, bodies;
  for (int i = 0; i < 150; ++i) {
    heads.push_back(client());
    heads.back().send("POST /v1/chat/completions HTTP/1.1\r\nhost: ");
    bodies.push_back(client());
    bodies.back().send(kPostHead + "content-length: 1000000\r\n\r\n{");
  }
  for (int i = 0; i < 50; ++i) ASSERT_EQ(ask(chat_body()).status, 200);
  for (auto* slow : {&heads, &bodies}) {
    for (RawClient& raw : *slow) EXPECT_EQ(raw.read_response(5s).status, 408);
  }
  EXPECT_EQ(gateway().metrics().sum("sluice_http_rejects_total", {"reason=\"request_timeout\""}), 150);
  EXPECT_EQ(gateway().metrics().sum("sluice_requests_total", {"outcome=\"rejected\"", "status=\"408\""}), 150);
  heads.clear();
  bodies.clear();
  EXPECT_TRUE(eventually([&] { return gateway().metrics().sum("sluice_client_connections") == 0; }));
}

}  // namespace
}  // namespace sluice::integration
