#include "sluice/core/json_string.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>

namespace sluice {
namespace {

std::string json_of(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

// What comes out must be one line of plain text for any sink: no control byte, no line separator, no bare quote.
std::string parsed(std::string_view text) {
  const std::string line = json_of(text);
  EXPECT_TRUE(std::ranges::none_of(line, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }));
  EXPECT_EQ(line.find("\xE2\x80\xA8"), std::string::npos);
  EXPECT_EQ(line.find("\xE2\x80\xA9"), std::string::npos);
  const auto value = nlohmann::json::parse(line, nullptr, false);
  EXPECT_TRUE(value.is_string()) << line;
  return value.is_string() ? value.get<std::string>() : "";
}

// The bytes of a code point as UTF-8 would have them, surrogates included, which are not UTF-8.
std::string encoded(unsigned code) {
  const auto byte = [](unsigned value) { return static_cast<char>(value); };
  if (code < 0x80) return {byte(code)};
  if (code < 0x800) return {byte(0xC0 | code >> 6), byte(0x80 | (code & 0x3F))};
  if (code < 0x10000) {
    return {byte(0xE0 | code >> 12), byte(0x80 | (code >> 6 & 0x3F)), byte(0x80 | (code & 0x3F))};
  }
  return {byte(0xF0 | code >> 18), byte(0x80 | (code >> 12 & 0x3F)), byte(0x80 | (code >> 6 & 0x3F)),
          byte(0x80 | (code & 0x3F))};
}

TEST(JsonString, EveryCodePointOfTheBmpReadsBackAsItWas) {
  for (unsigned code = 0; code < 0x10000; ++code) {
    const std::string text = "a" + encoded(code) + "b";
    const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    ASSERT_EQ(parsed(text), surrogate ? "a\uFFFD\uFFFD\uFFFDb" : text) << std::hex << code;
    if (HasFailure()) return;
  }
}

TEST(JsonString, CodePointsBeyondTheBmpReadBackAsTheyWere) {
  for (unsigned code : {0x10000U, 0x1F600U, 0xFFFFFU, 0x10FFFFU}) EXPECT_EQ(parsed(encoded(code)), encoded(code));
}

TEST(JsonString, BytesThatAreNoUtf8BecomeReplacementCharacters) {
  EXPECT_EQ(parsed("\xFF"), "\uFFFD");
  EXPECT_EQ(parsed("a\x80z"), "a\uFFFDz");
  EXPECT_EQ(parsed("\xC0\x80"), "\uFFFD\uFFFD") << "overlong NUL";
  EXPECT_EQ(parsed("\xE5\x8C"), "\uFFFD\uFFFD") << "cut at the end";
  EXPECT_EQ(parsed("\xF4\x90\x80\x80"), "\uFFFD\uFFFD\uFFFD\uFFFD") << "beyond U+10FFFF";
  EXPECT_EQ(parsed("\xE0\x9F\xBF"), "\uFFFD\uFFFD\uFFFD") << "overlong";
  EXPECT_EQ(parsed("\xF0\x8F\xBF\xBF"), "\uFFFD\uFFFD\uFFFD\uFFFD") << "overlong";
  EXPECT_EQ(parsed("\xE5\x8Cx"), "\uFFFD\uFFFDx") << "the byte after a cut sequence is kept";
}

TEST(JsonString, AnyBytesGiveOneLineThatParses) {
  std::mt19937 random(3);
  for (int i = 0; i < 5000; ++i) {
    std::string text(random() % 24, ' ');
    for (char& c : text) c = static_cast<char>(random() % 3 == 0 ? random() % 256 : 0x80 + random() % 0x80);
    parsed(text);
    ASSERT_FALSE(HasFailure());
  }
}

TEST(JsonString, TerminalsAndScriptsAreGivenNothingToObey) {
  EXPECT_EQ(json_of("\x1b[2J"), R"("\u001b[2J")");
  EXPECT_EQ(json_of("\u0085\u009b"), R"("\u0085\u009b")");
  EXPECT_EQ(json_of("\u2028\u2029"), R"("\u2028\u2029")");
  EXPECT_EQ(json_of("\r\n\t\"\\"), R"("\r\n\t\"\\")");
  EXPECT_EQ(json_of(std::string_view("\0\x7f", 2)), R"("\u0000\u007f")");
}

TEST(JsonString, AppendsAndLeavesWhatStoodThere) {
  std::string out = "{\"a\":";
  append_json_string(out, "b");
  EXPECT_EQ(out, "{\"a\":\"b\"");
}

TEST(Utf8Sequence, GivesTheLengthOfGoodSequencesOnly) {
  EXPECT_EQ(utf8_sequence("a", 0), 1U);
  EXPECT_EQ(utf8_sequence("\u00e9", 0), 2U);
  EXPECT_EQ(utf8_sequence("\u5317", 0), 3U);
  EXPECT_EQ(utf8_sequence("\U0001F600", 0), 4U);
  EXPECT_EQ(utf8_sequence("\u5317", 1), 0U);
  EXPECT_EQ(utf8_sequence("", 0), 0U);
  EXPECT_EQ(utf8_sequence("a", 1), 0U);
  EXPECT_EQ(utf8_sequence("\xED\xA0\x80", 0), 0U);
}

}  // namespace
}  // namespace sluice
