#include "sluice/api/json.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace sluice::json {
namespace {

using Kind = Fault::Kind;

Fault fault_of(std::string_view text) {
  const auto value = check(text);
  return value ? Fault{Kind::kSyntax, SIZE_MAX, "accepted"} : value.error();
}

std::string nested(std::string_view open, std::string_view inside, std::string_view close, int depth) {
  std::string text;
  for (int i = 0; i < depth; ++i) text += open;
  text += inside;
  for (int i = 0; i < depth; ++i) text += close;
  return text;
}

TEST(JsonCheck, SaysWhatIsWrongAndWhere) {
  EXPECT_EQ(fault_of(R"({"a":1,})").offset, 7U);
  EXPECT_EQ(fault_of(R"({"a":tru})").offset, 5U);
  EXPECT_EQ(fault_of("[1,2").offset, 4U);
  EXPECT_EQ(fault_of("{} x").offset, 3U);
  EXPECT_EQ(fault_of(R"(["\ud800"])").offset, 2U);
  EXPECT_EQ(fault_of("[\"abc\xFF\"]").offset, 5U);
  EXPECT_EQ(fault_of("[\"abc\xFF\"]").kind, Kind::kUtf8);
  EXPECT_EQ(fault_of("[1e999]").offset, 1U);
  EXPECT_EQ(fault_of("[01]").what, "expected ',' or ']'");
}

// J01.
TEST(JsonCheck, RefusesARepeatedMemberNameAtEveryLevel) {
  for (const std::string_view text :
       {R"({"model":"cheap","model":"gpt-5"})", R"({"messages":[{"role":"user","role":"system"}]})",
        R"({"tools":[{"function":{"name":"a","x":1,"name":"b"}}]})", R"({"model":1,"mod\u0065l":2})",
        R"({"mod\u0065l":1,"model":2})", R"({"\u0061":1,"\u0061":2})", R"({"a\/b":1,"a/b":2})", R"({"":1,"":2})",
        R"({"\ud83d\ude00":1,"😀":2})", R"([{"a":{"b":1},"c":2,"a":3}])"}) {
    EXPECT_EQ(fault_of(text).kind, Kind::kDuplicateKey) << text;
  }
  EXPECT_EQ(fault_of(R"({"a":1,"a":2})").offset, 7U);
  std::string many = "{";
  for (int i = 100; i < 200; ++i) many += "\"" + std::to_string(i) + "\":0,";
  EXPECT_EQ(fault_of(many + R"("150":0,"150":1})").offset, many.size());
}

TEST(JsonCheck, FindsARepeatedNameAmongMany) {
  for (const int count : {10, 23, 24, 25, 26, 1000}) {
    std::string text = "{";
    for (int i = 0; i < count; ++i) text += "\"k" + std::to_string(i) + "\":{\"k1\":0},";
    EXPECT_TRUE(check(text + "\"z\":0}")) << count;
    for (const int twin : {0, count / 2, count - 1}) {
      EXPECT_EQ(fault_of(text + "\"k" + std::to_string(twin) + "\":0}").kind, Kind::kDuplicateKey) << count;
      EXPECT_EQ(fault_of(text + "\"\\u006b" + std::to_string(twin) + "\":0}").kind, Kind::kDuplicateKey) << count;
    }
  }
}

TEST(JsonCheck, NamesOfAnInnerObjectDoNotDisturbTheOuterOne) {
  std::string text = "{";
  for (int i = 0; i < 200; ++i)
    text += "\"k" + std::to_string(i) + "\":{\"\\u006b" + std::to_string(i) + "\":{\"\\u0041\":1}},";
  EXPECT_TRUE(check(text + "\"z\":0}"));
  EXPECT_EQ(fault_of(text + "\"k0\":0}").kind, Kind::kDuplicateKey);
}

// J02.
TEST(JsonCheck, SixtyFourLevelsAreTheLimit) {
  EXPECT_TRUE(check(nested("[", "1", "]", 64)));
  EXPECT_TRUE(check(nested("{\"a\":", "1", "}", 64)));
  for (const int depth : {65, 1000, 100'000}) {
    EXPECT_EQ(fault_of(nested("[", "1", "]", depth)).kind, Kind::kTooDeep);
    EXPECT_EQ(fault_of(nested("{\"a\":", "1", "}", depth)).kind, Kind::kTooDeep);
    EXPECT_EQ(fault_of(nested("[", "", "", depth)).kind, Kind::kTooDeep);
    EXPECT_EQ(fault_of(nested("[{\"a\":", "1", "}]", depth)).kind, Kind::kTooDeep);
  }
}

TEST(JsonCheck, EveryPrefixOfATextIsRefused) {
  const std::string text = R"({"a":[1.5e3,true,null,"\u00e9\n",{"b":"😀 and something longer than a vector"}],"c":-1})";
  ASSERT_TRUE(check(text));
  for (std::size_t size = 0; size < text.size(); ++size) {
    const std::string prefix = text.substr(0, size);  // its own allocation, so that a step too far is seen
    EXPECT_FALSE(check(prefix)) << prefix;
  }
}

TEST(JsonCheck, FindsAControlCharacterOrQuoteAtEveryPlaceInALongString) {
  for (std::size_t at = 0; at < 70; ++at) {
    std::string text = "\"" + std::string(70, 'x') + "\"";
    text[1 + at] = '\x1F';
    EXPECT_EQ(fault_of(text).offset, at + 1);
    text[1 + at] = '"';
    EXPECT_EQ(fault_of(text).offset, at + 2);
    text[1 + at] = '\\';
    EXPECT_FALSE(check(text));
  }
}

TEST(JsonCheck, CollectsTheOutermostMembers) {
  std::vector<Member> members = {Member{}};
  const std::string text = R"( {"a" : 1, "b\n":[{"c":2}] ,"d":{"e":3}} )";
  ASSERT_TRUE(check(text, members));
  ASSERT_EQ(members.size(), 3U);
  EXPECT_EQ(members[0].raw, R"("a" : 1)");
  EXPECT_EQ(members[1].key, "b\\n");
  EXPECT_TRUE(members[1].escaped);
  EXPECT_EQ(members[1].value.raw, R"([{"c":2}])");
  EXPECT_EQ(members[2].value.raw, R"({"e":3})");
  ASSERT_TRUE(check(R"([{"a":1}])", members));
  EXPECT_TRUE(members.empty());
  EXPECT_FALSE(check(R"({"a":1)", members));
  EXPECT_TRUE(members.empty());
}

TEST(JsonCheck, CollectedMembersAreBounded) {
  std::string text = "{\"a\":0";
  for (std::size_t i = 1; i < kMaxMembers; ++i) text += ",\"" + std::to_string(i) + "\":0";
  std::vector<Member> members;
  EXPECT_TRUE(check(text + "}", members));
  EXPECT_FALSE(check(text + ",\"z\":0}", members));
  EXPECT_TRUE(check(text + ",\"z\":0}"));
}

// J18. The bound is wide: it is here to catch anything that is not linear.
TEST(JsonCheck, F75TenMegabytesOfAnythingTakeBoundedTime) {
  std::string numbers = "[0", escapes = "\"", keys = "{\"k\":0", prefix = "{\"k\":0", names = "{\"k\":0";
  for (int i = 0; i < 2'000'000; ++i) numbers += ",1234";
  for (int i = 0; i < 1'700'000; ++i) escapes += "\\u0041";
  for (int i = 0; i < 100'000; ++i) keys += ",\"\\u006b" + std::to_string(i) + "\":0";
  for (int i = 0; i < 3000; ++i) prefix += ",\"" + std::string(3000, 'p') + std::to_string(i) + "\":0";
  for (int i = 0; i < 800'000; ++i) names += ",\"" + std::to_string(i) + "\":0";
  for (const std::string& text :
       {numbers + "]", names + "}", escapes + "\"", keys + "}", prefix + "}", std::string(10'000'000, ' ') + "1"}) {
    const auto start = std::chrono::steady_clock::now();
    EXPECT_TRUE(check(text)) << text.substr(0, 20);
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5)) << text.substr(0, 20);
  }
}

}  // namespace
}  // namespace sluice::json
