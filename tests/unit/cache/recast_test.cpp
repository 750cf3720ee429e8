#include "cache/recast.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace sluice::cache {
namespace {

using json = nlohmann::json;

std::string data(const std::string& text) { return "data: " + text + "\n\n"; }

constexpr const char* kHead = R"("id":"c1","object":"chat.completion.chunk","created":7,"model":"m")";

std::string chunk(const std::string& choices) {
  return data("{" + std::string(kHead) + ",\"choices\":[" + choices + "]}");
}

std::string joined(const std::vector<std::string>& events) {
  std::string all;
  for (const auto& event : events) all += event;
  return all;
}

TEST(Recast, TextOfAStreamIsJoined) {
  const std::string events = chunk(R"({"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null})") +
                             chunk(R"({"index":0,"delta":{"content":"Hel\ud83d"},"finish_reason":null})") +
                             chunk(R"({"index":0,"delta":{"content":"\ude00lo"},"finish_reason":null})") +
                             chunk(R"({"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"})");
  const std::string usage = data(R"({"id":"c1","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}})");
  const auto body = body_of(Endpoint::kChat, events, usage);
  ASSERT_TRUE(body);
  const json parsed = json::parse(*body);
  EXPECT_EQ(parsed["object"], "chat.completion");
  EXPECT_EQ(parsed["id"], "c1");
  EXPECT_EQ(parsed["created"], 7);
  EXPECT_EQ(parsed["choices"][0]["message"]["content"], "Hel\xF0\x9F\x98\x80lo");
  EXPECT_EQ(parsed["choices"][0]["message"]["role"], "assistant");
  EXPECT_EQ(parsed["choices"][0]["finish_reason"], "stop");
  EXPECT_FALSE(parsed["choices"][0].contains("delta"));
  EXPECT_EQ(parsed["usage"]["completion_tokens"], 2);
}

TEST(Recast, ToolCallsAreJoinedByTheirNumber) {
  const std::string events =
      chunk(
          R"({"index":0,"delta":{"role":"assistant","content":null,"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}]},"finish_reason":null})") +
      chunk(
          R"({"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"x\""}}]},"finish_reason":null})") +
      chunk(
          R"({"index":0,"delta":{"tool_calls":[{"index":1,"id":"b","type":"function","function":{"name":"g","arguments":"{}"}}]},"finish_reason":null})") +
      chunk(R"({"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":":1}"}}]},"finish_reason":null})") +
      chunk(R"({"index":0,"delta":{},"finish_reason":"tool_calls"})");
  const auto body = body_of(Endpoint::kChat, events, {});
  ASSERT_TRUE(body);
  const json message = json::parse(*body)["choices"][0]["message"];
  EXPECT_EQ(message["content"], nullptr);
  ASSERT_EQ(message["tool_calls"].size(), 2U) << *body;
  EXPECT_EQ(message["tool_calls"][0],
            json::parse(R"({"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}})"));
  EXPECT_EQ(message["tool_calls"][1]["function"]["name"], "g");
}

TEST(Recast, ChoicesStayApartAndUnknownMembersSurvive) {
  const std::string events =
      chunk(R"({"index":1,"delta":{"content":"b","reasoning":"r1"},"finish_reason":null})") +
      chunk(R"({"index":0,"delta":{"content":"a"},"logprobs":{"content":[{"token":"a"}]},"finish_reason":null})") +
      chunk(R"({"index":0,"delta":{"content":"A"},"logprobs":{"content":[{"token":"A"}]},"finish_reason":"stop"})") +
      chunk(R"({"index":1,"delta":{"content":"B","reasoning":"r2"},"finish_reason":"length"})");
  const auto body = body_of(Endpoint::kChat, events, {});
  ASSERT_TRUE(body);
  const json choices = json::parse(*body)["choices"];
  ASSERT_EQ(choices.size(), 2U);
  EXPECT_EQ(choices[0]["message"]["content"], "aA");
  EXPECT_EQ(choices[0]["logprobs"]["content"].size(), 2U);
  EXPECT_EQ(choices[1]["message"]["reasoning"], "r1r2");
  EXPECT_EQ(choices[1]["finish_reason"], "length");
  EXPECT_EQ(choices[1]["index"], 1);
}

TEST(Recast, ABodyComesBackFromItsEvents) {
  const std::string body =
      R"({"id":"c1","object":"chat.completion","created":7,"model":"m","choices":[{"index":0,"message":{"role":"assistant",)"
      R"("content":"hi","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}},{}]},)"
      R"("logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}})";
  const auto events = events_of(Endpoint::kChat, body);
  ASSERT_TRUE(events.has_value());
  EXPECT_EQ(joined(*events).find("usage"), std::string::npos);
  const auto again = body_of(Endpoint::kChat, joined(*events), usage_event_of_body(Endpoint::kChat, body));
  ASSERT_TRUE(again);
  EXPECT_EQ(json::parse(*again), json::parse(body));
}

