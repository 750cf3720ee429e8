// F22, J14: a client may not say where its request goes. J17: what is the app's own passes.

#include "sluice/api/destinations.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "sluice/api/request_view.hpp"
#include "support/paths.hpp"

namespace sluice::api {
namespace {

const std::string kChat = R"("model":"m","messages":[{"role":"user","content":"hi"}])";

// "" if accepted, else "code param".
std::string verdict(const std::string& body, Endpoint endpoint = Endpoint::kChat) {
  const auto view = parse_request(endpoint, body);
  return view ? "" : std::string(view.error().error_code()) + " " + view.error().param;
}
std::string with(const std::string& member) { return "{" + kChat + "," + member + "}"; }
std::string refused(const std::string& path) { return "unsupported_parameter " + path; }

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  for (auto at = text.find(what); at != text.npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
  return text;
}
// "api_base" → "apiBase"
std::string camel(std::string_view name) {
  std::string out;
  for (std::size_t i = 0; i < name.size(); ++i) {
    out += name[i] == '_' ? static_cast<char>(name[++i] - 32) : name[i];
  }
  return out;
}

TEST(Destinations, F22EveryNameIsRefusedHoweverItIsWritten) {
  for (const std::string_view name : destination_names()) {
    std::string upper(name);
    std::ranges::transform(upper, upper.begin(), [](char c) { return c >= 'a' && c <= 'z' ? char(c - 32) : c; });
    const std::string escaped = replaced(std::string(name), "e", "\\u0065");
    for (const std::string& spelled : {std::string(name), upper, camel(name), replaced(std::string(name), "_", "-"),
                                       replaced(std::string(name), "_", ""), "_" + std::string(name),
                                       std::string(name) + "-", replaced(std::string(name), "_", "__")}) {
      EXPECT_EQ(verdict(with("\"" + spelled + "\":\"http://169.254.169.254/\"")), refused(spelled));
    }
    EXPECT_EQ(verdict(with("\"" + escaped + "\":null")), refused(std::string(name)));
  }
}

TEST(Destinations, J14TheyAreFoundAtEveryDepth) {
  for (const std::string_view name : destination_names()) {
    for (const std::string container : {"extra_body", "litellm_params", "metadata", "x"}) {
      std::string path(name);
      std::string member = "\"" + path + "\":\"http://127.0.0.1/\"";
      for (int depth = 1; depth <= 5; ++depth) {
        EXPECT_EQ(verdict(with(member)), refused(path));
        member = "\"" + container + "\":{" + member + "}";
        path = container + "." + path;
      }
    }
  }
}

TEST(Destinations, J14TheParameterSaysWhereTheNameStands) {
  EXPECT_EQ(verdict(with(R"("a":[0,{},{"b":[[],[{"api\u005fbase":1}]]}])")), refused("a[2].b[1][0].api_base"));
  EXPECT_EQ(verdict(with(R"("fallbacks":["m",{"model":"n","API_KEY":"k"}])")), refused("fallbacks[1].API_KEY"));
  EXPECT_EQ(verdict(with(R"("api_key":1,"base_url":2)")), refused("api_key")) << "the first one";
  const std::string deep = verdict(with("\"" + std::string(1'000'000, 'k') + R"(":{"base_url":1})"));
  EXPECT_LT(deep.size(), 150U);
  EXPECT_TRUE(deep.ends_with("….base_url")) << deep;
  std::string nest = "\"base_url\":1";
  for (int i = 0; i < 60; ++i) nest = "\"" + std::string(50, 'n') + "\":{" + nest + "}";
  EXPECT_LT(verdict(with(nest)).size(), 300U);
}

TEST(Destinations, TheMessageNamesTheParameterAndNoValue) {
  const std::string body = with(R"("extra_body":{"api_base":"http://10.9.8.7/secret"})");
  const auto view = parse_request(Endpoint::kChat, body);
  ASSERT_FALSE(view);
  EXPECT_EQ(view.error().http_status(), 400);
  EXPECT_NE(view.error().message.find("'extra_body.api_base' is not supported"), std::string::npos);
  EXPECT_EQ(view.error().message.find("10.9.8.7"), std::string::npos);
}

TEST(Destinations, EveryEndpointRefusesThem) {
  EXPECT_EQ(verdict(R"({"model":"m","prompt":"x","x":{"api_key":1}})", Endpoint::kCompletions), refused("x.api_key"));
  EXPECT_EQ(verdict(R"({"model":"m","input":"x","x":{"api_key":1}})", Endpoint::kEmbeddings), refused("x.api_key"));
  EXPECT_EQ(verdict(R"({"model":"m","input":"x","x":{"api_key":1}})", Endpoint::kResponses), refused("x.api_key"));
  EXPECT_EQ(verdict(R"({"input":"x","x":{"api_key":1}})", Endpoint::kModerations), refused("x.api_key"));
}

TEST(Destinations, BadJsonIsToldFirst) {
  EXPECT_EQ(verdict(R"({"api_base":1,)"), "invalid_json ");
  EXPECT_EQ(verdict(R"({"api_base":1,"api_base":2})"), "duplicate_key api_base");
  EXPECT_EQ(verdict(R"([{"api_base":1}])"), "invalid_json ");
}

// Where gateways look, and what is near to the app's own without being it.
TEST(Destinations, F22ToolsAndMessagesThemselvesAreLookedAt) {
  const std::string messages = R"({"model":"m","messages":[{"role":"user","content":[{"type":"image_url",)";
  EXPECT_EQ(verdict(with(R"("tools":[{"type":"function","api_base":"http://a"}])")), refused("tools[0].api_base"));
  EXPECT_EQ(verdict(with(R"("tools":[{"function":{"name":"f","api_key":"k"}}])")),
            refused("tools[0].function.api_key"));
  EXPECT_EQ(verdict(messages + R"("image_url":{"url":"http://a","base_url":"http://b"}}]}]})"),
            refused("messages[0].content[0].image_url.base_url"));
  EXPECT_EQ(verdict(R"({"model":"m","messages":[{"role":"user","content":"x","api_key":1}]})"),
            refused("messages[0].api_key"));
  EXPECT_EQ(verdict(with(R"("extra_body":{"parameters":{"api_base":1}})")), refused("extra_body.parameters.api_base"));
  EXPECT_EQ(verdict(with(R"("t\u006fols":[{"parameters":{"api_base":1}}])")), refused("tools[0].parameters.api_base"))
      << "what is written strangely is not taken for the app's own";
}

TEST(Destinations, WhatBelongsToTheAppPasses) {
  for (
      const std::string member :
      {R"("tools":[{"type":"function","function":{"name":"call","parameters":{"type":"object","properties":{)"
       R"("api_key":{"type":"string"},"base_url":{"type":"string"},"headers":{"type":"object"}}}}}])",
       R"("tools":[{"type":"mcp","server_label":"l","server_url":"https://mcp.example","headers":{"api-key":"k"}}])",
       R"("functions":[{"name":"f","parameters":{"properties":{"api_base":{}}}}])",
       R"("response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"properties":{"api_key":{}}}}})",
       R"("response_format":{"type":"json_object","schema":{"properties":{"api_key":{}}}})",
       R"("guided_json":{"properties":{"base_url":{}}})",
       R"("structured_outputs":{"json":{"properties":{"headers":{}}}})", R"("chat_template_kwargs":{"api_version":2})",
       R"("documents":[{"headers":"of a mail"}])", R"("logit_bias":{"50256":-100})",
       R"("metadata":{"team":"search","note":"api_base=http://x"})",
       R"("extra_body":{"google":{"thinking_config":{"include_thoughts":true}}})",
       R"("provider":{"order":["a"]},"models":["a","b"],"plugins":[{"id":"web"}],"top_k":3)",
       R"("user":"api_base","stop":["base_url"],"prediction":{"type":"content","content":"api_key"})",
       R"("data_sources":[{"type":"azure_search","parameters":{"endpoint":"https://a","authentication":{"type":"api_key","key":"k"}}}])",
       R"("api":1,"base":"b","key":2,"apibases":3,"xapikey":4,"header":{},"":5,"_":6,"api base":7)"}) {
    EXPECT_EQ(verdict(with(member)), "") << member;
  }
}

TEST(Destinations, TheConversationMayHoldAnyToolsWords) {
  for (
      const std::string message :
      {R"({"role":"user","content":"{\"api_base\":\"http://169.254.169.254\"}"})",
       R"({"role":"assistant","tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{\"api_key\":1}"}}]})",
       R"({"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":{"api_key":1,"a":[{"headers":{}}]}}}]})",
       R"({"role":"assistant","content":[{"type":"tool_use","id":"1","name":"f","input":{"base_url":"x"}}]})"}) {
    EXPECT_EQ(verdict(R"({"model":"m","messages":[)" + message + "]}"), "") << message;
  }
  for (const std::string input :
       {R"({"type":"local_shell_call","call_id":"1","action":{"type":"exec","command":["ls"],"env":{"API_KEY":"k"}}})",
        R"({"type":"function_call","call_id":"1","name":"f","arguments":"{\"api_key\":1}"})",
        R"({"type":"function_call_output","call_id":"1","output":[{"type":"input_text","text":"api_base"}]})",
        R"({"type":"file_search_call","results":[{"attributes":{"api_version":"3"}}]})"}) {
    EXPECT_EQ(verdict(R"({"model":"m","input":[)" + input + "]}", Endpoint::kResponses), "") << input;
  }
  EXPECT_EQ(
      verdict(R"({"model":"m","prompt":{"id":"p","variables":{"base_url":"x","api_key":"y"}}})", Endpoint::kResponses),
      "");
  EXPECT_EQ(verdict(R"({"model":"m","input":"x","text":{"format":{"type":"json_schema","schema":{"api_key":{}}}}})",
                    Endpoint::kResponses),
            "");
}

