#include "routing/event_filter.hpp"

#include "unit/routing/support.hpp"

namespace sluice::routing {
namespace {

using namespace testing;

constexpr std::size_t kLimit = 4096;

// Everything a stream came to.
struct Filtered {
  std::string out;
  std::uint64_t events = 0;
  bool complete = false;
  std::string error = "none";
  std::int64_t output_tokens = 0;
  std::string finish_reason;
  bool operator==(const Filtered&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Filtered& one) {
  return out << one.error << " " << one.events << (one.complete ? " complete " : " incomplete ") << one.out;
}

Filtered filter(const std::vector<std::string>& pieces, api::StreamState::Options options = {}) {
  EventFilter filter(options, kLimit);
  Filtered result;
  Result<void> good;
  for (const auto& piece : pieces) {
    if (!good || filter.complete()) break;
    const auto copy = std::make_unique<std::string>(piece);  // gone after the call, as a read buffer would be
    good = filter.feed(*copy, result.out);
  }
  if (good) good = filter.finish(result.out);
  result.events = filter.events();
  result.complete = filter.complete();
  if (!good) result.error = traits(good.error().kind).code;
  result.output_tokens = filter.state().usage().output;
  result.finish_reason = filter.state().finish_reason();
  return result;
}

TEST(EventFilter, PassesAGoodStreamByteForByte) {
  const auto stream = token("a") + token("\\u4e2d\\n") + kFinish + kUsage + kDone;
  const auto got = filter({stream});
  EXPECT_EQ(got.out, stream);
  EXPECT_EQ(got.events, 5U);
  EXPECT_TRUE(got.complete);
  EXPECT_EQ(got.error, "none");
  EXPECT_EQ(got.output_tokens, 20);
  EXPECT_EQ(got.finish_reason, "stop");
}

TEST(EventFilter, HidesTheUsageThatOnlyWeAskedFor) {
  const auto got = filter({token("a") + kFinish + kUsage + kDone}, {.hide_usage = true});
  EXPECT_EQ(got.out, token("a") + kFinish + kDone);
  EXPECT_EQ(got.output_tokens, 20) << "hidden, not lost";
}

TEST(EventFilter, U16CommentsPingsAndForeignFieldsAreDropped) {
  const auto got = filter({": PROCESSING\n\n" + token("a") +
                           "event: ping\ndata: {}\n\nretry: 1000\n\nid: 7\nfoo: bar\n\n" + kFinish + kDone});
  EXPECT_EQ(got.out, token("a") + kFinish + kDone);
}

TEST(EventFilter, U27AppendsTheDoneThatLacks) {
  const auto got = filter({token("a") + kFinish});
  EXPECT_EQ(got.out, token("a") + kFinish + kDone);
  EXPECT_EQ(got.error, "none");
}

TEST(EventFilter, U28AStreamWithoutAFinishIsTruncated) {
  EXPECT_EQ(filter({token("a")}).error, "upstream_stream_truncated");
  EXPECT_EQ(filter({token("a") + kDone}).error, "upstream_stream_truncated");
  EXPECT_EQ(filter({""}).error, "upstream_stream_truncated");
  const auto got = filter({token("a") + kDone});
  EXPECT_EQ(got.out, token("a")) << "no success is invented";
}

TEST(EventFilter, AnErrorKeepsTheGoodEventsBeforeIt) {
  const std::string error = "data: {\"error\":{\"message\":\"x\",\"code\":529}}\n\n";
  const auto got = filter({token("a") + token("b") + error + token("c")});
  EXPECT_EQ(got.out, token("a") + token("b"));
  EXPECT_EQ(got.events, 2U);
  EXPECT_EQ(got.error, "upstream_error");
}

TEST(EventFilter, U43WhatIsNoJsonIsNeverPassedOn) {
  for (auto bad : {"data: {\"a\":1,}\n\n", "data: hello\n\n", "data: {\"choices\":[\n\n", "data: []\n\n"}) {
    const auto got = filter({token("a") + bad});
    EXPECT_EQ(got.out, token("a")) << bad;
    EXPECT_EQ(got.error, "upstream_invalid_event") << bad;
  }
}

TEST(EventFilter, U30AnEventCutByTheEndIsTruncatedNotInvalid) {
  const auto whole = token("b");
  for (std::size_t size = 1; size + 2 < whole.size(); ++size) {
    const auto got = filter({token("a") + whole.substr(0, size)});
    ASSERT_EQ(got.out, token("a")) << size;
    ASSERT_EQ(got.error, "upstream_stream_truncated") << size;
  }
}

TEST(EventFilter, U25AnEventBeyondTheLimitIsRefused) {
  const auto got = filter({token("a") + token(std::string(2 * kLimit, 'x'))});
  EXPECT_EQ(got.out, token("a"));
  EXPECT_EQ(got.error, "upstream_event_too_big");
}

TEST(EventFilter, NothingAfterTheEndCounts) {
  const auto got = filter({token("a") + kFinish + kDone + token("evil") + "data: {\"error\":{\"message\":\"x\"}}\n\n"});
  EXPECT_EQ(got.out, token("a") + kFinish + kDone);
  EXPECT_EQ(got.error, "none");
}

TEST(EventFilter, KeepsTheTypesOfResponsesEventsOnly) {
  const std::string created =
      "event: response.created\ndata: {\"type\":\"response.created\",\"sequence_number\":0,"
      "\"response\":{\"id\":\"r\",\"status\":\"in_progress\"}}\n\n";
  const std::string completed =
      "event: response.completed\ndata: {\"type\":\"response.completed\",\"sequence_number\":1,"
      "\"response\":{\"id\":\"r\",\"status\":\"completed\",\"output\":[]}}\n\n";
  const auto got = filter({created + completed}, {.endpoint = Endpoint::kResponses});
  EXPECT_EQ(got.out, created + completed);
  EXPECT_EQ(got.error, "none");
  const auto chat = filter({"event: chunk\n" + token("a") + kFinish + kDone});
  EXPECT_EQ(chat.out, token("a") + kFinish + kDone);
}

TEST(EventFilter, F48TheOutputDoesNotDependOnTheCut) {
  const std::string streams[] = {
      token("a") + token("\xe5\x8c\x97\xf0\x9f\x98\x80\\u4e2d") + kFinish + kUsage + kDone,
      ": ping\n\n" + token("a") + "event: ping\ndata: {}\n\n" + kFinish,
      token("a") + "data: {\"error\":{\"message\":\"x\"}}\n\n" + token("b"),
      token("a") + "data: {\"choices\":\ndata: []}\n\n" + kFinish + kDone,
      token("a") + "data: nonsense\n\n" + kFinish + kDone,
      token("a") + token("b").substr(0, 60),
      token("a") + token(std::string(kLimit, 'x')),
      kFinish + "data: [DONE]",
  };
  for (const auto& stream : streams) {
    for (const std::string end : {"\n", "\r\n", "\r"}) {
      const auto bytes = with_ends(stream, end);
      const auto whole = filter({bytes}, {.hide_usage = true});
      const std::size_t step = bytes.size() > 2000 ? 37 : 1;
      for (std::size_t at = 1; at < bytes.size(); at += step) {
        ASSERT_EQ(filter({bytes.substr(0, at), bytes.substr(at)}, {.hide_usage = true}), whole) << "cut at " << at;
      }
      std::vector<std::string> single;
      for (const char c : bytes) single.emplace_back(1, c);
      ASSERT_EQ(filter(single, {.hide_usage = true}), whole) << "byte by byte";
    }
  }
}

}  // namespace
}  // namespace sluice::routing
