#include "sluice/api/plain_text.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace sluice::api {
namespace {

constexpr std::size_t kAll = 1 << 20;

std::string question(Endpoint endpoint, const std::string& body, std::size_t most = kAll) {
  const auto view = parse_request(endpoint, body);
  return view ? question_text(*view, most) : "?";
}

std::string of_body(Endpoint endpoint, std::string_view body, std::size_t most = kAll) {
  AnswerText answer(endpoint, most);
  answer.add_body(body);
  return answer.text();
}

std::string of_events(Endpoint endpoint, const std::vector<std::string>& events, std::size_t most = kAll) {
  AnswerText answer(endpoint, most);
  for (const std::string& event : events) answer.add_event(event);
  return answer.text();
}

TEST(QuestionText, IsMessagesByRole) {
  EXPECT_EQ(question(Endpoint::kChat, R"({"model":"m","messages":[
    {"role":"system","content":"Be\nbrief \u00e9."},
    {"role":"user","content":[{"type":"text","text":"What is it?"},{"type":"image_url","image_url":{"url":"data:x"}}]},
    {"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]},
    {"role":"tool","tool_call_id":"c","content":"42"}]})"),
            "system: Be\nbrief é.\nuser: What is it?\n[image_url]\nassistant: \ntool_call f: {\"a\":1}\ntool: 42");
}

TEST(QuestionText, IsThePromptOrTheInputWhereThereAreNoMessages) {
  EXPECT_EQ(question(Endpoint::kCompletions, R"({"model":"m","prompt":"once"})"), "once");
  EXPECT_EQ(question(Endpoint::kCompletions, R"({"model":"m","prompt":["once","twice"]})"), "once\ntwice");
  EXPECT_EQ(question(Endpoint::kEmbeddings, R"({"model":"m","input":[1,2,3]})"), "");
  EXPECT_EQ(question(Endpoint::kEmbeddings, R"({"model":"m","input":"a"})"), "a");
  EXPECT_EQ(question(Endpoint::kResponses, R"({"model":"m","input":"a","instructions":"b"})"),
            "instructions: b\nuser: a");
}

TEST(QuestionText, EndsWhereItIsToEnd) {
  const std::string body = R"({"model":"m","messages":[{"role":"user","content":")" + std::string(5000, 'x') +
                           R"("},{"role":"user","content":"\u0041\u0042\u0043"}]})";
  const std::string all = question(Endpoint::kChat, body);
  for (std::size_t most = 0; most <= all.size() + 1; ++most) {
    ASSERT_EQ(question(Endpoint::kChat, body, most), all.substr(0, most));
  }
}

TEST(AnswerText, IsTheFirstChoiceAndItsCalls) {
  EXPECT_EQ(of_body(Endpoint::kChat, R"( {"choices":[{"index":1,"message":{"content":"no"}},{"index":0,"message":
    {"role":"assistant","content":"yes \ud83d\ude00","reasoning_content":"hm","tool_calls":[{"function":{"name":"f","arguments":"{}"}},
    {"custom":{"name":"g","input":"x"}}]}}],"usage":{}})"),
            "yes 😀\ntool_call f: {}\ntool_call g: x");
  EXPECT_EQ(of_body(Endpoint::kChat, R"({"choices":[{"message":{"content":null,"refusal":"No."}}]})"), "No.");
  EXPECT_EQ(of_body(Endpoint::kCompletions, R"({"choices":[{"index":0,"text":"so"},{"index":1,"text":"no"}]})"), "so");
  for (const char* odd : {"{}", "[]", "null", "", R"({"choices":{}})", R"({"choices":[7]})"}) {
    EXPECT_EQ(of_body(Endpoint::kChat, odd), "") << odd;
  }
}

TEST(AnswerText, JoinsThePiecesOfAStream) {
  EXPECT_EQ(
      of_events(Endpoint::kChat,
                {R"({"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]})",
                 R"({"choices":[{"index":0,"delta":{"content":"a"}},{"index":1,"delta":{"content":"x"}}]})",
                 R"({"choices":[{"delta":{"content":"b","tool_calls":[{"index":1,"function":{"name":"g"}}]}}]})",
                 R"({"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"name":"f","arguments":"1"}}]}}]})",
                 R"({"choices":[{"delta":{"tool_calls":[{"index":1,"function":{"name":"g","arguments":"2"}}]}}]})",
                 R"({"choices":[],"usage":{}})", "[DONE]"}),
      "ab\ntool_call g: 2\ntool_call f: 1");
}

TEST(AnswerText, JoinsTheItemsOfAResponse) {
  EXPECT_EQ(
      of_events(
          Endpoint::kResponses,
          {R"({"type":"response.created","response":{"output":[]}})",
           R"({"type":"response.output_item.added","output_index":0,"item":{"type":"message","content":[]}})",
           R"({"type":"response.output_text.delta","output_index":0,"delta":"a"})",
           R"({"type":"response.output_text.delta","output_index":0,"delta":"b"})",
           R"({"type":"response.output_text.done","output_index":0,"text":"ab"})",
           R"({"type":"response.output_item.added","output_index":1,"item":{"type":"function_call","name":"f","arguments":""}})",
           R"({"type":"response.function_call_arguments.delta","output_index":1,"delta":"{}"})",
           R"({"type":"response.completed","response":{"output":[{"type":"message"}]}})"}),
      "ab\ntool_call f: {}");
  EXPECT_EQ(of_body(Endpoint::kResponses, R"({"output":[{"type":"reasoning","summary":[]},
    {"type":"message","content":[{"type":"output_text","text":"a"},{"type":"refusal","refusal":"b"}]},
    {"type":"function_call","name":"f","arguments":"{}"}]})"),
            "ab\ntool_call f: {}");
}

TEST(AnswerText, HoldsNoMoreThanItMay) {
  const std::string piece = R"({"choices":[{"delta":{"content":")" + std::string(100, 'x') + R"("}}]})";
  AnswerText answer(Endpoint::kChat, 1000);
  for (int i = 0; i < 100; ++i) answer.add_event(piece);
  EXPECT_TRUE(answer.full());
  EXPECT_LE(answer.held(), 1000U);
  EXPECT_LE(answer.text().size(), 1000U);
  AnswerText calls(Endpoint::kChat, 1000);
  for (int i = 0; i < 1000; ++i) {
    calls.add_event(R"({"choices":[{"delta":{"tool_calls":[{"index":)" + std::to_string(i) +
                    R"(,"function":{"name":"f"}}]}}]})");
  }
  EXPECT_TRUE(calls.full());
  EXPECT_LE(calls.text().size(), 1000U);
}

}  // namespace
}  // namespace sluice::api
