// Streams that fail: the client gets an error status before the first event and an error event after it, and success
// is never invented.

#include "integration/fixture.hpp"

namespace sluice::integration {
namespace {

using StreamFault = GatewayTest;

std::vector<std::string> begun(std::size_t deltas = 2) {
  std::vector<std::string> events{role_chunk()};
  for (std::size_t i = 0; i < deltas; ++i) events.push_back(text_chunk("t" + std::to_string(i)));
  return events;
}

// The events of the upstream reached the client, untouched, before the error.
void expect_relayed(const Response& response, const std::vector<std::string>& events) {
  auto seen = data_of(response);
  ASSERT_FALSE(seen.empty());
  seen.pop_back();
  EXPECT_EQ(seen, events);
}

TEST_F(StreamFault, U28CleanEndWithoutFinishReasonIsTruncated) {
  upstream_.on(kChat).stream(begun());
  start();
  const Response response = ask(stream_body());
  EXPECT_TRUE(ends_in_error(response, "upstream_stream_truncated"));
  expect_relayed(response, begun());
  const json line = only_trace_line();
  EXPECT_EQ(line["outcome"], "upstream_truncated");
  EXPECT_FALSE(line.contains("finish_reason"));
}

TEST_F(StreamFault, F33U29DoneWithoutFinishReasonIsTruncated) {
  auto events = begun();
  events.push_back(kDone);
  upstream_.on(kChat).stream(events);
  start();
  EXPECT_TRUE(ends_in_error(ask(stream_body()), "upstream_stream_truncated"));
  EXPECT_EQ(only_trace_line()["outcome"], "upstream_truncated");
}

TEST_F(StreamFault, OneOfTwoChoicesUnfinishedIsTruncated) {
  auto events = chat_stream({"a"});
  events.insert(events.begin() + 1, chunk(R"([{"index":1,"delta":{"content":"b"},"finish_reason":null}])"));
  upstream_.on(kChat).stream(events);
  start();
  EXPECT_TRUE(ends_in_error(ask(stream_body("m", "\"n\":2")), "upstream_stream_truncated"));
}

TEST_F(StreamFault, F32U30U31PartialEventsAreNeverRelayed) {
  const std::size_t whole = sse_text(begun()).size();
  const std::size_t partial = sse_text({text_chunk("lost")}).size();
  for (std::size_t cut = whole + 1; cut < whole + partial; cut += 17) {
    auto events = begun();
    events.push_back(text_chunk("lost"));
    upstream_.on(kChat).stream(events).then_reset_at(cut);
    upstream_.on(kChat).stream(events).then_fin_at(cut);
    upstream_.on(kChat).stream(events).close_delimited().then_fin_at(cut);
  }
  upstream_.on(kChat).stream(begun()).announce_length(100'000).then_fin();  // U33
  start();
  for (std::size_t cut = whole + 1; cut < whole + partial; cut += 17) {
    for (int kind = 0; kind < 3; ++kind) {
      const Response response = ask(stream_body());
      EXPECT_TRUE(ends_in_error(response, "upstream_stream_truncated")) << cut - whole << " kind " << kind;
      expect_relayed(response, begun());
    }
  }
  EXPECT_TRUE(ends_in_error(ask(stream_body()), "upstream_stream_truncated"));
}

TEST_F(StreamFault, TruncationBeforeTheFirstEventIsAnErrorStatus) {
  upstream_.on(kChat).sse({"data: {\"id\""}).without_last_chunk();
  upstream_.on(kChat).sse({": nothing\n\n"});
  start();
  EXPECT_TRUE(is_error(ask(stream_body()), 502, "upstream_stream_truncated"));
  EXPECT_TRUE(is_error(ask(stream_body()), 502, "upstream_stream_truncated"));
}

TEST_F(StreamFault, F34U34ErrorAsFirstEventIsAnErrorStatus) {
  upstream_.on(kChat).stream({R"({"error":{"message":"Overloaded, try later","type":"overloaded_error","code":529}})"});
  upstream_.on(kChat).stream({R"({"error":{"message":"too long","type":"invalid_request_error","code":400}})", kDone});
  upstream_.on(kChat).stream({R"({"error":{"message":"boom","type":"server_error","code":null}})"});
  upstream_.on(kChat).stream({R"({"error":"plain text"})"});
  start();
  const Response overloaded = ask(stream_body());
  EXPECT_EQ(overloaded.status, 503) << overloaded.body;
  EXPECT_NE(overloaded.body.find("Overloaded, try later"), std::string::npos);
  EXPECT_EQ(ask(stream_body()).status, 400);
  EXPECT_GE(ask(stream_body()).status, 500);
  EXPECT_GE(ask(stream_body()).status, 500);
  for (const json& line : gateway().trace(4)) EXPECT_EQ(line["outcome"], "upstream_error");
}

TEST_F(StreamFault, F35U35ErrorAfterTokensIsAnErrorEventWithoutSecondAttempt) {
  auto events = begun(3);
  events.push_back(R"({"error":{"message":"GPU fell off","type":"server_error","code":500}})");
  events.push_back(text_chunk("after"));
  events.push_back(kDone);
  upstream_.on(kChat).stream(events);
  start();
  const Response response = ask(stream_body());
  EXPECT_EQ(response.body.find("after"), std::string::npos);
  expect_relayed(response, begun(3));
  ASSERT_FALSE(response.events.empty());
  const json error = json::parse(response.events.back().data())["error"];
  EXPECT_EQ(error["message"], "GPU fell off");
  EXPECT_TRUE(error["code"].is_string());
  EXPECT_FALSE(response.complete);
  EXPECT_EQ(upstream_.requests().size(), 1U);
  EXPECT_EQ(only_trace_line()["outcome"], "upstream_error");
}

TEST_F(StreamFault, U36AnthropicErrorEventIsAnErrorEvent) {
  upstream_.on(kChat).sse({sse_text(begun()),
                           "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":"
                           "\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n"});
  start();
  const Response response = ask(stream_body());
  expect_relayed(response, begun());
  EXPECT_FALSE(response.complete);
  EXPECT_EQ(response.body.find("[DONE]"), std::string::npos);
  EXPECT_EQ(response.body.find("event:"), std::string::npos);
  EXPECT_EQ(json::parse(response.events.back().data())["error"]["message"], "Overloaded");
}

TEST_F(StreamFault, U43InvalidJsonIsNeverRelayed) {
  for (const std::string bad : {"{\"id\":\"x\",}", "{not json}", "{\"a\":1} trailing", "[1,2"}) {
    auto events = begun();
    events.push_back(bad);
    events.push_back(finish_chunk());
    upstream_.on_model(bad).stream(events);
    upstream_.on_model(bad).stream({bad, finish_chunk(), kDone});
  }
  start({.models = R"("*": "up/*")"});
  for (const std::string bad : {"{\"id\":\"x\",}", "{not json}", "{\"a\":1} trailing", "[1,2"}) {
    const Response after = ask(stream_body(bad));
    EXPECT_TRUE(ends_in_error(after, "upstream_invalid_event")) << bad;
    expect_relayed(after, begun());
    EXPECT_TRUE(is_error(ask(stream_body(bad)), 502, "upstream_invalid_event")) << bad;
  }
}

TEST_F(StreamFault, F31U48SilenceMidStreamIsAnIdleTimeout) {
  upstream_.on(kChat).stream({role_chunk()}).stall();
  start({.timeouts = "idle: 300ms"});
  const auto before = Clock::now();
  EXPECT_TRUE(ends_in_error(ask(stream_body()), "upstream_idle_timeout"));
  EXPECT_GE(Clock::now() - before, 300ms);
  EXPECT_NE(upstream_.wait_for_disconnect(0).peer, End::kOpen);
  EXPECT_EQ(only_trace_line()["outcome"], "timeout");
}

TEST_F(StreamFault, CommentsKeepAStreamFromBeingIdle) {
  upstream_.on(kChat)
      .sse({sse_text({role_chunk()}), ": a\n\n", ": b\n\n", ": c\n\n", ": d\n\n", ": e\n\n",
            sse_text({finish_chunk(), kDone})})
      .event_gap(150ms);
  start({.timeouts = "idle: 400ms"});
  EXPECT_TRUE(ask(stream_body()).complete);
}

TEST_F(StreamFault, TheTotalTimeoutEndsABusyStream) {
  upstream_.on(kChat).stream(std::vector<std::string>(100, text_chunk("x"))).event_gap(50ms);
  start({.timeouts = "total: 600ms"});
  EXPECT_TRUE(ends_in_error(ask(stream_body()), "upstream_timeout"));
  EXPECT_EQ(only_trace_line()["outcome"], "timeout");
}

TEST_F(StreamFault, F47U25ALineThatNeverEndsIsCutAtTheLimit) {
  const std::string flood(64 * 1024, 'x');
  upstream_.on(kChat).sse({"data: {\"a\":\""}).repeat_forever(flood);
  upstream_.on(kChat).stream({role_chunk()}).sse({"data: {\"a\":\""}).repeat_forever(flood);
  upstream_.on(kChat).stream({role_chunk()}).repeat_forever(":" + flood);
  upstream_.on(kChat).stream({role_chunk()}).repeat_forever("data: x\n");
  start();
  const std::size_t before = gateway().resident_bytes();
  EXPECT_TRUE(is_error(ask(stream_body()), 502, "upstream_event_too_big"));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(ends_in_error(ask(stream_body()), "upstream_event_too_big")) << i;
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NE(upstream_.wait_for_disconnect(i).peer, End::kOpen);
  EXPECT_LT(gateway().resident_bytes(), before + 32 * 1024 * 1024);
}

TEST_F(StreamFault, F49U45OddUsageIsClampedAndHidden) {
  const std::vector<std::string> odd = {"{\"prompt_tokens\":-5,\"completion_tokens\":2}",
                                        "{\"prompt_tokens\":9223372036854775808,\"completion_tokens\":2}",
                                        "{\"prompt_tokens\":1.5,\"completion_tokens\":2}",
                                        "{\"prompt_tokens\":\"12\",\"completion_tokens\":2}",
                                        "{\"prompt_tokens\":null,\"completion_tokens\":2}"};
  for (const auto& usage : odd) {
    auto events = chat_stream({"a"});
    events.insert(events.end() - 1, usage_chunk(usage));
    upstream_.on(kChat).stream(events);
  }
  start();
  for (const auto& usage : odd) EXPECT_TRUE(ask(stream_body()).body == sse_text(chat_stream({"a"}))) << usage;
  for (const json& line : gateway().trace(odd.size())) {
    EXPECT_EQ(line["outcome"], "ok");
    EXPECT_GE(line["usage"]["input"].get<double>(), 0);
    EXPECT_LE(line["usage"]["input"].get<double>(), 9007199254740992.0);
    EXPECT_GE(line["usage"]["output"].get<double>(), 0);
  }
  EXPECT_GE(gateway().metrics().sum("sluice_usage_anomalies_total"), 4);
}

TEST_F(StreamFault, U45TheLastUsageCountsAndIsNeverSummed) {
  auto events = chat_stream({"a"});
  events.insert(events.end() - 1, usage_chunk(R"({"prompt_tokens":1,"completion_tokens":1})"));
  events.insert(events.end() - 1, usage_chunk(R"({"prompt_tokens":12,"completion_tokens":7})"));
  upstream_.on(kChat).stream(events);
  start();
  EXPECT_EQ(ask(stream_body()).body, sse_text(chat_stream({"a"})));
  EXPECT_EQ(only_trace_line()["usage"]["input"], 12);
}

TEST_F(StreamFault, U45UsageThatIsNoObjectIsHiddenToo) {
  for (const char* usage : {"null", "[]", "7"}) {
    auto events = chat_stream({"a"});
    events.insert(events.end() - 1, usage_chunk(usage));
    upstream_.on(kChat).stream(events);
  }
  start();
  for (int i = 0; i < 3; ++i) {
    const Response response = ask(stream_body());
    EXPECT_TRUE(response.complete);
    EXPECT_EQ(response.body.find("usage"), std::string::npos) << response.body;
  }
}

TEST_F(StreamFault, UsageIsEstimatedWhenNoneIsReported) {
  upstream_.on(kChat).stream(chat_stream({"a few", " words", " of text"}));
  start();
  EXPECT_TRUE(ask(stream_body()).complete);
  const json line = only_trace_line();
  EXPECT_NE(line["usage"]["source"], "reported");
  EXPECT_GE(line["usage"]["output"].get<double>(), 0);
}

TEST_F(StreamFault, U37PlainJsonForAStreamIsNeverPassedOnAsItIs) {
  upstream_.on(kChat).json(chat_answer("whole"));
  start();
  const Response response = ask(stream_body());
  if (response.status == 200) {
    EXPECT_TRUE(response.header("content-type").starts_with("text/event-stream"));
    EXPECT_EQ(data_of(response).back(), "[DONE]");
    EXPECT_NE(response.body.find("whole"), std::string::npos);
  } else {
    EXPECT_TRUE(is_error(response, 502, "upstream_invalid_response"));
  }
}

TEST_F(StreamFault, U37AnErrorObjectInsideA200BecomesAStatus) {
  upstream_.on(kChat).json(R"({"error":{"message":"no credit","type":"server_error","code":"overloaded"}})");
  start();
  EXPECT_GE(ask(stream_body()).status, 500);
  EXPECT_GE(ask(chat_body()).status, 500);
}

TEST_F(StreamFault, U38HtmlInsteadOfAStreamIsABadAnswer) {
  upstream_.on(kChat).body("text/html", "<html>canary-page</html>");
  start();
  const Response response = ask(stream_body());
  EXPECT_TRUE(is_error(response, 502, "upstream_invalid_response"));
  EXPECT_EQ(response.body.find("canary-page"), std::string::npos);
  EXPECT_TRUE(is_error(ask(chat_body()), 502, "upstream_invalid_response"));
}

}  // namespace
}  // namespace sluice::integration
