// Streams that go well: whatever the upstream's line ends and packets, the client reads the same events.

#include "integration/fixture.hpp"

namespace sluice::integration {
namespace {

using StreamRelay = GatewayTest;

// Every way in which text can be torn: CJK, an emoji, escapes.
std::vector<std::string> tearable_stream() {
  return {role_chunk(),
          text_chunk("北京"),
          text_chunk("😀"),
          chunk(R"([{"index":0,"delta":{"content":"\u4e2d"},"finish_reason":null}])"),
          chunk(R"([{"index":0,"delta":{"content":"\ud83d\ude00"},"finish_reason":null}])"),
          finish_chunk(),
          kDone};
}

TEST_F(StreamRelay, U01U02U03AcceptsAllLineEnds) {
  for (const char* end : {"\n", "\r\n", "\r"}) upstream_.on(kChat).stream(tearable_stream()).line_end(end);
  start();
  for (int i = 0; i < 3; ++i) {
    const Response response = ask(stream_body());
    EXPECT_TRUE(response.complete) << i;
    EXPECT_EQ(response.body, sse_text(tearable_stream())) << i;
  }
}

TEST_F(StreamRelay, HasTheHeadersOfAnEventStream) {
  upstream_.on(kChat).stream(chat_stream({"a"}));
  start();
  const Response response = ask(stream_body());
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.header("content-type"), "text/event-stream; charset=utf-8");
  EXPECT_EQ(response.header("cache-control"), "no-cache, no-transform");
  EXPECT_EQ(response.header("x-accel-buffering"), "no");
  EXPECT_EQ(response.header("transfer-encoding"), "chunked");
  EXPECT_EQ(response.head.count("content-length"), 0U);
  EXPECT_EQ(response.head.count("content-encoding"), 0U);
  EXPECT_FALSE(response.header("x-request-id").empty());
  EXPECT_EQ(response.end, End::kOpen) << "the connection is kept";
}

TEST_F(StreamRelay, U07OneBytePerPacket) {
  for (const char* end : {"\n", "\r\n", "\r"}) {
    upstream_.on(kChat).stream(tearable_stream()).line_end(end).byte_by_byte();
  }
  start({.timeouts = "first_byte: 20s, first_token: 20s, idle: 5s"});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(ask(stream_body(), "", 30s).body, sse_text(tearable_stream()));
}

TEST_F(StreamRelay, U08HundredEventsInOnePacket) {
  std::vector<std::string> texts(100, "x");
  upstream_.on(kChat).stream(chat_stream(texts)).one_packet();
  start();
  EXPECT_EQ(ask(stream_body()).body, sse_text(chat_stream(texts)));
}

TEST_F(StreamRelay, U09U10U11SplitAnywhereReadsTheSame) {
  const auto events = tearable_stream();
  std::size_t size = 0;
  for (const Step& step : Behaviour().stream(events).steps()) size += step.bytes.size();
  ASSERT_GT(size, 1000U);
  std::size_t next = 0;
  upstream_.set_script(
      [&](const ObservedRequest&) { return Behaviour().stream(events).one_packet().split_at(++next); });
  start();
  RawClient raw = client();
  const std::string expected = sse_text(events);
  for (std::size_t i = 0; i < size; ++i) {
    ASSERT_TRUE(raw.send(post_request(kChat, stream_body())));
    const Response response = raw.read_response();
    ASSERT_TRUE(response.complete) << "split at " << i + 1;
    ASSERT_EQ(response.body, expected) << "split at " << i + 1;
  }
}

TEST_F(StreamRelay, U10HalvesOfASurrogatePairInTwoDeltasSurvive) {
  const std::vector<std::string> events = {
      role_chunk(), chunk(R"([{"index":0,"delta":{"content":"\ud83d"},"finish_reason":null}])"),
      chunk(R"([{"index":0,"delta":{"content":"\ude00"},"finish_reason":null}])"), finish_chunk(), kDone};
  upstream_.on(kChat).stream(events);
  start();
  EXPECT_EQ(ask(stream_body()).body, sse_text(events));
}

TEST_F(StreamRelay, U16CommentsNeverBecomeData) {
  upstream_.on(kChat).sse({": OPENROUTER PROCESSING\n\n", sse_text({role_chunk()}), ": ping\n", ":\n\n",
                           sse_text({text_chunk("a"), finish_chunk(), kDone})});
  start();
  const Response response = ask(stream_body());
  EXPECT_EQ(data_of(response), (std::vector<std::string>{role_chunk(), text_chunk("a"), finish_chunk(), kDone}));
}

TEST_F(StreamRelay, U17CommentsDoNotCountAsTheFirstToken) {
  upstream_.on(kChat).sse(std::vector<std::string>(100, ": still here\n\n")).event_gap(50ms);
  start({.timeouts = "first_byte: 5s, first_token: 400ms, idle: 5s"});
  const auto before = Clock::now();
  EXPECT_TRUE(is_error(ask(stream_body()), 504, "upstream_timeout"));
  EXPECT_LT(Clock::now() - before, 3s);
  EXPECT_NE(upstream_.wait_for_disconnect(0).peer, End::kOpen);
}

TEST_F(StreamRelay, U18U19U20StripsWhatClientsTripOver) {
  upstream_.on(kChat).sse({"retry: 1000\n\n", "id: 7\n\n", "event: ping\ndata: {}\n\n", "event: nothing\n\n",
                           "id: 8\nevent: message\nfoo: bar\ndata: " + role_chunk() + "\n\n",
                           "data:" + text_chunk("a") + "\n\n\n\n", sse_text({finish_chunk()}), "data: [DONE] \n\n"});
  start();
  const Response response = ask(stream_body());
  EXPECT_EQ(response.body, sse_text({role_chunk(), text_chunk("a"), finish_chunk(), kDone}));
}

TEST_F(StreamRelay, AByteOrderMarkIsSkipped) {
  upstream_.on(kChat).sse({"\xEF\xBB\xBF" + sse_text(chat_stream({"a"}))});
  start();
  EXPECT_EQ(ask(stream_body()).body, sse_text(chat_stream({"a"})));
}

TEST_F(StreamRelay, U24AnEventOfOneMebibytePasses) {
  const auto events = chat_stream({std::string(1024 * 1024, 'x')});
  upstream_.on(kChat).stream(events);
  start();
  EXPECT_EQ(ask(stream_body()).body, sse_text(events));
}

TEST_F(StreamRelay, U26KeepsUpWithManyEvents) {
  const std::vector<std::string> texts(5'000, "token");
  upstream_.on(kChat).stream(chat_stream(texts)).one_packet();
  start();
  EXPECT_EQ(ask(stream_body(), "", 30s).body, sse_text(chat_stream(texts)));
  EXPECT_EQ(only_trace_line()["events"], 5'003);
}

TEST_F(StreamRelay, U27AddsDoneWhenTheAnswerWasComplete) {
  auto events = chat_stream({"a"});
  events.pop_back();
  upstream_.on(kChat).stream(events);
  start();
  const Response response = ask(stream_body());
  EXPECT_TRUE(response.complete);
  EXPECT_EQ(response.body, sse_text(chat_stream({"a"})));
  EXPECT_EQ(only_trace_line()["outcome"], "ok");
}

TEST_F(StreamRelay, U32MissingLastChunkAfterDoneIsFineButNotPooled) {
  upstream_.on(kChat).stream(chat_stream({"a"})).without_last_chunk();
  upstream_.on(kChat).json(chat_answer());
  start();
  const Response response = ask(stream_body());
  EXPECT_TRUE(response.complete);
  EXPECT_EQ(response.body, sse_text(chat_stream({"a"})));
  EXPECT_EQ(ask(chat_body()).status, 200);
  EXPECT_EQ(upstream_.connections().size(), 2U);
}

TEST_F(StreamRelay, ClosesTheStreamAtDoneEvenIfTheUpstreamStaysOpen) {
  upstream_.on(kChat).stream(chat_stream({"a"})).stall();
  start();
  const auto before = Clock::now();
  const Response response = ask(stream_body());
  EXPECT_TRUE(response.complete);
  EXPECT_LT(Clock::now() - before, 900ms) << "must not wait for the idle timeout";
}

TEST_F(StreamRelay, U51CloseDelimitedStreamIsJudgedByItsEvents) {
  upstream_.on(kChat).stream(chat_stream({"a"})).close_delimited();
  upstream_.on(kChat).stream({role_chunk(), text_chunk("a")}).close_delimited();
  start();
  EXPECT_TRUE(ask(stream_body()).complete);
  EXPECT_TRUE(ends_in_error(ask(stream_body()), "upstream_stream_truncated"));
}

TEST_F(StreamRelay, WaitsForTheFirstEventBeforeItAnswers) {
  const auto gate = std::make_shared<Gate>();
  upstream_.on(kChat).sse({": hello\n\n"}).then_wait_for(gate).stream(chat_stream({"a"}));
  start();
  RawClient raw = client();
  raw.send(post_request(kChat, stream_body()));
  ASSERT_TRUE(upstream_.wait_for_requests(1));
  EXPECT_TRUE(raw.stays_silent(150ms));
  gate->open();
  EXPECT_EQ(raw.read_response().body.find("data: " + role_chunk()), 0U);
}

TEST_F(StreamRelay, SendsEachEventAsSoonAsItHasIt) {
  const auto gate = std::make_shared<Gate>();
  upstream_.on(kChat).stream({role_chunk(), text_chunk("a")}).then_wait_for(gate).stream({finish_chunk(), kDone});
  start();
  RawClient raw = client();
  raw.send(post_request(kChat, stream_body()));
  ASSERT_TRUE(raw.read_head());
  EXPECT_EQ(raw.next_event(900ms)->data(), role_chunk());
  const auto second = raw.next_event(900ms);
  ASSERT_TRUE(second) << "an event was held back";
  EXPECT_EQ(second->data(), text_chunk("a"));
  gate->open();
  EXPECT_TRUE(raw.finish().complete);
}

TEST_F(StreamRelay, ToolCallsAndSeveralChoicesSurvive) {
  std::vector<std::string> events = tool_call_stream();
  events.insert(events.begin() + 1, chunk(R"([{"index":1,"delta":{"role":"assistant"},"finish_reason":null}])"));
  events.insert(events.end() - 1, chunk(R"([{"index":1,"delta":{},"finish_reason":"length"}])"));
  upstream_.on(kChat).stream(events);
  start();
  EXPECT_EQ(ask(stream_body("m", "\"n\":2")).body, sse_text(events));
}

}  // namespace
}  // namespace sluice::integration
