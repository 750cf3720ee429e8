// F11: every limit to the byte. One less and the limit itself pass, one more does not.

#include "integration/fixture.hpp"

namespace sluice::integration {
namespace {

class Limits : public GatewayTest {
 protected:
  static constexpr std::size_t kHead = 4096, kFields = 20, kUri = 1024, kBody = 8192, kAnswer = 8192, kEvent = 2048,
                               kErrorBody = 1024;

  void SetUp() override {
    start({.limits = "header_bytes: 4096B, header_fields: 20, uri_bytes: 1024B, body_bytes: 8192B, "
                     "response_bytes: 8192B, event_bytes: 2048B, error_bytes: 1024B"});
  }
  // What comes of sizes around the limit; `send` makes the exchange of that size.
  template <class Send>
  void expect_limit(std::size_t limit, int status, const std::string& code, Send send) {
    for (const std::size_t size : {limit - 1, limit}) EXPECT_EQ(send(size).status, 200) << size;
    EXPECT_TRUE(is_error(send(limit + 1), status, code)) << limit + 1;
  }
  Response send(const std::string& request) { return fetch(gateway().port(), request); }
};

std::string padded(const std::string& before, std::size_t size, const std::string& after) {
  return before + std::string(size - before.size() - after.size(), 'y') + after;
}

TEST_F(Limits, F11OfAHeadFromItsFirstByteToItsEmptyLine) {
  expect_limit(kHead, 431, "headers_too_large", [this](std::size_t size) {
    return send(padded("GET /v1/models HTTP/1.1\r\nhost: a\r\nx: ", size, "\r\n\r\n"));
  });
}

TEST_F(Limits, F11OfFieldsHostAmongThem) {
  expect_limit(kFields, 431, "headers_too_large", [this](std::size_t count) {
    std::string fields;
    for (std::size_t i = 1; i < count; ++i) fields += "x: y\r\n";
    return send("GET /v1/models HTTP/1.1\r\nhost: a\r\n" + fields + "\r\n");
  });
}

TEST_F(Limits, F11OfATargetWithItsQuery) {
  expect_limit(kUri, 414, "uri_too_long", [this](std::size_t size) { return get(padded("/v1/models?q=", size, "")); });
}

TEST_F(Limits, F11OfABodyByItsLength) {
  upstream_.on(kChat).json(chat_answer());
  expect_limit(kBody, 413, "request_too_large", [this](std::size_t size) {
    return ask(padded(R"({"model":"m","messages":[{"role":"user","content":")", size, "\"}]}"));
  });
  EXPECT_EQ(upstream_.requests().size(), 2U);
}

TEST_F(Limits, F11OfABodyInChunksWithoutTheirFraming) {
  upstream_.on(kChat).json(chat_answer());
  expect_limit(kBody, 413, "request_too_large", [this](std::size_t size) {
    const std::string body = padded(R"({"model":"m","messages":[{"role":"user","content":")", size, "\"}]}");
    std::string chunks;
    for (std::size_t at = 0; at < body.size(); at += 100) {
      const std::string piece = body.substr(at, 100);
      char length[16];
      std::snprintf(length, sizeof length, "%zx;x\r\n", piece.size());
      chunks += length + piece + "\r\n";
    }
    return send("POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n" + chunks +
                "0\r\n\r\n");
  });
  EXPECT_EQ(upstream_.requests().size(), 2U);
}

TEST_F(Limits, F45OfAnAnswer) {
  expect_limit(kAnswer, 502, "upstream_invalid_response", [this](std::size_t size) {
    upstream_.forget_script();
    upstream_.on(kChat).json(padded(R"({"choices":[],"x":")", size, "\"}"));
    return ask(chat_body());
  });
}

TEST_F(Limits, F47OfAnEventByItsDataLine) {
  const std::string before = R"(data: {"choices":[{"index":0,"delta":{"content":")";
  const std::string after = R"("},"finish_reason":"stop"}]})";
  expect_limit(kEvent, 502, "upstream_event_too_big", [&](std::size_t size) {
    upstream_.forget_script();
    upstream_.on(kChat).sse({padded(before, size, after) + "\n\n", "data: [DONE]\n\n"});
    return ask(stream_body());
  });
}

TEST_F(Limits, F36OfAnErrorBodyBeyondWhichItsTextIsLost) {
  for (const std::size_t size : {kErrorBody - 1, kErrorBody, kErrorBody + 1}) {
    upstream_.forget_script();
    upstream_.on(kChat).status(400).json(padded(R"({"error":{"message":"the reason","x":")", size, "\"}}"));
    const Response response = ask(chat_body());
    EXPECT_EQ(response.status, 400) << size;
    EXPECT_EQ(response.body.find("the reason") != std::string::npos, size <= kErrorBody) << size;
  }
}

}  // namespace
}  // namespace sluice::integration
