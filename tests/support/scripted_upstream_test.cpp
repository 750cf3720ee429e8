#include "support/scripted_upstream.hpp"

#include <gtest/gtest.h>

#include "support/openai_answers.hpp"
#include "support/raw_client.hpp"

namespace sluice::support {
namespace {

const std::string kPath = "/v1/chat/completions";

TEST(ScriptedUpstream, AnswersAndRemembersTheRequest) {
  ScriptedUpstream upstream;
  upstream.on(kPath).status(429, "Too Many").header("retry-after", "2").json("{}");
  const Response response = fetch(upstream.port(), post_request(kPath, chat_body("gpt"), "x-a: b\r\n"));
  EXPECT_EQ(response.status, 429);
  EXPECT_EQ(response.header("retry-after"), "2");
  EXPECT_EQ(response.body, "{}");
  EXPECT_TRUE(response.complete);
  ASSERT_TRUE(upstream.wait_for_requests(1));
  const ObservedRequest request = upstream.request(0);
  EXPECT_EQ(request.body, chat_body("gpt"));
  EXPECT_EQ(request.model, "gpt");
  EXPECT_EQ(request.target, kPath);
  EXPECT_EQ(request.head.get("x-a"), "b");
}

TEST(ScriptedUpstream, TakesBehavioursInOrderAndRepeatsTheLast) {
  ScriptedUpstream upstream;
  upstream.on_any().status(500).json("1");
  upstream.on_any().json("2");
  upstream.on_model("special").json("3");
  RawClient client(upstream.port());
  std::string seen;
  for (int i = 0; i < 3; ++i) {
    client.send(post_request(kPath, chat_body()));
    seen += client.read_response().body;
  }
  client.send(post_request(kPath, chat_body("special")));
  seen += client.read_response().body;
  EXPECT_EQ(seen, "1223");
  EXPECT_EQ(upstream.connections().size(), 1U);
}

TEST(ScriptedUpstream, StreamsEventsWithTheirArrivalTimes) {
  ScriptedUpstream upstream;
  upstream.on(kPath).stream(chat_stream({"a", "b"})).event_gap(20ms);
  const Response response = fetch(upstream.port(), post_request(kPath, stream_body()));
  ASSERT_EQ(response.events.size(), 5U);
  EXPECT_TRUE(response.complete);
  EXPECT_EQ(response.events.back().data(), "[DONE]");
  EXPECT_GE(response.events.back().at - response.events.front().at, 60ms);
}

TEST(ScriptedUpstream, GivesTheSameBytesHoweverItIsSplit) {
  ScriptedUpstream upstream;
  upstream.on_any().stream(chat_stream({"a"}));
  upstream.on_any().stream(chat_stream({"a"})).byte_by_byte();
  upstream.on_any().stream(chat_stream({"a"})).split_at(7).split_at(200);
  upstream.on_any().stream(chat_stream({"a"})).one_packet();
  const std::string request = post_request(kPath, stream_body());
  const Response whole = fetch(upstream.port(), request);
  for (int i = 0; i < 3; ++i) {
    const Response split = fetch(upstream.port(), request);
    EXPECT_TRUE(split.complete);
    EXPECT_EQ(split.body, whole.body);
  }
}

TEST(ScriptedUpstream, ResetsAtTheByteItWasToldTo) {
  ScriptedUpstream upstream;
  upstream.on(kPath).stream(chat_stream({"a", "b"})).then_reset_at(300);
  const Response response = fetch(upstream.port(), post_request(kPath, stream_body()));
  EXPECT_EQ(response.end, End::kReset);
  EXPECT_FALSE(response.complete);
  EXPECT_EQ(response.body.size(), 300U);
}

TEST(ScriptedUpstream, EndsWithoutLastChunkOrBeforeTheAnswer) {
  ScriptedUpstream upstream;
  upstream.on(kPath).stream({"x"}).without_last_chunk();
  upstream.on(kPath).close_before_answer();
  upstream.on(kPath).reset_before_answer();
  upstream.on(kPath).json("{}").close_after_answer();
  const std::string request = post_request(kPath, stream_body());
  const Response cut = fetch(upstream.port(), request);
  EXPECT_EQ(cut.body, "data: x\n\n");
  EXPECT_FALSE(cut.complete);
  EXPECT_EQ(cut.end, End::kFin);
  EXPECT_EQ(fetch(upstream.port(), request).end, End::kFin);
  EXPECT_EQ(fetch(upstream.port(), request).end, End::kReset);
  RawClient client(upstream.port());
  client.send(request);
  EXPECT_TRUE(client.read_response().complete);
  EXPECT_EQ(client.wait_end(), End::kFin);
}

TEST(ScriptedUpstream, SeesFinAndResetOfAPeerThatWaits) {
  ScriptedUpstream upstream;
  upstream.on_any().hang();
  for (const bool reset : {false, true}) {
    RawClient client(upstream.port());
    const std::size_t index = reset ? 1 : 0;
    client.send(post_request(kPath, chat_body()));
    ASSERT_TRUE(upstream.wait_for_requests(index + 1));
    const auto left = Clock::now();
    reset ? client.reset() : client.close();
    const ObservedConnection seen = upstream.wait_for_disconnect(index);
    EXPECT_EQ(seen.peer, reset ? End::kReset : End::kFin);
    EXPECT_LT(seen.closed_at - left, 1s);
  }
}

TEST(ScriptedUpstream, SeesThePeerLeaveWhileItSends) {
  ScriptedUpstream upstream;
  upstream.on_any().repeat_forever(std::string(10'000, 'x'));
  RawClient client(upstream.port(), {.receive_buffer = 4096});
  client.send(post_request(kPath, stream_body()));
  ASSERT_TRUE(client.read_head());
  client.close();
  EXPECT_NE(upstream.wait_for_disconnect(0).peer, End::kOpen);
  EXPECT_GT(upstream.connections()[0].bytes_out, 0U);
}

TEST(ScriptedUpstream, WaitsForAGate) {
  ScriptedUpstream upstream;
  const auto gate = std::make_shared<Gate>();
  upstream.on_any().stream({"1"}).then_wait_for(gate).stream({"2", "[DONE]"});
  RawClient client(upstream.port());
  client.send(post_request(kPath, stream_body()));
  ASSERT_TRUE(client.read_head());
  EXPECT_EQ(client.next_event()->data(), "1");
  EXPECT_FALSE(client.next_event(50ms));
  gate->open();
  EXPECT_EQ(client.next_event()->data(), "2");
  EXPECT_TRUE(client.finish().complete);
}

TEST(ScriptedUpstream, ReadsChunkedRequestsAndSkipsInterimHeads) {
  ScriptedUpstream upstream;
  upstream.on_any().early_hints().json("{}");
  const std::string request = "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
  RawClient client(upstream.port());
  client.send_split(request, {5, 50, 51, 60});
  const Response response = client.read_response();
  EXPECT_EQ(response.interim, std::vector<int>{103});
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(upstream.request(0).body, "abcde");
}

TEST(ScriptedUpstream, StopsListeningWhenTold) {
  ScriptedUpstream upstream;
  upstream.stop_listening();
  bool refused = false;
  for (int i = 0; i < 1000 && !refused; ++i) {
    try {
      const Fd probe = connect_loopback(upstream.port());
    } catch (const std::system_error&) {
      refused = true;
    }
  }
  EXPECT_TRUE(refused);
}

TEST(BlackholePort, LeavesAConnectUnanswered) {
  const BlackholePort blackhole;
  EXPECT_EQ(connecting_to(blackhole.port()), 0U);
  EXPECT_THROW(connect_loopback(refused_port()), std::system_error);
}

}  // namespace
}  // namespace sluice::support
