#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sluice/api/json.hpp"
#include "sluice/core/json_string.hpp"

namespace sluice::json {
namespace {

std::string escape(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

TEST(JsonMembers, WalkAnObjectInOrder) {
  std::vector<std::string> seen;
  const Value object{R"({ "a" : "x,}" , "b":[1,{"c":"]"}],"d\"":-1.5e3 ,"":null})"};
  for (const Member& member : Members(object))
    seen.push_back(std::string(member.key) + "=" + std::string(member.value.raw));
  EXPECT_EQ(seen, (std::vector<std::string>{"a=\"x,}\"", "b=[1,{\"c\":\"]\"}]", "d\\\"=-1.5e3", "=null"}));
}

TEST(JsonMembers, AreNoneOfAnythingElse) {
  for (const std::string_view raw : {"", "{}", "{ }", "[1]", "\"{}\"", "1", "null"}) {
    EXPECT_TRUE(Members(Value{raw}).begin() == std::default_sentinel) << raw;
  }
}

TEST(JsonElements, WalkAnArrayInOrder) {
  std::vector<std::string> seen;
  for (const Value value : Elements(Value{R"([ 1 ,"a]",[2, 3],{"x":[]} ,true])"})) seen.emplace_back(value.raw);
  EXPECT_EQ(seen, (std::vector<std::string>{"1", "\"a]\"", "[2, 3]", "{\"x\":[]}", "true"}));
  for (const std::string_view raw : {"", "[]", "[ ]", "{}", "1"}) {
    EXPECT_TRUE(Elements(Value{raw}).begin() == std::default_sentinel) << raw;
  }
}

TEST(JsonMembers, StayInBoundsOnTextThatIsNotJson) {
  const std::string text = R"({"a":[1,{"b":"c\"d"}],"e":true,"f":-1.5})";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    for (const char junk : {'"', '\\', '{', ']', ',', ':', '\0'}) {
      std::string broken = text.substr(0, cut) + junk;
      std::size_t total = 0;
      for (const std::string_view shape : {"{", "["}) {
        const std::string whole = std::string(shape) + broken;
        for (const Member& member : Members(Value{whole})) total += member.raw.size();
        for (const Value value : Elements(Value{whole})) total += value.raw.size();
        EXPECT_LE(total, 2 * whole.size() + 100);
        total = 0;
      }
    }
  }
}

TEST(JsonFind, ComparesUnescapedNames) {
  const Value object{R"({"mod\u0065l":1,"a":{"b":2},"b":3})"};
  EXPECT_EQ(find(object, "model")->raw, "1");
  EXPECT_EQ(find(object, "b")->raw, "3");
  EXPECT_FALSE(find(object, "mod\\u0065l"));
  EXPECT_FALSE(find(object, "c"));
  EXPECT_FALSE(find(Value{"[]"}, "c"));
}

TEST(JsonText, ResolvesEscapes) {
  EXPECT_EQ(text_of(Value{R"("a\"\\\/\b\f\n\r\tz")"}), "a\"\\/\b\f\n\r\tz");
  EXPECT_EQ(text_of(Value{R"("\u0041\u00e9\u20ac\ud83d\ude00")"}), "Aé€😀");
  EXPECT_EQ(text_of(Value{R"("\u0000")"}), std::string(1, '\0'));
  EXPECT_EQ(text_of(Value{"\"\""}), "");
  EXPECT_EQ(text_of(Value{"12"}), "");
  EXPECT_EQ(text_of(Value{}), "");
}

TEST(JsonText, ReplacesWhatNoCheckedTextHolds) {
  EXPECT_EQ(text_of(Value{R"("\ud800")"}), "\uFFFD");
  EXPECT_EQ(text_of(Value{R"("\ud800\u0041")"}),
            "\uFFFD"
            "A");
  EXPECT_EQ(text_of(Value{R"("\udc00x")"}), "\uFFFDx");
}

TEST(JsonInteger, ReadsWhatIsOneWithoutLoss) {
  const std::pair<std::string_view, std::optional<std::int64_t>> cases[] = {{"7", 7},
                                                                            {"7.0", 7},
                                                                            {"7e0", 7},
                                                                            {"70e-1", 7},
                                                                            {"0.7e1", 7},
                                                                            {"1e3", 1000},
                                                                            {"-0", 0},
                                                                            {"0e99999999999999999999", 0},
                                                                            {"9223372036854775807", INT64_MAX},
                                                                            {"-9223372036854775808", INT64_MIN},
                                                                            {"9223372036854775807.000", INT64_MAX},
                                                                            {"9223372036854775808", std::nullopt},
                                                                            {"-9223372036854775809", std::nullopt},
                                                                            {"18446744073709551616", std::nullopt},
                                                                            {"1.5", std::nullopt},
                                                                            {"1e-1", std::nullopt},
                                                                            {"1e19", std::nullopt},
                                                                            {"1e18", 1'000'000'000'000'000'000},
                                                                            {"1e99999999999999999999", std::nullopt},
                                                                            {"1e-99999999999999999999", std::nullopt},
                                                                            {"10000000000000000000000000e-25", 1},
                                                                            {"\"7\"", std::nullopt},
                                                                            {"true", std::nullopt},
                                                                            {"", std::nullopt}};
  for (const auto& [raw, wanted] : cases) EXPECT_EQ(integer_of(Value{raw}), wanted) << raw;
}

TEST(JsonNumber, ReadsDoubles) {
  EXPECT_EQ(number_of(Value{"1.5"}), 1.5);
  EXPECT_EQ(number_of(Value{"-2e3"}), -2000.0);
  EXPECT_EQ(number_of(Value{"1e-400"}), 0.0);
  EXPECT_EQ(number_of(Value{"null"}), std::nullopt);
}

TEST(JsonString, EscapesEverythingThatCouldHurtASink) {
  EXPECT_EQ(escape("plain text"), "\"plain text\"");
  EXPECT_EQ(escape("\"\\\n\r\t\b\f"), R"("\"\\\n\r\t\b\f")");
  EXPECT_EQ(escape(std::string("\0\x1b[31m\x7f", 7)), R"("\u0000\u001b[31m\u007f")");
  EXPECT_EQ(escape("\u0085\u2028\u2029\u00a0"), "\"\\u0085\\u2028\\u2029\u00a0\"");
  EXPECT_EQ(escape("北😀"), "\"北😀\"");
}

TEST(JsonString, ReplacesBytesThatAreNotUtf8) {
  EXPECT_EQ(escape("a\xFFz"), "\"a\uFFFDz\"");
  EXPECT_EQ(escape("\xE5\x8C"), "\"\uFFFD\uFFFD\"");
  EXPECT_EQ(escape("\xED\xA0\x80"), "\"\uFFFD\uFFFD\uFFFD\"");
}

TEST(JsonString, AnyBytesGiveOneLineOfGoodJson) {
  for (unsigned first = 0; first < 256; ++first) {
    for (unsigned second = 0; second < 256; ++second) {
      const std::string text = {'x', static_cast<char>(first), static_cast<char>(second), 'y'};
      const std::string out = escape(text);
      ASSERT_TRUE(check(out)) << first << " " << second;
      ASSERT_EQ(out.find('\n'), std::string::npos);
      const std::string back = text_of(Value{out});
      if (back.find("\uFFFD") == std::string::npos) ASSERT_EQ(back, text);
    }
  }
}

}  // namespace
}  // namespace sluice::json
