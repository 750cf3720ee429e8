// F48: a long stream arrives to the last byte, however it is torn. U40: what is compressed is never passed on.

#include <random>

#include "integration/fixture.hpp"

namespace sluice::integration {
namespace {

using Fidelity = GatewayTest;

std::vector<std::string> long_stream(std::size_t count) {
  const std::vector<std::string> texts = {"plain",     "北京",      "😀", R"(\u4e2d\n)",
                                          R"(\ud83d)", R"(\ude00)", " ",  "x y  z"};
  std::vector<std::string> events{role_chunk()};
  for (std::size_t i = 0; i < count; ++i) {
    events.push_back(chunk(R"([{"index":0,"delta":{"content":")" + texts[i % texts.size()] + " " + std::to_string(i) +
                           R"("},"finish_reason":null}])"));
  }
  events.push_back(finish_chunk());
  events.push_back(kDone);
  return events;
}

// The text in chunks whose borders fall anywhere, each with a size of its own.
std::string in_chunks(const std::string& text, std::mt19937& random) {
  std::string out = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size =
        std::min<std::size_t>(text.size() - at, 1 + random() % (random() % 10 == 0 ? 20'000 : 300));
    char length[16];
    std::snprintf(length, sizeof length, "%zx\r\n", size);
    out.append(length).append(text, at, size).append("\r\n");
    at += size;
  }
  return out + "0\r\n\r\n";
}

TEST_F(Fidelity, F48AHundredThousandEventsArriveByteForByte) {
  constexpr std::size_t kEvents = 100'000;
  const std::string text = sse_text(long_stream(kEvents));
  std::mt19937 random(11);
  upstream_.on(kChat).raw(in_chunks(text, random));
  start();
  const auto before = Clock::now();
  const Response response = ask(stream_body(), "", 50s);
  EXPECT_TRUE(response.complete);
  EXPECT_EQ(response.body.size(), text.size());
  EXPECT_TRUE(response.body == text);
  EXPECT_EQ(only_trace_line()["events"], kEvents + 3);
  EXPECT_LT(Clock::now() - before, 45s);
}

TEST_F(Fidelity, F48LineEndsOfAnyKindAndPacketsOfAnySizeMakeNoDifference) {
  const std::string text = sse_text(long_stream(300));
  std::mt19937 random(13);
  std::vector<std::string> sent;
  for (const std::string end : {"\n", "\r\n", "\r"}) {
    std::string with_ends;
    for (const char c : text) with_ends += c == '\n' ? end : std::string(1, c);
    for (int i = 0; i < 5; ++i) sent.push_back(in_chunks(with_ends, random));
  }
  std::size_t next = 0;
  upstream_.set_script([&](const ObservedRequest&) {
    Behaviour behaviour;
    behaviour.raw(sent[next]);
    for (std::size_t at = 1; at < sent[next].size(); at += 1 + random() % 2'000) behaviour.split_at(at);
    ++next;
    return behaviour;
  });
  start();
  for (std::size_t i = 0; i < sent.size(); ++i) EXPECT_TRUE(ask(stream_body()).body == text) << i;
}

TEST_F(Fidelity, F45U40CompressedAnswersAreABadGatewayAndNeverRead) {
  const std::string zeros(65'536, '\0');
  for (const std::string encoding :
       {"gzip", "br", "deflate", "zstd", "GZIP", "x-gzip", "gzip, gzip", "identity, gzip"}) {
    upstream_.on_model(encoding).header("content-encoding", encoding).json("\x1f\x8b\x08").stall();
    upstream_.on_model(encoding).header("content-encoding", encoding).sse({"\x1f\x8b\x08"}).repeat_forever(zeros);
    upstream_.on_model(encoding)
        .status(503)
        .header("content-encoding", encoding)
        .header("retry-after", "3")
        .json("\x1f\x8b");
  }
  start({.models = R"("*": "up/*")"});
  std::size_t connections = 0;
  for (const std::string encoding :
       {"gzip", "br", "deflate", "zstd", "GZIP", "x-gzip", "gzip, gzip", "identity, gzip"}) {
    EXPECT_TRUE(is_error(ask(chat_body(encoding)), 502, "upstream_invalid_response")) << encoding;
    EXPECT_NE(upstream_.wait_for_disconnect(connections++).peer, End::kOpen);
    EXPECT_TRUE(is_error(ask(stream_body(encoding)), 502, "upstream_invalid_response")) << encoding;
    EXPECT_NE(upstream_.wait_for_disconnect(connections++).peer, End::kOpen);
    const Response limited = ask(chat_body(encoding));
    EXPECT_EQ(limited.status, 503) << "the status can be read";
    EXPECT_EQ(limited.header("retry-after"), "3");
    EXPECT_NE(upstream_.wait_for_disconnect(connections++).peer, End::kOpen) << "its body was not";
  }
  upstream_.on_model("identity").header("content-encoding", "identity").json(chat_answer());
  const Response plain = ask(chat_body("identity"));
  EXPECT_EQ(plain.body, chat_answer());
  EXPECT_EQ(plain.head.count("content-encoding"), 0U);
}

}  // namespace
}  // namespace sluice::integration
