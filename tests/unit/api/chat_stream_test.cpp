#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sluice/api/answer.hpp"

namespace sluice::api {
namespace {

using Action = StreamState::Action;

constexpr std::string_view kText = R"({"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]})";
constexpr std::string_view kFinish = R"({"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]})";
constexpr std::string_view kUsage = R"({"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}})";

// What the client got, or how it ended. "!" marks an error.
std::string play(const std::vector<std::string_view>& events, bool hide = false) {
  StreamState state({Endpoint::kChat, hide});
  std::string log;
  for (const std::string_view data : events) {
    const auto verdict = state.event("", data);
    if (!verdict) return log + "!" + std::string(verdict.error().error_code());
    if (verdict->action == Action::kPass) log += "P";
    if (verdict->action == Action::kDrop) log += "-";
    if (verdict->action == Action::kRewrite) log += "[" + verdict->rewritten + "]";
    if (verdict->complete) log += "+";
  }
  const auto end = state.end();
  if (!end) return log + "!" + std::string(end.error().error_code());
  return log + (end->action == Action::kRewrite ? "[" + end->rewritten + "]" : "") + ".";
}

TEST(ChatStream, GoodStreamPasses) {
  EXPECT_EQ(play({kText, kText, kFinish, kUsage, "[DONE]"}), "PPPPP+.");
  EXPECT_EQ(play({kText, kFinish, "[DONE]", kText, "[DONE]"}), "PPP+-+-+.") << "nothing counts after the end";
  EXPECT_EQ(play({kText, kFinish, "[DONE]  "}), "PP[[DONE]]+.");
}

// U27.
TEST(ChatStream, MissingDoneIsAdded) { EXPECT_EQ(play({kText, kFinish}), "PP[data: [DONE]\n\n]."); }

// U28, U29, U33, F32, F33.
TEST(ChatStream, NoFinishIsNoSuccess) {
  EXPECT_EQ(play({}), "!upstream_stream_truncated");
  EXPECT_EQ(play({kText}), "P!upstream_stream_truncated");
  EXPECT_EQ(play({"[DONE]"}), "!upstream_stream_truncated");
  EXPECT_EQ(play({kText, "[DONE]"}), "P!upstream_stream_truncated");
  EXPECT_EQ(play({kUsage, "[DONE]"}), "P!upstream_stream_truncated");
}

TEST(ChatStream, EveryStartedChoiceMustFinish) {
  constexpr std::string_view kSecond = R"({"choices":[{"index":1,"delta":{"content":"b"},"finish_reason":null}]})";
  constexpr std::string_view kSecondEnd = R"({"choices":[{"index":1,"delta":{},"finish_reason":"length"}]})";
  EXPECT_EQ(play({kText, kSecond, kFinish, "[DONE]"}), "PPP!upstream_stream_truncated");
  EXPECT_EQ(play({kText, kSecond, kFinish, kSecondEnd, "[DONE]"}), "PPPPP+.");
  EXPECT_EQ(play({kSecond, kSecondEnd, "[DONE]"}), "PPP+.");
}

TEST(ChatStream, EmptyFinishReasonEndsAChoiceOnlyAtDone) {
  constexpr std::string_view kBlank = R"({"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":""}]})";
  EXPECT_EQ(play({kBlank, kBlank, "[DONE]"}), "PPP+.");
  EXPECT_EQ(play({kBlank, kText, "[DONE]"}), "PP!upstream_stream_truncated");
  EXPECT_EQ(play({kBlank}), "P!upstream_stream_truncated");
}

