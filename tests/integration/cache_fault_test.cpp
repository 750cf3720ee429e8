// F65 over sockets: what broken upstreams send, in every line end and in packets of all sizes, leaves nothing in the
// cache; what came whole is given again. The full table of streams is unit/server/cache_stream_matrix_test.cpp.

#include "integration/cache_fixture.hpp"

namespace sluice::integration {
namespace {

using Script = std::function<void(Behaviour&)>;
struct Case {
  const char* name;
  Script script;
};

const std::string kBusy = R"({"error":{"message":"busy","type":"overloaded_error","code":529}})";

std::vector<Case> broken_streams() {
  const auto good = chat_stream({"Hel", "lo"});
  const std::vector<std::string> begun = {role_chunk(), text_chunk("Hel"), text_chunk("lo")};
  const auto with = [begun](std::vector<std::string> rest) {
    rest.insert(rest.begin(), begun.begin(), begun.end());
    return rest;
  };
  return {
      {"U28 no finish", [=](Behaviour& b) { b.stream(begun); }},
      {"U28 nothing", [](Behaviour& b) { b.sse({}); }},
      {"U28 comments", [](Behaviour& b) { b.sse({": a\n\n", ": b\n\n"}); }},
      {"U29 done without finish", [=](Behaviour& b) { b.stream(with({kDone})); }},
      {"U30 reset mid event", [=](Behaviour& b) { b.stream(good).then_reset_at(300); }},
      {"U30 reset at once", [=](Behaviour& b) { b.stream(good).then_reset_at(0); }},
      {"U31 fin mid json", [=](Behaviour& b) { b.stream(good).then_fin_at(300); }},
      {"U31 fin, without framing", [=](Behaviour& b) { b.stream(good).close_delimited().then_fin_at(300); }},
      {"U32 finish, but no last chunk", [=](Behaviour& b) { b.stream(with({finish_chunk()})).without_last_chunk(); }},
      {"U33 length too large", [=](Behaviour& b) { b.stream(begun).announce_length(100'000).then_fin(); }},
      {"U34 error first", [=](Behaviour& b) { b.stream({kBusy, kDone}); }},
      {"U35 error after text", [=](Behaviour& b) { b.stream(with({kBusy, finish_chunk(), kDone})); }},
      {"U35 error after the finish", [=](Behaviour& b) { b.stream(with({finish_chunk(), kBusy, kDone})); }},
      {"U36 error event",
       [=](Behaviour& b) {
         b.sse({sse_text(begun), "event: error\ndata: {\"type\":\"error\",\"error\":{\"message\":\"busy\"}}\n\n"});
       }},
      {"U43 no json", [=](Behaviour& b) { b.stream(with({"{nonsense", finish_chunk(), kDone})); }},
      {"U37 plain json", [](Behaviour& b) { b.json(chat_answer()); }},
      {"U38 html", [](Behaviour& b) { b.body("text/html", "<html>busy</html>"); }},
      {"U44 bad chunk",
       [=](Behaviour& b) {
         b.raw("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n");
         b.then_fin();
       }},
      {"length", [=](Behaviour& b) { b.stream(with({finish_chunk("length"), kDone})); }},
      {"content filter", [=](Behaviour& b) { b.stream(with({finish_chunk("content_filter"), kDone})); }},
      {"status", [](Behaviour& b) { b.status(500).json(error_answer("down", "server_error", "down")); }},
  };
}

std::vector<Case> broken_bodies() {
  const std::string good = chat_answer();
  return {
      {"fin inside", [=](Behaviour& b) { b.json(good).then_fin_at(100); }},
      {"reset inside", [=](Behaviour& b) { b.json(good).then_reset_at(100); }},
      {"reset behind the head", [=](Behaviour& b) { b.json(good).then_reset_at(0); }},
      {"cut without framing", [=](Behaviour& b) { b.json(good).close_delimited().then_fin_at(100); }},
      {"chunks without the last", [=](Behaviour& b) { b.sse({}).json(good).without_last_chunk(); }},
      {"length too large", [=](Behaviour& b) { b.json(good).announce_length(good.size() + 1).then_fin(); }},
      {"length too small", [=](Behaviour& b) { b.json(good).announce_length(good.size() - 1); }},
      {"not json", [](Behaviour& b) { b.json("hello"); }},
      {"nothing", [](Behaviour& b) { b.json(""); }},
      {"error in a 200", [](Behaviour& b) { b.json(kBusy); }},
      {"wrong type", [=](Behaviour& b) { b.body("text/html", "<html>busy</html>"); }},
      {"events", [](Behaviour& b) { b.stream(chat_stream({"x"})); }},
      {"status", [=](Behaviour& b) { b.status(503).json(good); }},
      {"hang up", [](Behaviour& b) { b.close_before_answer(); }},
  };
}

// As it is, and in packets that end everywhere but where an event does.
using Cutting = std::function<void(Behaviour&)>;
const std::vector<Cutting>& cuttings() {
  static const std::vector<Cutting> all = {[](Behaviour&) {}, [](Behaviour& b) { b.one_packet(); },
                                           [](Behaviour& b) {
                                             for (std::size_t at = 7; at < 2000; at += 83) b.one_packet().split_at(at);
                                           }};
  return all;
}
constexpr const char* kEnds[] = {"\n", "\r\n", "\r"};

class CacheFault : public CacheTest {
 protected:
  void SetUp() override { start(scenario("policy: all")); }
  double stores() { return gateway().metrics().sum("sluice_cache_stores_total"); }
  double entries() { return gateway().metrics().sum("sluice_cache_entries"); }
  // A question that nobody has asked so far, twice.
  std::pair<Response, Response> twice(bool stream) {
    const std::string more = "\"stop\":\"" + std::to_string(++number_) + "\"";
    const auto once = [&] { return ask_as(app_, stream ? stream_body("m", more) : chat_body("m", more)); };
    Response first = once();
    return {std::move(first), once()};
  }
  void expect_nothing_kept(bool stream) {
    const std::size_t before = asked();
    const auto [first, second] = twice(stream);
    EXPECT_EQ(result(first), "miss") << first.body;
    EXPECT_EQ(result(second), "miss") << second.body;
    EXPECT_GE(asked(), before + 2) << "and once more where a kept connection was closed without a word";
    EXPECT_EQ(stores(), 0);
    EXPECT_EQ(entries(), 0);
  }
  int number_ = 0;
};

TEST_F(CacheFault, F65BrokenStreamsLeaveNothing) {
  for (const Case& one : broken_streams()) {
    for (const char* end : kEnds) {
      for (const Cutting& cut : cuttings()) {
        Behaviour& behaviour = now_on(kChat);
        one.script(behaviour);
        cut(behaviour.line_end(end));
        expect_nothing_kept(true);
        ASSERT_FALSE(HasFailure()) << one.name << " " << ::testing::PrintToString(end);
      }
    }
  }
}

TEST_F(CacheFault, F65BrokenBodiesLeaveNothing) {
  for (const Case& one : broken_bodies()) {
    for (const Cutting& cut : cuttings()) {
      Behaviour& behaviour = now_on(kChat);
      one.script(behaviour);
      cut(behaviour);
      expect_nothing_kept(false);
      ASSERT_FALSE(HasFailure()) << one.name;
    }
  }
}

TEST_F(CacheFault, CleanStreamsOfAnyFramingAreKeptAsOneEntry) {
  const std::vector<Case> framings = {
      {"chunks", [](Behaviour&) {}},
      {"until close", [](Behaviour& b) { b.close_delimited(); }},
      {"closed behind it", [](Behaviour& b) { b.close_after_answer(); }},
      {"U32 reset behind done", [](Behaviour& b) { b.then_reset(); }},
  };
  const auto events = chat_stream_with_usage({"北京", "😀", "lo"});
  double kept = 0;
  for (const Case& framing : framings) {
    for (const char* end : kEnds) {
      for (const Cutting& cut : cuttings()) {
        SCOPED_TRACE(std::string(framing.name) + " " + ::testing::PrintToString(end));
        Behaviour& behaviour = now_on(kChat).stream(events).line_end(end);
        framing.script(behaviour);
        cut(behaviour);
        const std::size_t before = asked();
        const auto [first, second] = twice(true);
        EXPECT_EQ(first.body, sse_text(chat_stream({"北京", "😀", "lo"})));
        EXPECT_EQ(result(second), "hit");
        EXPECT_EQ(second.body, first.body);
        EXPECT_TRUE(second.complete);
        EXPECT_EQ(asked(), before + 1);
        EXPECT_EQ(stores(), ++kept);
        ASSERT_FALSE(HasFailure());
      }
    }
  }
  EXPECT_EQ(entries(), kept);
}

TEST_F(CacheFault, F65WhatItsClientLeftIsNotKept) {
  auto gate = std::make_shared<Gate>();
  now_on(kChat).stream({role_chunk(), text_chunk("Hel")}).then_wait_for(gate).then_stream({finish_chunk(), kDone});
  RawClient raw = client();
  raw.send(post_request(kChat, stream_body("m"), app_.bearer()));
  ASSERT_TRUE(raw.read_head());
  ASSERT_TRUE(raw.next_event());
  raw.reset();
  EXPECT_NE(upstream_.wait_for_disconnect(0).peer, End::kOpen);
  gate->open();
  EXPECT_EQ(gateway().trace(1).at(0)["outcome"], "client_abort");
  now_on(kChat).stream(chat_stream({"new"}));
  EXPECT_EQ(result(ask_as(app_, stream_body("m"))), "miss");
  EXPECT_EQ(stores(), 1) << "of the second one";
}

}  // namespace
}  // namespace sluice::integration
