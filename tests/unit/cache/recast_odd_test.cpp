// Answers that are good but lack something, or have more than is usual, in their other form.

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cache/recast.hpp"

namespace sluice::cache {
namespace {

using json = nlohmann::json;

// What follows "data: " in each event.
std::vector<json> parsed(const std::vector<std::string>& events) {
  std::vector<json> all;
  for (const std::string& event : events) all.push_back(json::parse(event.substr(6)));
  return all;
}

TEST(RecastOdd, AnAnswerWithoutAnIdHasEvents) {
  for (const char* head : {"", R"("created":7,)", R"("model":"m",)", R"("system_fingerprint":null,)"}) {
    const std::string body =
        "{" + std::string(head) +
        R"("choices":[{"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1}})";
    const auto events = events_of(Endpoint::kChat, body);
    ASSERT_TRUE(events);
    for (const json& event : parsed(*events)) EXPECT_EQ(event["object"], "chat.completion.chunk") << body;
    const json usage = json::parse(usage_event_of_body(Endpoint::kChat, body).substr(6));
    EXPECT_EQ(usage["usage"]["prompt_tokens"], 1);
  }
  const auto texts = events_of(Endpoint::kCompletions, R"({"choices":[{"text":"hi","finish_reason":"stop"}]})");
  ASSERT_TRUE(texts);
  for (const json& event : parsed(*texts)) EXPECT_EQ(event["object"], "text_completion");
}

TEST(RecastOdd, CallsThatHaveANumberAlreadyHaveOne) {
  const auto events = events_of(
      Endpoint::kChat,
      R"({"id":"c","choices":[{"index":0,"message":{"role":"assistant","tool_calls":[{"index":0,"id":"a"},{"id":"b","index":1},{"index":7},{}]},"finish_reason":"tool_calls"}]})");
  ASSERT_TRUE(events);
  std::string told;
  for (const std::string& event : *events) {
    const auto at = event.find("\"tool_calls\":[");
    if (at != event.npos) told = event.substr(at, event.find(']', at) + 1 - at);
  }
  EXPECT_EQ(told, R"("tool_calls":[{"index":0,"id":"a"},{"index":1,"id":"b"},{"index":2},{"index":3}])");
}

TEST(RecastOdd, WhatIsToldFromAStreamWithoutAnIdCanBeRead) {
  const Usage usage{.input = 5, .output = 2, .source = UsageSource::kReported};
  const std::string event = usage_event_of(Endpoint::kChat, "data: {\"choices\":[{\"delta\":{}}]}\n\n", usage);
  EXPECT_EQ(json::parse(event.substr(6))["usage"]["total_tokens"], 7);
}

TEST(RecastOdd, AMessageBesideItsPiecesCountsOnce) {
  std::string events;
  for (
      const char* choice :
      {R"({"index":0,"delta":{"role":"assistant","content":"Hel"},"message":{"role":"assistant","content":"Hel"}})",
       R"({"index":0,"delta":{"content":"lo"},"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"})"}) {
    events += "data: {\"id\":\"c\",\"choices\":[" + std::string(choice) + "]}\n\n";
  }
  const auto body = body_of(Endpoint::kChat, events, {});
  ASSERT_TRUE(body);
  const json choice = json::parse(*body)["choices"][0];
  EXPECT_EQ(choice["message"], json::parse(R"({"role":"assistant","content":"Hello"})"));
  EXPECT_EQ(body->find("message"), body->rfind("message")) << *body;
}

}  // namespace
}  // namespace sluice::cache
