#include "sluice/core/text.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "sluice/core/json_string.hpp"

namespace sluice {
namespace {

bool is_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto length = utf8_sequence(text, at);
    if (length == 0) return false;
    at += length;
  }
  return true;
}

TEST(PercentDecoded, ResolvesWholeEscapesOnce) {
  EXPECT_EQ(percent_decoded(""), "");
  EXPECT_EQ(percent_decoded("gpt%2D4%2fo%20%41"), "gpt-4/o A");
  EXPECT_EQ(percent_decoded("%252e"), "%2e");
  EXPECT_EQ(percent_decoded("%%41%4%zz%2"), "%A%4%zz%2");
  EXPECT_EQ(percent_decoded("%00").size(), 1U);
}

TEST(DotSegment, IsSeenAsALenientReaderWouldSeeIt) {
  for (const char* path : {"/..", "/./x", "/v1/%2e%2E/x", "/v1%2f..%2fx", "/v1/..%5Cx", "/v1\\..\\x", "/%2e"})
    EXPECT_TRUE(has_dot_segment(path)) << path;
  for (const char* path : {"", "/", "/v1/a.b", "/...", "/.x/..y", "/%252e%252e/x"})
    EXPECT_FALSE(has_dot_segment(path)) << path;
}

TEST(TruncateUtf8, LeavesWhatFitsAlone) {
  EXPECT_EQ(truncate_utf8("", 0), "");
  EXPECT_EQ(truncate_utf8("gpt-4o", 6), "gpt-4o");
  EXPECT_EQ(truncate_utf8("é", 2), "é");
}

TEST(TruncateUtf8, MarksWhatItCut) {
  EXPECT_EQ(truncate_utf8("gpt-4o", 5), "gpt-4…");
  EXPECT_EQ(truncate_utf8("gpt-4o", 0), "…");
}

TEST(TruncateUtf8, NeverCutsASequence) {
  const std::string text = "a\u00e9\u5317\U0001F600z\U0001F600\u5317\u00e9";
  for (std::size_t limit = 0; limit < text.size(); ++limit) {
    const std::string cut = truncate_utf8(text, limit);
    ASSERT_TRUE(is_utf8(cut)) << limit;
    ASSERT_TRUE(cut.ends_with("…"));
    const auto kept = cut.substr(0, cut.size() - std::string_view("…").size());
    EXPECT_LE(kept.size(), limit);
    EXPECT_GT(kept.size() + 4, limit) << "no more than one sequence is given up";
    EXPECT_TRUE(text.starts_with(kept));
  }
}

TEST(TruncateUtf8, EndsOnBytesThatAreNoUtf8) {
  EXPECT_EQ(truncate_utf8(std::string(10, '\x80'), 4), "…");
  EXPECT_EQ(truncate_utf8("\xFF\xFF\xFF", 2), "\xFF\xFF…");
}

TEST(Trim, TakesSpaceAndTabFromBothEndsOnly) {
  EXPECT_EQ(trim(" \t a b\t "), "a b");
  EXPECT_EQ(trim(" \t "), "");
  EXPECT_EQ(trim("\na\r"), "\na\r");
}

TEST(EqualsIgnoreCase, FoldsAsciiLettersOnly) {
  EXPECT_TRUE(equals_ignore_case("Content-LENGTH", "content-length"));
  EXPECT_FALSE(equals_ignore_case("content-length", "content-lengt"));
  EXPECT_FALSE(equals_ignore_case("@", "`")) << "these differ by the case bit";
  EXPECT_FALSE(equals_ignore_case("[", "{"));
  EXPECT_FALSE(equals_ignore_case("\xC3\x89", "\xC3\xA9"));
}

TEST(HexValue, KnowsTheSixteenDigitsInBothCasesAndNothingElse) {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    const bool digit = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f') || (byte >= 'A' && byte <= 'F');
    ASSERT_EQ(hex_value(c) >= 0, digit) << byte;
  }
  EXPECT_EQ(hex_value('9'), 9);
  EXPECT_EQ(hex_value('a'), 10);
  EXPECT_EQ(hex_value('F'), 15);
}

TEST(AppendNumber, WritesTheWholeRange) {
  std::string out;
  append_number(out, INT64_MIN);
  out += ' ';
  append_number(out, UINT64_MAX);
  out += ' ';
  append_number(out, 0);
  EXPECT_EQ(out, "-9223372036854775808 18446744073709551615 0");
}

// The definition, by recursion.
bool matches(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern.front() != '*') {
    return !text.empty() && pattern.front() == text.front() && matches(pattern.substr(1), text.substr(1));
  }
  return matches(pattern.substr(1), text) || (!text.empty() && matches(pattern, text.substr(1)));
}

TEST(GlobMatch, TakesAStarForAnyRunAndAllElseLiterally) {
  EXPECT_TRUE(glob_match("gpt-*", "gpt-"));
  EXPECT_TRUE(glob_match("gpt-*", "gpt-4o-mini"));
  EXPECT_FALSE(glob_match("gpt-*", "my-gpt-4o"));
  EXPECT_TRUE(glob_match("*/llama*:free", "meta/llama-3:free"));
  EXPECT_FALSE(glob_match("gpt-?", "gpt-4"));
  EXPECT_TRUE(glob_match("[a]", "[a]"));
  EXPECT_FALSE(glob_match("GPT-*", "gpt-4"));
}

TEST(GlobMatch, AgreesWithItsDefinitionOnRandomPatterns) {
  std::mt19937 random(7);
  const auto word = [&](std::string_view letters, std::size_t longest) {
    std::string text(random() % (longest + 1), ' ');
    for (char& c : text) c = letters[random() % letters.size()];
    return text;
  };
  int matched = 0;
  for (int i = 0; i < 20'000; ++i) {
    const auto pattern = word("ab*", 6), text = word("ab", 8);
    const bool wanted = matches(pattern, text);
    matched += wanted ? 1 : 0;
    ASSERT_EQ(glob_match(pattern, text), wanted) << pattern << " on " << text;
  }
  EXPECT_GT(matched, 1000);
}

TEST(GlobMatch, DoesNotExplodeOnManyStars) {
  std::string pattern;
  for (int i = 0; i < 200; ++i) pattern += "*a";
  EXPECT_FALSE(glob_match(pattern, std::string(5000, 'a') + "b"));
}

std::size_t distance(std::string_view a, std::string_view b) {
  if (a.empty() || b.empty()) return a.size() + b.size();
  if (a.front() == b.front()) return distance(a.substr(1), b.substr(1));
  return 1 + std::min({distance(a.substr(1), b), distance(a, b.substr(1)), distance(a.substr(1), b.substr(1))});
}

TEST(EditDistance, CountsInsertionsDeletionsAndSubstitutions) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("api_keys", "api_key"), 1U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_EQ(edit_distance("provider", "provdier"), 2U);
}

TEST(EditDistance, AgreesWithItsDefinitionOnRandomWords) {
  std::mt19937 random(11);
  for (int i = 0; i < 300; ++i) {
    std::string a(random() % 6, ' '), b(random() % 6, ' ');
    for (char& c : a) c = "abc"[random() % 3];
    for (char& c : b) c = "abc"[random() % 3];
    ASSERT_EQ(edit_distance(a, b), distance(a, b)) << a << " " << b;
  }
}

// Assigning an empty string keeps the capacity.
TEST(Release, GivesTheMemoryBack) {
  std::string text(10'000, 'x');
  release(text);
  EXPECT_TRUE(text.empty());
  EXPECT_EQ(text.capacity(), std::string().capacity());
}

}  // namespace
}  // namespace sluice