TEST(Destinations, F22AQueryIsLookedAtToo) {
  const auto query = [](std::string_view text) {
    const auto good = check_query(text);
    return good ? "" : std::string(good.error().error_code()) + " " + good.error().param;
  };
  for (const std::string_view good : {"", "a=1&b", "api-version=2024-10-21", "&&=&", "q=api_base", "beta=true"})
    EXPECT_EQ(query(good), "") << good;
  EXPECT_EQ(query("a=1&api_base=http://169.254.169.254"), refused("api_base"));
  EXPECT_EQ(query("api%5fbase"), refused("api_base"));
  EXPECT_EQ(query("API-KEY=k"), refused("API-KEY"));
  EXPECT_EQ(query("extra_body[api_base]=x"), refused("extra_body[api_base]"));
  EXPECT_EQ(query("litellm_params%5Bheaders%5D%5Ba%5D=x"), refused("litellm_params[headers][a]"));
  EXPECT_EQ(query("x.user_config.y=1"), refused("x.user_config.y"));
  EXPECT_EQ(query("api_version=1"), refused("api_version"));
}

TEST(Destinations, F22HeadersThatNameADestinationAreRefused) {
  for (const std::string_view name : destination_headers()) {
    std::string upper(name);
    std::ranges::transform(upper, upper.begin(), [](char c) { return c >= 'a' && c <= 'z' ? char(c - 32) : c; });
    for (const std::string& spelled : {std::string(name), upper}) {
      const auto good = check_header(spelled);
      ASSERT_FALSE(good.has_value()) << spelled;
      EXPECT_EQ(good.error().kind, ErrorKind::kUnsupportedParameter);
      EXPECT_EQ(good.error().param, name);
    }
  }
  for (const std::string_view good : {"host", "x-forwarded-host", "authorization", "api-key", "x-api-key",
                                      "x-portkey-trace-id", "helicone-auth", "x-litellm-timeout", "x-portkey-", ""}) {
    EXPECT_TRUE(check_header(good).has_value()) << good;
  }
}

TEST(Destinations, TheHandbookListsThemAll) {
  std::ifstream file(support::source_dir() + "/docs/configuration.md");
  std::ostringstream text;
  text << file.rdbuf();
  for (const std::string_view name : destination_names())
    EXPECT_NE(text.str().find("`" + std::string(name) + "`"), std::string::npos) << name;
  for (const std::string_view name : destination_headers())
    EXPECT_NE(text.str().find("`" + std::string(name) + "`"), std::string::npos) << name;
}

}  // namespace
}  // namespace sluice::api
