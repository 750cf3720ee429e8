// Our verdict against another parser's, on mutations of good texts.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "sluice/api/json.hpp"

namespace sluice::json {
namespace {

const std::vector<std::string>& seeds() {
  static const std::vector<std::string> all = {
      R"({"model":"gpt","messages":[{"role":"user","content":"h\u00e9llo \"x\"\n"}],"n":1,"t":0.5e-3,"s":true})",
      R"([1,-2.5,3E+7,null,false,[],{},"\ud83d\ude00",{"a":{"b":[[[]]]}}])",
      R"( { "a" : [ 1 , 2 ] , "b" : "0123456789abcdefghijklmnopqrstuvwxyz" , "c" : -0 } )",
      R"("just a string with \\ and \/ and \u0041 in it")",
      "[\"北京 😀 é\",\"\x7F\",{\"ключ\":0.1}]",
  };
  return all;
}

constexpr std::string_view kTokens[] = {
    "{",    "}",     "[",      "]",  ",",  ":",   "\"", "\\",           "\\u",     "\\ud800", "null", "true",
    "0",    "01",    "-",      ".",  "e",  "1e5", "\n", "\t",           " ",       "\x01",    "\xC3", "\xA9",
    "\xFF", "\"a\"", "\"b\":", "{}", "[]", "\\n", "/",  "\xEF\xBB\xBF", "\\udc00", "1.",      "+1"};

std::string mutate(std::string text, std::mt19937& random) {
  const unsigned edits = 1 + random() % 3;
  for (unsigned i = 0; i < edits; ++i) {
    const std::size_t at = text.empty() ? 0 : random() % text.size();
    switch (random() % 4) {
      case 0:
        text.erase(at, 1 + random() % 3);
        break;
      case 1:
        text.insert(at, kTokens[random() % std::size(kTokens)]);
        break;
      case 2:
        if (!text.empty()) text[at] = static_cast<char>(random());
        break;
      default:
        text.insert(at, text.substr(random() % (text.size() + 1), random() % 6));
    }
  }
  return text;
}

TEST(JsonDifferential, AgreesWithAnotherParserOnMutations) {
  std::mt19937 random(3);
  int accepted = 0;
  for (int round = 0; round < 60'000; ++round) {
    const std::string text = mutate(seeds()[random() % seeds().size()], random);
    const auto value = check(text);
    accepted += value ? 1 : 0;
    if (!value && value.error().kind == Fault::Kind::kDuplicateKey) continue;  // ours alone
    // The other parser skips a byte order mark, we do not; numbers beyond a double are refused by both.
    if (text.starts_with("\xEF\xBB\xBF")) continue;
    ASSERT_EQ(value.has_value(), nlohmann::json::accept(text)) << testing::PrintToString(text);
  }
  EXPECT_GT(accepted, 5000) << "mutations that never give good JSON test nothing";
}

nlohmann::json rebuild(Value value) {
  if (value.is_object()) {
    nlohmann::json object = nlohmann::json::object();
    for (const Member& member : Members(value)) {
      const std::string key = '"' + std::string(member.key) + '"';
      object[text_of(Value{key})] = rebuild(member.value);
    }
    return object;
  }
  if (value.is_array()) {
    nlohmann::json array = nlohmann::json::array();
    for (const Value element : Elements(value)) array.push_back(rebuild(element));
    return array;
  }
  if (value.is_string()) return text_of(value);
  return nlohmann::json::parse(value.raw);
}

TEST(JsonDifferential, WalkingGivesTheSameTree) {
  std::mt19937 random(5);
  int compared = 0;
  for (int round = 0; round < 20'000; ++round) {
    const std::string text = mutate(seeds()[random() % seeds().size()], random);
    const auto value = check(text);
    if (!value) continue;
    ASSERT_EQ(rebuild(*value), nlohmann::json::parse(text)) << testing::PrintToString(text);
    ++compared;
  }
  EXPECT_GT(compared, 1000);
}

}  // namespace
}  // namespace sluice::json
