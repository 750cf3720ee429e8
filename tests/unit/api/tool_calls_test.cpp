#include "sluice/api/tool_calls.hpp"

#include <gtest/gtest.h>

namespace sluice::api {
namespace {

std::vector<ToolResult> results_of(Endpoint endpoint, const std::string& body) {
  const auto view = parse_request(endpoint, body);
  EXPECT_TRUE(view) << body;
  return view ? read_tool_results(*view) : std::vector<ToolResult>{};
}

TEST(ToolCallReader, ReadsABody) {
  ToolCallReader reader(Endpoint::kChat);
  reader.body(R"({"choices":[{"index":0,"message":{"tool_calls":[
      {"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}},
      {"id":"b","type":"custom","custom":{"name":"g","input":"free text"}},
      {"id":"","function":{"name":"h","arguments":""}},{"function":{}},7]}},
      {"index":1,"message":{"tool_calls":[{"id":"c","function":{"name":"f","arguments":"{ \"x\" : 1.0 }"}}]}}]})");
  const auto calls = reader.calls();
  ASSERT_EQ(calls.size(), 3U);
  EXPECT_EQ(calls[0].id, "a");
  EXPECT_EQ(calls[1].name, "g");
  EXPECT_EQ(calls[2].id, "c");
  EXPECT_EQ(calls[0].arguments, calls[2].arguments) << "equal JSON, spelled otherwise";
  EXPECT_NE(calls[0].arguments, calls[1].arguments);
}

TEST(ToolCallReader, PutsAStreamTogether) {
  ToolCallReader reader(Endpoint::kChat);
  reader.event(R"({"choices":[{"index":0,"delta":{"role":"assistant","content":null}}]})");
  reader.event(
      R"({"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":""}}]}}]})");
  reader.event(
      R"({"choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"id":"b","function":{"name":"f","arguments":"{\"x\""}}]}}]})");
  reader.event(R"({"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"x\":"}}]}}]})");
  reader.event(
      R"({"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","function":{"arguments":"2}"}},{"index":1,"function":{"arguments":":2}"}}]}}]})");
  reader.event("\"tool_calls\" but no JSON");
  const auto calls = reader.calls();
  ASSERT_EQ(calls.size(), 2U);
  EXPECT_EQ(calls[0].id, "a");
  EXPECT_EQ(calls[1].id, "b");
  EXPECT_EQ(calls[0].arguments, calls[1].arguments);
}

TEST(ToolCallReader, ReadsTheResponsesApi) {
  const std::string item = R"({"type":"function_call","call_id":"a","name":"f","arguments":"{}"})";
  ToolCallReader stream(Endpoint::kResponses);
  stream.event(R"({"type":"response.output_item.added","item":)" + item + "}");
  stream.event(R"({"type":"response.output_item.done","item":)" + item + "}");
  stream.event(R"({"type":"response.completed","response":{"output":[)" + item + "]}}");
  ASSERT_EQ(stream.calls().size(), 1U);
  ToolCallReader body(Endpoint::kResponses);
  body.body(R"({"output":[{"type":"message"},)" + item +
            R"(,{"type":"custom_tool_call","call_id":"b","name":"g","input":"x"}]})");
  ASSERT_EQ(body.calls().size(), 2U);
  EXPECT_EQ(body.calls()[0].arguments, stream.calls()[0].arguments);
}

TEST(ToolCallReader, IsBounded) {
  ToolCallReader many(Endpoint::kChat);
  std::string calls;
  for (int i = 0; i < 1000; ++i) {
    calls +=
        (i > 0 ? "," : "") + (R"({"id":"c)" + std::to_string(i) + R"(","function":{"name":"f","arguments":"{}"}})");
  }
  many.body(R"({"choices":[{"index":0,"message":{"tool_calls":[)" + calls + "]}}]}");
  EXPECT_EQ(many.calls().size(), kMostToolCalls);
  ToolCallReader large(Endpoint::kChat);
  for (int i = 0; i < 64; ++i) {
    large.event(
        R"({"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":")" +
        std::string(64 * 1024, 'x') + "\"}}]}}]}");
  }
  EXPECT_EQ(large.calls().size(), 1U);
}