// U34-U36, F34, F35.
TEST(ChatStream, ErrorsOfTheUpstreamAreErrors) {
  StreamState state({Endpoint::kChat, false});
  const auto first = state.event("", R"({"error":{"message":"busy","code":529}})");
  ASSERT_FALSE(first);
  EXPECT_EQ(first.error().http_status(), 503);
  EXPECT_EQ(first.error().message, "busy");
  const auto anthropic = state.event("error", R"({"type":"error","error":{"type":"overloaded_error","message":"m"}})");
  ASSERT_FALSE(anthropic);
  EXPECT_EQ(anthropic.error().http_status(), 503);
  for (const std::string_view data : {"not json", "", "[DONE]", "[]"}) EXPECT_FALSE(state.event("error", data)) << data;
  EXPECT_EQ(state.event("error", R"({"message":"flat"})").error().message, "flat");
  EXPECT_EQ(state.event("", R"({"object":"error","message":"flat","code":400})").error().http_status(), 400);
  EXPECT_EQ(state.event("", R"({"error":"text"})").error().message, "text");
  EXPECT_EQ(state.event("", R"({"choices":[{"index":0,"error":{"message":"m","code":502},"finish_reason":"error"}]})")
                .error()
                .message,
            "m");
  EXPECT_FALSE(state.event("", R"({"choices":[{"index":0,"delta":{},"finish_reason":"error"}]})"));
  EXPECT_FALSE(state.complete());
}

TEST(ChatStream, AnErrorMemberThatSaysNothingIsTakenOut) {
  EXPECT_EQ(play({R"({"error":null,"choices":[{"index":0,"finish_reason":"stop"}],"x" : 1.0})", "[DONE]"}),
            R"([{"choices":[{"index":0,"finish_reason":"stop"}],"x" : 1.0}]P+.)");
  EXPECT_EQ(play({R"({"choices":[{"finish_reason":"stop"}],"error":{}})", "[DONE]"}),
            R"([{"choices":[{"finish_reason":"stop"}]}]P+.)");
}

// U18.
TEST(ChatStream, PingsAreDropped) {
  StreamState state({Endpoint::kChat, false});
  EXPECT_EQ(state.event("ping", "{}")->action, Action::kDrop);
  EXPECT_EQ(state.event("ping", "")->action, Action::kDrop);
  EXPECT_EQ(state.event("", "{}")->action, Action::kDrop);
  EXPECT_EQ(state.event("", R"({"type":"ping"})")->action, Action::kDrop);
  EXPECT_EQ(state.event("x", "")->action, Action::kDrop);
}

// U31, U43, J19.
TEST(ChatStream, EventsThatCannotBeReadAreNeverRelayed) {
  for (const std::string_view bad :
       {"{", "x", "[]", "1", "\"a\"", R"({"choices":[],})", R"({"choices":null})", R"({"choices":7})",
        R"({"choices":[null]})", R"({"choices":[{"index":-1}]})", R"({"choices":[{"index":128}]})",
        R"({"choices":[{"index":2147483648}]})", R"({"choices":[{"index":"0"}]})", R"({"choices":[{"index":0.5}]})",
        R"({"a":1,"a":2})", "{\"a\":\"\xFF\"}", "[DONE", "[DONE]x"}) {
    EXPECT_EQ(play({bad}), "!upstream_invalid_event") << bad;
  }
  std::string many = R"({"choices":[{})";
  for (int i = 1; i < 128; ++i) many += ",{}";
  const std::string enough = many + "]}", too_many = many + ",{}]}";
  EXPECT_EQ(play({enough, kText, kFinish, "[DONE]"}), "PPPP+.");
  EXPECT_EQ(play({too_many}), "!upstream_invalid_event");
  EXPECT_EQ(play({R"({"choices":[{"index":127,"finish_reason":"stop"}]})", "[DONE]"}), "PP+.");
}