TEST(Recast, CompletionsGoBothWays) {
  const std::string body =
      R"({"id":"c1","object":"text_completion","created":7,"model":"m","choices":[{"index":0,"text":"hi there",)"
      R"("logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}})";
  const auto events = events_of(Endpoint::kCompletions, body);
  ASSERT_TRUE(events.has_value());
  const auto again =
      body_of(Endpoint::kCompletions, joined(*events), usage_event_of_body(Endpoint::kCompletions, body));
  ASSERT_TRUE(again);
  EXPECT_EQ(json::parse(*again), json::parse(body));
}

TEST(Recast, ResponsesGoBothWays) {
  const std::string body =
      R"({"id":"r1","object":"response","created_at":7,"status":"completed","model":"m","output":[)"
      R"({"id":"f1","type":"function_call","status":"completed","name":"f","call_id":"c","arguments":"{}"},)"
      R"({"id":"m1","type":"message","role":"assistant","status":"completed","content":[{"type":"output_text","annotations":[],"text":"hi"}]}],)"
      R"("usage":{"input_tokens":1,"output_tokens":2,"total_tokens":3}})";
  const auto events = events_of(Endpoint::kResponses, body);
  ASSERT_TRUE(events.has_value());
  std::vector<std::string> types;
  for (const std::string& event : *events) types.push_back(event.substr(7, event.find('\n') - 7));
  EXPECT_EQ(types, (std::vector<std::string>{
                       "response.created", "response.in_progress", "response.output_item.added",
                       "response.function_call_arguments.delta", "response.function_call_arguments.done",
                       "response.output_item.done", "response.output_item.added", "response.content_part.added",
                       "response.output_text.delta", "response.output_text.done", "response.content_part.done",
                       "response.output_item.done", "response.completed"}));
  EXPECT_EQ(body_of(Endpoint::kResponses, joined(*events), {}), body);
  EXPECT_EQ(usage_event_of_body(Endpoint::kResponses, body), "") << "its last event tells it";
}

TEST(Recast, TheEndIsTakenOutAndUsageKept) {
  std::string usage;
  const std::string text = chunk(R"({"index":0,"delta":{"content":"x [DONE] \"usage\""},"finish_reason":null})");
  const std::string told = data(R"({"id":"c1","choices":[],"usage":{"prompt_tokens":3}})");
  EXPECT_EQ(without_end(Endpoint::kChat, text, usage), std::nullopt);
  EXPECT_EQ(usage, "");
  EXPECT_EQ(without_end(Endpoint::kChat, text + told + data("[DONE]"), usage), text);
  EXPECT_EQ(usage, told);
}

TEST(Recast, UsageIsToldFromWhatIsKnown) {
  const Usage usage{.input = 5, .output = 2, .cached = 1, .source = UsageSource::kReported};
  const std::string event =
      usage_event_of(Endpoint::kChat, chunk(R"({"index":0,"delta":{"content":"x"},"finish_reason":null})"), usage);
  const json parsed = json::parse(event.substr(6));
  EXPECT_EQ(parsed["id"], "c1");
  EXPECT_EQ(parsed["choices"], json::array());
  EXPECT_EQ(parsed["usage"]["total_tokens"], 7);
  EXPECT_EQ(usage_event_of(Endpoint::kChat, event, Usage{}), "") << "nothing was reported";
}

TEST(Recast, AnAnswerWithoutAnIdGoesBothWays) {
  const auto events = events_of(Endpoint::kCompletions, R"({"choices":[{"index":0,"text":"a"}]})");
  ASSERT_TRUE(events.has_value());
  for (const std::string& event : *events) {
    const std::string data = event.substr(6);
    EXPECT_FALSE(json::parse(data, nullptr, false).is_discarded()) << event;
    EXPECT_NE(data.find(R"("object":"text_completion")"), data.npos) << event;
  }
}

TEST(Recast, OneNameInTwoSpellingsMakesNoBody) {
  const std::string a = "data: {\"choices\":[{\"index\":0,\"delta\":{\"x\":1}}]}\n\n";
  const std::string b = "data: {\"choices\":[{\"index\":0,\"delta\":{\"\\u0078\":2}}]}\n\n";
  EXPECT_TRUE(body_of(Endpoint::kChat, a, "").has_value());
  const auto both = body_of(Endpoint::kChat, a + b, "");
  EXPECT_FALSE(both) << *both;
}

TEST(Recast, WhatIsNoAnswerIsNone) {
  EXPECT_EQ(body_of(Endpoint::kChat, data("nonsense"), {}), std::nullopt);
  EXPECT_EQ(body_of(Endpoint::kChat, "", {}), std::nullopt);
  EXPECT_EQ(body_of(Endpoint::kResponses, data(R"({"type":"response.created"})"), {}), std::nullopt);
  EXPECT_EQ(events_of(Endpoint::kChat, "[]"), std::nullopt);
  EXPECT_EQ(events_of(Endpoint::kEmbeddings, "{}"), std::nullopt);
}

}  // namespace
}  // namespace sluice::cache
