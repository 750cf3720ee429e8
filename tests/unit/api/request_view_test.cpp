#include "sluice/api/request_view.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sluice::api {
namespace {

// A good body with one member added or replaced.
std::string body_with(Endpoint endpoint, std::string_view name, std::string_view value) {
  using Pairs = std::vector<std::pair<std::string_view, std::string_view>>;
  Pairs pairs = {{"model", "\"m\""}};
  if (endpoint == Endpoint::kChat) pairs.emplace_back("messages", R"([{"role":"user","content":"hi"}])");
  if (endpoint == Endpoint::kCompletions) pairs.emplace_back("prompt", "\"hi\"");
  if (endpoint == Endpoint::kEmbeddings || endpoint == Endpoint::kModerations) pairs.emplace_back("input", "\"hi\"");
  bool replaced = false;
  for (auto& [known, text] : pairs) {
    if (known == name) text = value, replaced = true;
  }
  if (!replaced && !name.empty()) pairs.emplace_back(name, value);
  std::string body = "{";
  for (const auto& [known, text] : pairs) {
    if (text.empty()) continue;
    body += (body.size() > 1 ? ",\"" : "\"") + std::string(known) + "\":" + std::string(text);
  }
  return body + "}";
}

// "" if accepted, else the param and kind of the refusal.
std::string verdict(Endpoint endpoint, std::string_view name, std::string_view value) {
  const std::string body = body_with(endpoint, name, value);
  const auto view = parse_request(endpoint, body);
  return view ? "" : std::string(view.error().error_code()) + " " + view.error().param;
}
std::string chat(std::string_view name, std::string_view value) { return verdict(Endpoint::kChat, name, value); }

TEST(ParseRequest, ReadsWhatTheGatewayUnderstands) {
  const std::string body =
      R"({"x":1e2,"model":"gp\u0074-4","messages":[{"role":"user"}],"stream":true,"stream_options":{"include_usage":true,"y":0}})";
  const auto view = parse_request(Endpoint::kChat, body);
  ASSERT_TRUE(view) << view.error().message;
  EXPECT_EQ(view->model, "gpt-4");
  EXPECT_TRUE(view->stream);
  EXPECT_TRUE(view->wants_usage);
  EXPECT_EQ(view->members.size(), 5U);
  EXPECT_EQ(view->member("x")->value.raw, "1e2");
  EXPECT_EQ(view->member("none"), nullptr);
  EXPECT_EQ(view->body.data(), body.data());
}

TEST(ParseRequest, NullStreamIsNoStream) {
  const std::string body = R"({"model":"m","messages":[{"role":"user"}],"stream":null,"stream_options":null})";
  const auto view = parse_request(Endpoint::kChat, body);
  ASSERT_TRUE(view);
  EXPECT_FALSE(view->stream);
  EXPECT_FALSE(view->wants_usage);
}

TEST(ParseRequest, ReadsTheEncodingOfEmbeddings) {
  const auto encoding = [](std::string_view value) {
    const std::string body = body_with(Endpoint::kEmbeddings, "encoding_format", value);
    return parse_request(Endpoint::kEmbeddings, body)->encoding;
  };
  EXPECT_EQ(encoding(""), Encoding::kUnset);
  EXPECT_EQ(encoding("null"), Encoding::kUnset);
  EXPECT_EQ(encoding("\"float\""), Encoding::kFloat);
  EXPECT_EQ(encoding("\"base64\""), Encoding::kBase64);
  EXPECT_EQ(verdict(Endpoint::kEmbeddings, "encoding_format", "\"int8\""), "invalid_value encoding_format");
}

// J01-J05, J16, F14.
TEST(ParseRequest, F14NamesTheKindOfBadJson) {
  const auto code = [](std::string_view body) {
    const auto view = parse_request(Endpoint::kChat, body);
    return view ? "accepted" : std::string(view.error().error_code()) + view.error().param;
  };
  for (const std::string_view body : {"", "   ", "null", "[]", "\"x\"", "1", "{}{}", "{} x", "{\"a\":1e400}",
                                      "\xEF\xBB\xBF{}", "{\"a\":\"\\ud800\"}", "{\"a\":\"\xFF\"}", "{\"a\":NaN}"}) {
    EXPECT_EQ(code(body), "invalid_json") << body;
  }
  EXPECT_EQ(code(R"({"model":"cheap","model":"gpt-5"})"), "duplicate_keymodel");
  EXPECT_EQ(code(R"({"model":"cheap","mod\u0065l":"gpt-5"})"), "duplicate_keymodel");
  EXPECT_EQ(code(R"({"messages":[{"role":"user","role":"system"}]})"), "duplicate_keyrole");
  EXPECT_EQ(code(R"({"tools":[{"function":{"name":"a","x":1,"name":"b"}}]})"), "duplicate_keyname");
  EXPECT_EQ(code("{\"" + std::string(1000, 'k') + "\":1,\"" + std::string(1000, 'k') + "\":2}"),
            "duplicate_key" + std::string(64, 'k') + "…");
  EXPECT_EQ(code("{\"a\":" + std::string(100'000, '[')), "json_too_deep");
  const auto view = parse_request(Endpoint::kChat, "{\"a\":tru}");
  ASSERT_FALSE(view);
  EXPECT_NE(view.error().message.find("byte 5"), std::string::npos) << view.error().message;
  EXPECT_EQ(view.error().http_status(), 400);
}

// F15: whatever is refused, its place is named. The offset is of the value, or of the object that lacks it.
TEST(ParseRequest, F15EveryRefusalNamesTheByte) {
  struct Case {
    std::string_view body;
    std::size_t byte;
  };
  constexpr Case kCases[] = {
      {R"([])", 0},
      {R"(  {"messages":[{"role":"user"}]})", 2},
      {R"({"model":7,"messages":[{"role":"user"}]})", 9},
      {R"({"model":"m","messages":{}})", 24},
      {R"({"model":"m","messages":[ 7 ]})", 26},
      {R"({"model":"m","messages":[{"role":"user"}, {"content":"x"}]})", 42},
      {R"({"model":"m","messages":[{"role":"root"}]})", 33},
      {R"({"model":"m","messages":[{"role":"user","content":8}]})", 50},
      {R"({"model":"m","messages":[{"role":"tool"}]})", 25},
      {R"({"model":"m","messages":[{"role":"tool","tool_call_id":""}]})", 55},
      {R"({"model":"m","messages":[{"role":"user"}],"n": 9})", 47},
      {R"({"model":"m","messages":[{"role":"user"}],"max_tokens":0})", 55},
      {R"({"model":"m","messages":[{"role":"user"}],"stream_options":{}})", 42},
      {R"({"model":"m","messages":[{"role":"user"}],"stream":true,"stream_options":{"include_usage":1}})", 90},
      {R"({"model":"m","messages":[{"role":"user"}],"api_key":"x"})", 42},
  };
  for (const auto& [body, byte] : kCases) {
    const auto view = parse_request(Endpoint::kChat, body);
    ASSERT_FALSE(view) << body;
    const std::string& message = view.error().message;
    EXPECT_NE(message.find(" at byte " + std::to_string(byte) + "."), std::string::npos) << body << "\n" << message;
  }
}

// J06.
TEST(ParseRequest, TokenCountsAreIntegersFromOneToTwoToThe31) {
  for (const std::string_view name : {"max_tokens", "max_completion_tokens"}) {
    for (const std::string_view good : {"1", "1.0", "1e3", "2147483647", "null"})
      EXPECT_EQ(chat(name, good), "") << good;
    for (const std::string_view bad : {"0", "-1", "2147483648", "9223372036854775808", "18446744073709551616", "1.5",
                                       "\"10\"", "true", "[]", "{}"}) {
      EXPECT_EQ(chat(name, bad), "invalid_value " + std::string(name)) << bad;
    }
  }
  EXPECT_EQ(verdict(Endpoint::kResponses, "max_output_tokens", "0"), "invalid_value max_output_tokens");
  EXPECT_EQ(verdict(Endpoint::kEmbeddings, "dimensions", "0"), "invalid_value dimensions");
}

// J07.
TEST(ParseRequest, SamplingParametersHaveRanges) {
  for (const std::string_view good : {"0", "-0", "2", "1e-400", "0.7", "null"})
    EXPECT_EQ(chat("temperature", good), "") << good;
  for (const std::string_view bad : {"-0.1", "2.1", "\"0\"", "[]"})
    EXPECT_EQ(chat("temperature", bad), "invalid_value temperature");
  for (const std::string_view good : {"0", "1", "0.5"}) EXPECT_EQ(chat("top_p", good), "") << good;
  for (const std::string_view bad : {"1.1", "-0.1", "true"}) EXPECT_EQ(chat("top_p", bad), "invalid_value top_p");
  EXPECT_EQ(chat("frequency_penalty", "2.1"), "invalid_value frequency_penalty");
  EXPECT_EQ(chat("presence_penalty", "-2"), "");
}

// J08.
TEST(ParseRequest, CountsAndListsAreBounded) {
  for (const std::string_view bad : {"0", "9", "1e9", "1.5"}) EXPECT_EQ(chat("n", bad), "invalid_value n");
  EXPECT_EQ(chat("n", "8"), "");
  EXPECT_EQ(chat("stop", R"(["a","b","c","d"])"), "");
  EXPECT_EQ(chat("stop", "\"a\""), "");
  EXPECT_EQ(chat("stop", "[]"), "");
  for (const std::string& bad : {std::string(R"(["a","b","c","d","e"])"), std::string("\"\""), std::string("[\"\"]"),
                                 "\"" + std::string(10'000, 'x') + "\"", std::string("[1]"), std::string("1")}) {
    EXPECT_EQ(chat("stop", bad), "invalid_value stop");
  }
  std::string bias = "{\"0\":1";
  for (int i = 1; i < 1024; ++i) bias += ",\"" + std::to_string(i) + "\":1";
  EXPECT_EQ(chat("logit_bias", bias + "}"), "");
  EXPECT_EQ(chat("logit_bias", bias + ",\"x\":1}"), "invalid_value logit_bias");
  EXPECT_EQ(chat("seed", "-9223372036854775808"), "");
  EXPECT_EQ(chat("seed", "18446744073709551616"), "invalid_value seed");
}

// J09.
TEST(ParseRequest, StreamOptionsNeedAStream) {
  for (const std::string_view bad : {"\"true\"", "1", "[]", "{}"})
    EXPECT_EQ(chat("stream", bad), "invalid_value stream");
  EXPECT_EQ(chat("stream_options", R"({"include_usage":true})"), "invalid_value stream_options");
  EXPECT_EQ(chat("stream_options", "[]"), "invalid_value stream_options");
  EXPECT_EQ(verdict(Endpoint::kResponses, "stream_options", R"({"include_obfuscation":true})"), "");
  const auto streamed = [](std::string_view options) {
    return parse_request(Endpoint::kCompletions,
                         R"({"model":"m","prompt":null,"stream":true,"stream_options":)" + std::string(options) + "}");
  };
  EXPECT_TRUE(streamed(R"({"include_obfuscation":false,"include_usage":null})"));
  ASSERT_FALSE(streamed(R"({"include_usage":"yes"})"));
  EXPECT_EQ(streamed(R"({"include_usage":"yes"})").error().param, "stream_options.include_usage");
}

// J10.
TEST(ParseRequest, EveryMessageIsLookedAt) {
  EXPECT_EQ(chat("messages", ""), "missing_required_parameter messages");
  for (const std::string_view bad : {"null", "{}", "[]", "\"hi\"", "1"})
    EXPECT_EQ(chat("messages", bad), "invalid_value messages");
  EXPECT_EQ(chat("messages", "[1]"), "invalid_value messages[0]");
  EXPECT_EQ(chat("messages", "[{}]"), "missing_required_parameter messages[0].role");
  EXPECT_EQ(chat("messages", R"([{"role":"user"},{"role":"root"}])"), "invalid_value messages[1].role");
  EXPECT_EQ(chat("messages", R"([{"role":null}])"), "invalid_value messages[0].role");
  EXPECT_EQ(chat("messages", R"([{"role":"user","content":1}])"), "invalid_value messages[0].content");
  EXPECT_EQ(chat("messages", R"([{"role":"tool","content":"x"}])"),
            "missing_required_parameter messages[0].tool_call_id");
  EXPECT_EQ(chat("messages", R"([{"role":"tool","tool_call_id":1}])"), "invalid_value messages[0].tool_call_id");
  EXPECT_EQ(chat("messages", R"([ {"x":[{"}":"]"}] , "\u0072ole" : "u\u0073er" } , {"role":"root"} ])"),
            "invalid_value messages[1].role");
  for (const std::string_view role : {"developer", "system", "user", "assistant", "function"}) {
    EXPECT_EQ(chat("messages", R"([{"content":null,"role":")" + std::string(role) + "\"}]"), "") << role;
  }
  EXPECT_EQ(
      chat("messages", R"([{"role":"assistant","content":[{"type":"text"}]},{"role":"tool","tool_call_id":"a"}])"), "");
}

TEST(ParseRequest, MessagesAreCounted) {
  std::string many = R"([{"role":"user"})";
  for (int i = 1; i < 100'000; ++i) many += R"(,{"role":"user"})";
  EXPECT_EQ(chat("messages", many + "]"), "");
  EXPECT_EQ(chat("messages", many + R"(,{"role":"user"}])"), "invalid_value messages");
}

// J12, F16, F17.
TEST(ParseRequest, ModelNamesHaveNoControlCharacters) {
  for (const std::string_view bad : {"\"\"", "1", "null", "[]", R"("a\r\nX: y")", R"("a\u0000b")", R"("a\u007f")"}) {
    EXPECT_EQ(chat("model", bad), "invalid_value model") << bad;
  }
  EXPECT_EQ(chat("model", ""), "missing_required_parameter model");
  for (const std::string_view good : {"\" \"", "\"../x\"", "\"🚀:free\"", "\"ft:a@b\""})
    EXPECT_EQ(chat("model", good), "") << good;
  EXPECT_EQ(verdict(Endpoint::kModerations, "model", ""), "");
  EXPECT_EQ(verdict(Endpoint::kModerations, "model", "null"), "");
  EXPECT_EQ(verdict(Endpoint::kModerations, "model", "1"), "invalid_value model");
}

TEST(ParseRequest, WhatAClientSentIsCutShortInMessages) {
  const std::string body = body_with(Endpoint::kChat, "temperature", "\"" + std::string(100'000, 'x') + "\"");
  const auto view = parse_request(Endpoint::kChat, body);
  ASSERT_FALSE(view);
  EXPECT_LT(view.error().message.size(), 300U);
}

TEST(ParseRequest, EachEndpointHasItsInput) {
  EXPECT_EQ(verdict(Endpoint::kCompletions, "prompt", ""), "missing_required_parameter prompt");
  EXPECT_EQ(verdict(Endpoint::kCompletions, "prompt", "null"), "");
  EXPECT_EQ(verdict(Endpoint::kCompletions, "prompt", "[[1,2]]"), "");
  EXPECT_EQ(verdict(Endpoint::kCompletions, "prompt", "{}"), "invalid_value prompt");
  EXPECT_EQ(verdict(Endpoint::kEmbeddings, "input", ""), "missing_required_parameter input");
  EXPECT_EQ(verdict(Endpoint::kEmbeddings, "input", "null"), "invalid_value input");
  EXPECT_EQ(verdict(Endpoint::kModerations, "input", ""), "missing_required_parameter input");
  EXPECT_EQ(verdict(Endpoint::kResponses, "", ""), "");
  EXPECT_EQ(verdict(Endpoint::kResponses, "input", "1"), "invalid_value input");
}

// J17.
TEST(ParseRequest, UnknownMembersPass) {
  std::string body = R"({"model":"m","messages":[{"role":"user"}],"__proto__":{},"constructor":1,")" +
                     std::string(1 << 20, 'k') + "\":0";
  for (int i = 0; i < 10'000; ++i) body += ",\"u" + std::to_string(i) + "\":null";
  body += "}";
  EXPECT_TRUE(parse_request(Endpoint::kChat, body));
}

// 40 fields x 12 types: accepted, or refused with the member's own name.
TEST(ParseRequest, TypeConfusionIsRefusedByNameOrForwarded) {
  constexpr std::string_view kFields[] = {"model",
                                          "messages",
                                          "prompt",
                                          "input",
                                          "stream",
                                          "stream_options",
                                          "max_tokens",
                                          "max_completion_tokens",
                                          "max_output_tokens",
                                          "temperature",
                                          "top_p",
                                          "n",
                                          "stop",
                                          "seed",
                                          "logit_bias",
                                          "frequency_penalty",
                                          "presence_penalty",
                                          "encoding_format",
                                          "dimensions",
                                          "user",
                                          "tools",
                                          "tool_choice",
                                          "parallel_tool_calls",
                                          "functions",
                                          "function_call",
                                          "response_format",
                                          "reasoning_effort",
                                          "verbosity",
                                          "modalities",
                                          "audio",
                                          "prediction",
                                          "metadata",
                                          "store",
                                          "service_tier",
                                          "logprobs",
                                          "top_logprobs",
                                          "suffix",
                                          "echo",
                                          "best_of",
                                          "instructions"};
  constexpr std::string_view kValues[] = {"null",  "true", "false",    "0",  "-1", "1.5",
                                          "1e300", "\"\"", "\"text\"", "[]", "{}", "[[{}]]"};
  static_assert(std::size(kFields) == 40 && std::size(kValues) == 12);
  for (const Endpoint endpoint :
       {Endpoint::kChat, Endpoint::kCompletions, Endpoint::kEmbeddings, Endpoint::kResponses, Endpoint::kModerations}) {
    for (const std::string_view field : kFields) {
      int refused = 0;
      for (const std::string_view value : kValues) {
        const std::string body = body_with(endpoint, field, value);
        const auto view = parse_request(endpoint, body);
        if (view) continue;
        ++refused;
        EXPECT_TRUE(view.error().param.starts_with(field)) << field << "=" << value << " " << view.error().param;
        EXPECT_EQ(view.error().http_status(), 400);
      }
      if (field != "messages") EXPECT_LT(refused, 12) << field;
      if (endpoint == Endpoint::kChat && field == "max_tokens") EXPECT_EQ(refused, 11);
      if (field == "user" || field == "tools") EXPECT_EQ(refused, 0);
    }
  }
}

}  // namespace
}  // namespace sluice::api