// U44, 2.6.
TEST(ChatStream, ForcedUsageIsHidden) {
  EXPECT_EQ(play({kText, kFinish, kUsage, "[DONE]"}, true), "PP-P+.");
  EXPECT_EQ(play({R"({"choices":[{"finish_reason":"stop"}],"usage":null,"x":1})", "[DONE]"}, true),
            R"([{"choices":[{"finish_reason":"stop"}],"x":1}]P+.)");
  EXPECT_EQ(play({R"({"usage":null,"choices":[{"finish_reason":"stop"}],"error":null})", "[DONE]"}, true),
            R"([{"choices":[{"finish_reason":"stop"}]}]P+.)");
  EXPECT_EQ(play({R"({"choices":[{"finish_reason":"stop"}],"usage":{"prompt_tokens":1}})", "[DONE]"}, true),
            R"([{"choices":[{"finish_reason":"stop"}]}]P+.)");
  EXPECT_EQ(play({R"({"choices":[{"finish_reason":"stop"}],"usage":{"prompt_tokens":1}})", "[DONE]"}), "PP+.");
}

Usage usage_of(const std::vector<std::string_view>& events) {
  StreamState state({Endpoint::kChat, true});
  for (const std::string_view data : events) EXPECT_TRUE(state.event("", data)) << data;
  return state.usage();
}

TEST(ChatStream, TheLastUsageThatSaysSomethingCounts) {
  constexpr std::string_view kNull = R"({"choices":[],"usage":null})";
  constexpr std::string_view kZero = R"({"choices":[],"usage":{"prompt_tokens":0,"completion_tokens":0}})";
  constexpr std::string_view kMore = R"({"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":9}})";
  EXPECT_EQ(usage_of({kUsage, kMore, kNull, kZero}).output, 9);
  EXPECT_EQ(usage_of({kMore, kUsage}).output, 4) << "never summed";
  EXPECT_EQ(usage_of({kZero}).source, UsageSource::kReported);
  EXPECT_EQ(usage_of({kNull}).source, UsageSource::kNone);
  EXPECT_EQ(usage_of({R"({"choices":[],"x_groq":{"id":"r","usage":{"prompt_tokens":5}}})"}).input, 5);
  EXPECT_TRUE(usage_of({R"({"choices":[],"usage":{"prompt_tokens":-5}})"}).anomalous);
}

TEST(ChatStream, CountsEventsWithSomethingToRead) {
  StreamState state({Endpoint::kChat, false});
  for (const std::string_view choice :
       {R"({"delta":{"content":"a"}})", R"({"delta":{"reasoning_content":"a"}})", R"({"delta":{"reasoning":"a"}})",
        R"({"text":"a"})", R"({"delta":{"refusal":"a"}})", R"({"delta":{"tool_calls":[{"index":0}]}})",
        R"({"delta":{"function_call":{"name":"f"}}})", R"({"delta":{"content":""}})",
        R"({"delta":{"role":"assistant","content":null}})", R"({"delta":{"tool_calls":[]}})", R"({"text":""})"}) {
    EXPECT_TRUE(state.event("", "{\"choices\":[" + std::string(choice) + "]}"));
  }
  EXPECT_EQ(state.content_events(), 7U);
  EXPECT_TRUE(state.event("", kFinish));
  EXPECT_EQ(state.finish_reason(), "stop");
}

TEST(ChatStream, F77AReasonThatIsNotKnownIsOther) {
  for (const auto& [reason, name] : {std::pair{"tool_calls", "tool_calls"}, {"canary of the prompt", "other"}}) {
    StreamState state({Endpoint::kChat, false});
    EXPECT_TRUE(state.event("", R"({"choices":[{"index":0,"finish_reason":")" + std::string(reason) + "\"}]}"));
    EXPECT_EQ(state.finish_reason(), name);
  }
}

TEST(ChatStream, FailureIsAnErrorEvent) {
  const StreamState state({Endpoint::kChat, false});
  const Error error = fail(ErrorKind::kUpstreamTruncated, "cut").error();
  EXPECT_EQ(state.failure_event(error),
            "data: "
            "{\"error\":{\"message\":\"cut\",\"type\":\"server_error\",\"param\":null,\"code\":\"upstream_stream_"
            "truncated\"}}\n\n");
}

}  // namespace
}  // namespace sluice::api
