#include "sluice/cache/key.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <type_traits>

#include "sluice/api/canonical.hpp"

namespace sluice::cache {
namespace {

static_assert(!std::is_default_constructible_v<Scope>, "a scope is somebody's");
static_assert(!std::is_default_constructible_v<Key>, "a key comes from a KeyMaker, which wants a scope");
static_assert(!std::is_constructible_v<Key, std::array<std::uint8_t, 32>>);

const KeyMaker& maker() {
  static const KeyMaker made{Secret("a secret")};
  return made;
}
const Scope kScope = Scope::of_key("app", "id");

std::string key_of(const std::string& body, const Scope& scope = kScope, Endpoint endpoint = Endpoint::kChat,
                   const Answerer& answerer = {"m", 1}) {
  auto view = api::parse_request(endpoint, body);
  if (!view) {
    ADD_FAILURE() << body << ": " << view.error().message;
    return {};
  }
  return maker().make(scope, endpoint, answerer, *view).hex();
}

std::string chat(const std::string& more = "") {
  return R"({"model":"m","messages":[{"role":"user","content":"hi"}])" + (more.empty() ? "" : "," + more) + "}";
}

std::string canonical(const std::string& text) {
  std::string out;
  const auto value = json::check(text);
  if (!value) return "?";
  json::append_canonical(out, *value);
  return out;
}

TEST(Canonical, NumbersHaveOneForm) {
  // Of RFC 8785, appendix B and section 3.2.2.3, as far as a double keeps them.
  for (const auto& [text, form] : std::vector<std::pair<std::string, std::string>>{{"1", "1"},
                                                                                   {"1.0", "1"},
                                                                                   {"1e0", "1"},
                                                                                   {"10E-1", "1"},
                                                                                   {"0", "0"},
                                                                                   {"-0", "0"},
                                                                                   {"0.0", "0"},
                                                                                   {"100000", "100000"},
                                                                                   {"1e5", "100000"},
                                                                                   {"0.5", "0.5"},
                                                                                   {"5e-1", "0.5"},
                                                                                   {"0.50", "0.5"},
                                                                                   {"10000000000000000", "1e+16"},
                                                                                   {"1e16", "1e+16"},
                                                                                   {"4.50", "4.5"},
                                                                                   {"2e-3", "0.002"},
                                                                                   {"-7", "-7"}}) {
    EXPECT_EQ(canonical(text), form) << text;
  }
}

TEST(Canonical, NumbersThatADoubleDoesNotKeepApartStayApart) {
  EXPECT_NE(canonical("9007199254740993"), canonical("9007199254740992"));
  EXPECT_NE(canonical("0.1"), canonical("0.1000000000000000055511151231257827"));
  EXPECT_NE(canonical("1e-400"), canonical("0"));
  EXPECT_NE(canonical("123456789012345678"), canonical("123456789012345680"));
}

TEST(Canonical, StringsHaveOneForm) {
  EXPECT_EQ(canonical(R"("\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/")"),
            "\"\xE2\x82\xAC$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"")
      << "the example of RFC 8785, section 3.2.2.2";
  EXPECT_EQ(canonical(R"("\ud83d\ude00")"), "\"\xF0\x9F\x98\x80\"");
  EXPECT_EQ(canonical(R"("\b\t\n\f\r")"), R"("\b\t\n\f\r")");
}

TEST(Canonical, MembersAreInOrderAtEveryDepth) {
  EXPECT_EQ(canonical(R"( { "b" : [ 1 , { "d":null , "c" : true } ] , "a" : { } } )"),
            R"({"a":{},"b":[1,{"c":true,"d":null}]})");
  EXPECT_EQ(canonical(R"({"\u0061":2,"A":1})"), R"({"A":1,"a":2})");
  EXPECT_EQ(canonical("[]"), "[]");
  EXPECT_EQ(canonical(R"(["\\","\\\"",{"k":"]}"}])"), R"(["\\","\\\"",{"k":"]}"}])");
}

TEST(CacheKey, TheSameQuestionHasTheSameKey) {
  const std::string key = key_of(chat(R"("temperature":0,"seed":1)"));
  EXPECT_EQ(key.size(), 64U);
  EXPECT_EQ(
      key_of(R"({ "seed":1.0, "messages":[{"content":"h\u0069","role":"user"}],"temperature":0e5, "model":"x" })"),
      key);
}

TEST(CacheKey, WhatDoesNotChangeTheAnswerIsLeftOut) {
  const std::string key = key_of(chat());
  for (const char* more :
       {R"("stream":true)", R"("stream":true,"stream_options":{"include_usage":true})", R"("user":"ann")",
        R"("metadata":{"a":"b"})", R"("safety_identifier":"x")", R"("prompt_cache_key":"x")",
        R"("prompt_cache_retention":"24h")", R"("service_tier":"flex")", R"("store":false)", R"("\u0075ser":"x")"}) {
    EXPECT_EQ(key_of(chat(more)), key) << more;
  }
}

TEST(CacheKey, F63EachOfFortyFieldsCounts) {
  std::set<std::string> keys = {key_of(chat())};
  std::size_t expected = 1;
  for (const char* name : {"audio",
                           "frequency_penalty",
                           "function_call",
                           "functions",
                           "logit_bias",
                           "logprobs",
                           "max_completion_tokens",
                           "max_tokens",
                           "modalities",
                           "n",
                           "parallel_tool_calls",
                           "prediction",
                           "presence_penalty",
                           "reasoning_effort",
                           "response_format",
                           "seed",
                           "stop",
                           "temperature",
                           "tool_choice",
                           "tools",
                           "top_logprobs",
                           "top_p",
                           "verbosity",
                           "web_search_options",
                           "top_k",
                           "min_p",
                           "repetition_penalty",
                           "guided_json",
                           "thinking",
                           "chat_template",
                           "typical_p",
                           "mirostat",
                           "grammar",
                           "cache_prompt",
                           "include_reasoning",
                           "provider",
                           "transforms",
                           "plugins",
                           "x-any",
                           "userx",
                           "Stream"}) {
    const std::string field = name;
    const bool object = field == "logit_bias" || field == "audio" || field == "prediction" ||
                        field == "response_format" || field == "web_search_options" || field == "thinking" ||
                        field == "function_call" || field == "tool_choice";
    const bool list = field == "tools" || field == "functions" || field == "modalities";
    const bool text = field == "stop";
    const bool flag = field == "logprobs" || field == "parallel_tool_calls";
    const std::string value = object ? "{}" : text ? "\"x\"" : list ? "[]" : flag ? "true" : "1";
    keys.insert(key_of(chat("\"" + field + "\":" + value)));
    EXPECT_EQ(keys.size(), ++expected) << field;
    for (const Scope& scope : {Scope::of_key("app", "other"), Scope::of_key("app2", "id")}) {
      keys.insert(key_of(chat("\"" + field + "\":" + value), scope));
      EXPECT_EQ(keys.size(), ++expected) << field << " of another tenant";
    }
  }
}

TEST(CacheKey, ScopeEndpointAndAnswererCount) {
  std::set<std::string> keys;
  for (const Scope& scope :
       {Scope::of_key("a", ""), Scope::of_key("a", "b"), Scope::of_group("a"), Scope::of_namespace("a"),
        Scope::of_machine(), Scope::of_group("a/b"), Scope::of_key("a\nb", "")}) {
    keys.insert(key_of(chat(), scope));
  }
  EXPECT_EQ(keys.size(), 7U);
  const std::string body = R"({"model":"m","input":"hi"})";
  EXPECT_NE(key_of(body, kScope, Endpoint::kEmbeddings), key_of(body, kScope, Endpoint::kResponses));
  EXPECT_NE(key_of(chat(), kScope, Endpoint::kChat, {"m", 1}), key_of(chat(), kScope, Endpoint::kChat, {"m", 2}));
  EXPECT_NE(key_of(chat(), kScope, Endpoint::kChat, {"m", 1}), key_of(chat(), kScope, Endpoint::kChat, {"m2", 1}));
}

TEST(CacheKey, AnotherSecretGivesOtherKeys) {
  const KeyMaker other{Secret("another secret")};
  const std::string body = chat();
  const auto view = api::parse_request(Endpoint::kChat, body);
  EXPECT_NE(other.make(kScope, Endpoint::kChat, {"m", 1}, *view).hex(), key_of(body));
  EXPECT_NE(maker().seal("a", "x"), maker().seal("b", "x"));
  EXPECT_NE(maker().seal("a", "bx"), maker().seal("ab", "x")) << "where the purpose ends is known";
}

// Two texts that differ in one byte of what counts never have the same key. SLUICE_SCALE=10 makes it a million pairs.
TEST(CacheKey, F63RandomPairsNeverMeet) {
  std::mt19937_64 random(7);
  const char* scale = std::getenv("SLUICE_SCALE");
  const int pairs = 100'000 * (scale != nullptr ? std::atoi(scale) : 1);
  const std::string letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,:{}[]";
  for (int i = 0; i < pairs; ++i) {
    std::string text;
    for (std::size_t size = 1 + random() % 40; text.size() < size;) text += letters[random() % letters.size()];
    std::string other = text;
    char& changed = other[random() % other.size()];
    const char before = changed;
    while (changed == before) changed = letters[random() % letters.size()];
    const auto body = [&](const std::string& content) {
      return R"({"model":"m","messages":[{"role":"user","content":")" + content + R"("}],"seed":)" +
             std::to_string(i % 7) + "}";
    };
    ASSERT_NE(key_of(body(text)), key_of(body(other))) << text << " / " << other;
  }
}

}  // namespace
}  // namespace sluice::cache
