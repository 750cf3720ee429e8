// Byte-faithfulness of requests and non-stream answers: everything but the declared edits arrives as it was sent.

#include "integration/fixture.hpp"

namespace sluice::integration {
namespace {

using Relay = GatewayTest;

const std::string kOddBody =
    R"({ "seed": 9007199254740993,"temperature":1.0 , "model" :"NAME","x_unknown":{"b":1,"a":[1e2,0.10,-0]},)"
    "\n\t"
    R"("messages":[{"role":"user","content":"caf\u00e9 ☕"}],"logit_bias":{"50256":-100},)"
    R"("metadata":{"z":"","a":"1"}})";

std::string named(std::string body, const std::string& model) {
  body.replace(body.find("NAME"), 4, model);
  return body;
}

TEST_F(Relay, SendsTheBodyByteForByteButForTheModel) {
  upstream_.on(kChat).json(chat_answer());
  start();
  EXPECT_EQ(ask(named(kOddBody, "m")).status, 200);
  EXPECT_EQ(ask(named(kOddBody, "any-thing")).status, 200);
  ASSERT_TRUE(upstream_.wait_for_requests(2));
  EXPECT_EQ(upstream_.request(0).body, named(kOddBody, "upstream-model"));
  EXPECT_EQ(upstream_.request(1).body, named(kOddBody, "any-thing"));
}

TEST_F(Relay, AnswersByteForByte) {
  const std::string answer =
      "\n {\"id\":\"x\",\"object\":\"chat.completion\",\"created\":1,\"model\":\"upstream-model\","
      "\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"\\u00e9\"},"
      "\"logprobs\":null,\"finish_reason\":\"stop\"}],\"x_timing\":1.50,\"big\":12345678901234567890,"
      "\"usage\":{\"total_tokens\":3,\"prompt_tokens\":1,\"completion_tokens\":2}} \n";
  upstream_.on(kChat).json(answer);
  start();
  const Response response = ask(chat_body());
  EXPECT_EQ(response.body, answer);
  EXPECT_EQ(response.header("content-type"), "application/json");
}

TEST_F(Relay, ForwardsTheQuery) {
  upstream_.on(kChat).json(chat_answer());
  start();
  const Response response = fetch(gateway().port(), post_request(kChat + std::string("?beta=true&x=%2F"), chat_body()));
  EXPECT_EQ(response.status, 200);
  ASSERT_TRUE(upstream_.wait_for_requests(1));
  EXPECT_EQ(upstream_.request(0).target, "/v1/chat/completions?beta=true&x=%2F");
}

TEST_F(Relay, KeepsTheBodyOfChunkedRequests) {
  upstream_.on(kChat).json(chat_answer());
  start();
  const std::string body = chat_body("any-x");
  RawClient raw = client();
  raw.send(
      "POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n"
      "transfer-encoding: chunked\r\n\r\n10\r\n" +
      body.substr(0, 16) + "\r\n");
  raw.send("1\r\n" + body.substr(16, 1) + "\r\n");
  std::string rest = body.substr(17);
  char size[16];
  std::snprintf(size, sizeof size, "%zx", rest.size());
  raw.send(std::string(size) + ";ext=1\r\n" + rest + "\r\n0\r\nx-trailer: 1\r\n\r\n");
  EXPECT_EQ(raw.read_response().status, 200);
  ASSERT_TRUE(upstream_.wait_for_requests(1));
  EXPECT_EQ(upstream_.request(0).body, body);
  EXPECT_EQ(upstream_.request(0).head.count("x-trailer"), 0U);
}

TEST_F(Relay, ForcesUsageInStreamsAndTouchesNothingElse) {
  upstream_.on(kChat).stream(chat_stream_with_usage({"a"}));
  start();
  const std::string body = R"({"model":"any-x","stream":true,"seed":1.0,"messages":[{"role":"user","content":"x"}]})";
  EXPECT_EQ(ask(body).status, 200);
  ASSERT_TRUE(upstream_.wait_for_requests(1));
  auto sent = nlohmann::ordered_json::parse(upstream_.request(0).body);
  EXPECT_EQ(sent["stream_options"]["include_usage"], true);
  sent.erase("stream_options");
  EXPECT_EQ(sent.dump(), nlohmann::ordered_json::parse(body).dump());
  EXPECT_NE(upstream_.request(0).body.find("\"seed\":1.0"), std::string::npos);
}

TEST_F(Relay, KeepsTheClientsOtherStreamOptions) {
  upstream_.on(kChat).stream(chat_stream_with_usage({"a"}));
  start();
  ask(stream_body("m", R"("stream_options":{"continuous_usage_stats":true,"include_usage":false})"));
  ask(stream_body("m", R"("stream_options":{})"));
  ask(stream_body("m", R"("stream_options":null)"));
  ask(stream_body("m", R"("stream_options":{"include_usage":true})"));
  ASSERT_TRUE(upstream_.wait_for_requests(4));
  for (const ObservedRequest& request : upstream_.requests()) {
    EXPECT_EQ(json::parse(request.body)["stream_options"]["include_usage"], true) << request.body;
  }
  EXPECT_EQ(json::parse(upstream_.request(0).body)["stream_options"]["continuous_usage_stats"], true);
}

TEST_F(Relay, HidesTheUsageChunkUnlessAskedFor) {
  upstream_.on(kChat).stream(chat_stream_with_usage({"a", "b"}));
  start();
  EXPECT_EQ(ask(stream_body()).body, sse_text(chat_stream({"a", "b"})));
  EXPECT_EQ(ask(stream_body("m", R"("stream_options":{"include_usage":true})")).body,
            sse_text(chat_stream_with_usage({"a", "b"})));
  const auto lines = gateway().trace(2);
  ASSERT_EQ(lines.size(), 2U);
  for (const json& line : lines) {
    EXPECT_EQ(line["usage"]["input"], 12);
    EXPECT_EQ(line["usage"]["output"], 7);
    EXPECT_EQ(line["usage"]["source"], "reported");
  }
}

TEST_F(Relay, AppliesTheQuirksOfTheProvider) {
  upstream_.on(kChat).json(chat_answer());
  start({.provider = "quirks: {drop: [store, metadata], rename: {max_completion_tokens: max_tokens}}"});
  ask(R"({"store":true,"model":"any-x","max_completion_tokens": 5,"messages":[{"role":"user","content":"x"}],)"
      R"("metadata":{"a":"b"},"top_k":3})");
  ASSERT_TRUE(upstream_.wait_for_requests(1));
  EXPECT_EQ(nlohmann::ordered_json::parse(upstream_.request(0).body).dump(),
            R"({"model":"any-x","max_tokens":5,"messages":[{"role":"user","content":"x"}],"top_k":3})");
}

TEST_F(Relay, LeavesStreamOptionsAloneWhenTheQuirkSaysSo) {
  upstream_.on(kChat).stream(chat_stream({"a"}));
  start({.provider = "quirks: {stream_usage: false}"});
  ask(stream_body("any-x"));
  ASSERT_TRUE(upstream_.wait_for_requests(1));
  EXPECT_EQ(upstream_.request(0).body, stream_body("any-x"));
}

TEST_F(Relay, ForwardsOnlyHeadersThatAreMeantToTravel) {
  upstream_.on(kChat).json(chat_answer());
  start();
  ask(chat_body(),
      "authorization: Bearer sk-client\r\nx-api-key: sk-client\r\napi-key: sk-client\r\ncookie: a=b\r\n"
      "connection: keep-alive, x-hop\r\nx-hop: 1\r\nkeep-alive: 5\r\nte: trailers\r\nproxy-authorization: x\r\n"
      "accept-encoding: gzip, br\r\nx-forwarded-for: 1.2.3.4\r\ntraceparent: 00-1-2-01\r\nopenai-beta: "
      "assistants=v2\r\n"
      "x-client-request-id: mine-1\r\n");
  ASSERT_TRUE(upstream_.wait_for_requests(1));
  const Head head = upstream_.request(0).head;
  EXPECT_EQ(head.count("authorization"), 1U);
  EXPECT_EQ(head.get("authorization"), "Bearer sk-upstream-secret");
  for (const char* name : {"x-api-key", "api-key", "cookie", "x-hop", "keep-alive", "te", "proxy-authorization",
                           "x-forwarded-for", "transfer-encoding", "expect"}) {
    EXPECT_EQ(head.count(name), 0U) << name;
  }
  EXPECT_EQ(upstream_.request(0).head_bytes.find("sk-client"), std::string::npos);
  EXPECT_EQ(head.get("host"), "127.0.0.1:" + std::to_string(upstream_.port()));
  EXPECT_EQ(head.get("content-type"), "application/json");
  const std::string trace = head.get("traceparent");
  EXPECT_TRUE(trace.size() == 55 && trace.starts_with("00-"))
      << "one of our own instead of the client's bad one: " << trace;
  EXPECT_EQ(head.get("openai-beta"), "assistants=v2");
  EXPECT_EQ(head.get("x-client-request-id"), "mine-1");
  EXPECT_EQ(head.get("accept-encoding"), "identity");
  EXPECT_FALSE(head.get("user-agent").empty());
}

TEST_F(Relay, PassesOnHeadersOfTheAnswerThatAreMeantToTravel) {
  upstream_.on(kChat)
      .header("set-cookie", "a=b")
      .header("server", "cloudflare")
      .header("alt-svc", "h3")
      .header("cf-ray", "1")
      .header("strict-transport-security", "max-age=1")
      .header("x-request-id", "req_upstream")
      .header("x-ratelimit-remaining-requests", "99")
      .header("openai-processing-ms", "12")
      .header("connection", "x-hop")
      .header("x-hop", "1")
      .json(chat_answer());
  start();
  const Response response = ask(chat_body());
  for (const char* name : {"set-cookie", "server", "alt-svc", "cf-ray", "strict-transport-security", "x-hop"}) {
    EXPECT_EQ(response.head.count(name), 0U) << name;
  }
  EXPECT_EQ(response.header("x-ratelimit-remaining-requests"), "99");
  EXPECT_EQ(response.header("openai-processing-ms"), "12");
  EXPECT_EQ(response.header("x-upstream-request-id"), "req_upstream");
  EXPECT_EQ(response.head.count("x-request-id"), 1U);
  EXPECT_NE(response.header("x-request-id"), "req_upstream");
  EXPECT_EQ(response.header("request-id"), response.header("x-request-id"));
  EXPECT_EQ(only_trace_line()["upstream_request_id"], "req_upstream");
}

TEST_F(Relay, RelaysCompletionsResponsesAndModerations) {
  upstream_.on("/v1/completions")
      .json(R"({"object":"text_completion","choices":[{"text":"a","finish_reason":"stop"}]})");
  upstream_.on("/v1/responses").json(responses_answer("hi"));
  upstream_.on("/v1/moderations").json(R"({"id":"modr-1","model":"upstream-model","results":[{"flagged":false}]})");
  start();
  const auto port = gateway().port();
  EXPECT_EQ(fetch(port, post_request("/v1/completions", R"({"model":"m","prompt":"x"})")).status, 200);
  EXPECT_EQ(fetch(port, post_request("/v1/responses", R"({"model":"m","input":"x"})")).body, responses_answer("hi"));
  EXPECT_EQ(fetch(port, post_request("/v1/moderations", R"({"model":"m","input":"x"})")).status, 200);
  ASSERT_TRUE(upstream_.wait_for_requests(3));
  EXPECT_EQ(upstream_.request(1).body, R"({"model":"upstream-model","input":"x"})");
}

TEST_F(Relay, ReusesTheUpstreamConnection) {
  upstream_.on(kChat).json(chat_answer());
  start();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(ask(chat_body()).status, 200);
  EXPECT_EQ(upstream_.connections().size(), 1U);
}

}  // namespace
}  // namespace sluice::integration