TEST(ToolResults, AreThoseAfterTheLastAnswer) {
  const std::string body = R"({"model":"m","messages":[{"role":"user","content":"x"},
      {"role":"assistant","tool_calls":[{"id":"a","function":{"name":"f","arguments":"{}"}}]},
      {"role":"tool","tool_call_id":"a","content":"old"},
      {"role":"assistant","tool_calls":[{"id":"b","function":{"name":"f","arguments":"{}"}},
                                        {"id":"c","function":{"name":"g","arguments":"{}"}}]},
      {"role":"tool","tool_call_id":"c","content":"Error: no"},{"role":"tool","tool_call_id":"b","content":"new"},
      {"role":"tool","tool_call_id":"unknown","content":""}]})";
  const auto results = results_of(Endpoint::kChat, body);
  ASSERT_EQ(results.size(), 3U);
  EXPECT_EQ(results[0].call.name, "g");
  EXPECT_TRUE(results[0].failed);
  EXPECT_EQ(results[0].earlier, 0U);
  EXPECT_EQ(results[1].call.name, "f");
  EXPECT_FALSE(results[1].failed);
  EXPECT_EQ(results[1].earlier, 1U);
  EXPECT_EQ(results[2].call.id, "unknown");
  EXPECT_EQ(results[2].call.name, "");
}

TEST(ToolResults, OfAConversationThatGoesOnAreNone) {
  EXPECT_TRUE(results_of(Endpoint::kChat, R"({"model":"m","messages":[
      {"role":"assistant","tool_calls":[{"id":"a","function":{"name":"f","arguments":"{}"}}]},
      {"role":"tool","tool_call_id":"a","content":"x"},{"role":"assistant","content":"done"},
      {"role":"user","content":"thanks"}]})")
                  .empty());
  EXPECT_TRUE(results_of(Endpoint::kChat, R"({"model":"m","messages":[{"role":"user","content":"x"}]})").empty());
  EXPECT_TRUE(results_of(Endpoint::kResponses, R"({"model":"m","input":"function_call_output"})").empty());
  EXPECT_TRUE(results_of(Endpoint::kEmbeddings, R"({"model":"m","input":"x"})").empty());
}

TEST(ToolResults, OfTheResponsesApi) {
  const auto results = results_of(Endpoint::kResponses, R"({"model":"m","input":[{"role":"user","content":"x"},
      {"type":"function_call","call_id":"a","name":"f","arguments":"{}"},
      {"type":"function_call_output","call_id":"a","output":"one"},
      {"type":"function_call","call_id":"b","name":"f","arguments":"{}"},
      {"type":"custom_tool_call","call_id":"c","name":"g","input":"y"},
      {"type":"function_call_output","call_id":"b","output":[{"type":"input_text","text":"failed"}]},
      {"type":"custom_tool_call_output","call_id":"c","output":"fine"}]})");
  ASSERT_EQ(results.size(), 2U);
  EXPECT_EQ(results[0].call.id, "b");
  EXPECT_TRUE(results[0].failed);
  EXPECT_EQ(results[0].earlier, 1U);
  EXPECT_EQ(results[1].call.name, "g");
}

TEST(ToolResults, TellOfFailuresInCommonWays) {
  for (const char* text :
       {"Error: x", "  ERROR", "exception in f", "Traceback (most recent call last)", "Failed to x",
        "An error occurred while running the tool", R"({"error":"x"})", R"({"isError":true})", R"({"is_error":1})",
        R"({"ok":false})", R"({"success": false})", R"({"status":"error"})", R"( {"a":1,"status":"failed"})"}) {
    EXPECT_TRUE(tells_failure(text)) << text;
  }
  for (const char* text :
       {"", "  ", "no error", "42", R"({"error":null})", R"({"error":false,"ok":true})", R"({"errors":0})",
        R"({"status":"ok"})", R"(["error"])", R"({"error":)", "{not json error"}) {
    EXPECT_FALSE(tells_failure(text)) << text;
  }
}

}  // namespace
}  // namespace sluice::api
