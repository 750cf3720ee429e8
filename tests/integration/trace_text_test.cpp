// F17, J13: what clients and upstreams write stays inside its member of one line, and nowhere else.

#include <algorithm>

#include "integration/fixture.hpp"

namespace sluice::integration {
namespace {

class TraceText : public GatewayTest {
 protected:
  // The line of the trace is the last of so many; the raw bytes of all are printable but for line feeds.
  json line_after(std::size_t count) {
    const auto lines = gateway().trace(count);
    EXPECT_EQ(lines.size(), count);
    const std::string raw = gateway().directory().read("trace.jsonl");
    EXPECT_EQ(static_cast<std::size_t>(std::ranges::count(raw, '\n')), count + 1) << "one is about the configuration";
    EXPECT_TRUE(std::ranges::none_of(raw, [](char c) { return c != '\n' && (c == 127 || (c >= 0 && c < 32)); }));
    return lines.empty() ? json() : lines.back();
  }
};

const std::vector<std::string> kTexts = {R"(\r\nstatus=200 {\"a\":1})",
                                         R"(\u001b[2J\u0007\u009b2J)",
                                         R"(${jndi:ldap://x/a})",
                                         "</script><script>",
                                         "%s%n%x",
                                         R"(\u0000\u0001\u007f)",
                                         R"(\"},{\"outcome\":\"ok\")",
                                         R"(\u2028\u2029\ufeff\u202e)",
                                         "\xf0\x9f\x98\x80"};

// The name stands in the body as it is, escapes and all.
std::string with_model(std::string body, const std::string& name) { return body.replace(body.find("MODEL"), 5, name); }

TEST_F(TraceText, F17J13ModelUserAndMetadataCannotBreakALine) {
  upstream_.on(kChat).json(chat_answer());
  start();
  std::size_t count = 0, served = 0;
  for (const auto& text : kTexts) {
    const std::string more = R"("user":")" + text + R"(","metadata":{"k":")" + text + R"("},"store":true)";
    const std::string body = with_model(chat_body("MODEL", more), "any-" + text);
    const int status = ask(body).status;
    const json line = line_after(++count);
    if (status == 400) {  // control characters are in no name
      EXPECT_EQ(line["model"], "") << text;
      continue;
    }
    EXPECT_EQ(status, 200) << text;
    EXPECT_EQ(line["model"], json::parse("\"any-" + text + "\"")) << text;
    EXPECT_EQ(line["upstream_model"], line["model"]);
    EXPECT_EQ(line["route"], "any-*");
    EXPECT_EQ(line["outcome"], "ok");
    EXPECT_EQ(upstream_.request(served++).body, body) << "byte for byte";
  }
  const std::string log = gateway().output();
  EXPECT_EQ(log.find('\x1b'), std::string::npos);
  EXPECT_EQ(log.find("\nstatus=200"), std::string::npos);
}

TEST_F(TraceText, J13LongTextIsCutInTheTraceAndForwardedWhole) {
  upstream_.on(kChat).json(chat_answer());
  start();
  const std::string text(64 * 1024, 'y');
  const std::string body = chat_body("any-" + text, R"("user":")" + text + R"(","metadata":{"k":")" + text + "\"}");
  EXPECT_EQ(ask(body).status, 200);
  const json line = line_after(1);
  EXPECT_EQ(line["model"], "any-" + std::string(60, 'y') + "…");
  EXPECT_EQ(upstream_.request(0).body, body);
  EXPECT_LT(gateway().directory().read("trace.jsonl").size(), 2000U);
}

TEST_F(TraceText, F17HeadersOfClientsAndUpstreamsCannotBreakALine) {
  std::string visible;
  for (int c = 33; c < 127; ++c) visible += static_cast<char>(c);
  for (int c = 0x80; c < 0x100; ++c) visible += static_cast<char>(c);
  std::size_t count = 0;
  start();
  for (std::size_t at = 0; at < visible.size(); at += 32) {
    const std::string part = visible.substr(at, 32);
    upstream_.forget_script();
    upstream_.on(kChat).header("x-request-id", part).json(chat_answer());
    const Response response = ask(chat_body(), "x-client-request-id: " + part + "\r\n");
    if (response.status == 400) continue;  // refused before it is believed
    const json line = line_after(++count);
    const std::string id = line.value("client_request_id", "");
    EXPECT_EQ(id, line.value("upstream_request_id", ""));
    EXPECT_TRUE(id.empty() || id == part) << line;
  }
  EXPECT_GE(count, 2U);
}

TEST_F(TraceText, F17WhatAnUpstreamCallsAnEndIsCut) {
  std::string answer = chat_answer();
  const std::string stop = R"("finish_reason":"stop")";
  ASSERT_NE(answer.find(stop), std::string::npos);
  answer.replace(answer.find(stop), stop.size(), R"("finish_reason":"\n\u001b[2J)" + std::string(100'000, 'z') + "\"");
  upstream_.on(kChat).json(answer);
  start();
  EXPECT_EQ(ask(chat_body()).status, 200);
  EXPECT_EQ(line_after(1)["finish_reason"], "other") << "only the names that OpenAI has go into the record";
}

}  // namespace
}  // namespace sluice::integration
