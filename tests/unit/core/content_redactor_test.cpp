#include "sluice/core/content_redactor.hpp"

#include <gtest/gtest.h>

#include <time.h>

#include <algorithm>
#include <chrono>
#include <map>

namespace sluice {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kAll = 1 << 30;

const ContentRedactor& built_in() {
  static const ContentRedactor kRedactor;
  return kRedactor;
}

std::string redacted(std::string_view text, const ContentRedactor& redactor = built_in(), std::size_t most = kAll) {
  return redactor.redact(text, most).text;
}

// Put together here, so that nobody's search for secrets stops at this file.
std::string key(std::string_view begin, std::string_view rest) { return std::string(begin) + std::string(rest); }

const std::string kRandom = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8";

std::vector<std::string> api_keys() {
  return {key("sk-", kRandom),
          key("sk-proj-", kRandom + "_x-" + kRandom),
          key("sk-ant-api03-", kRandom + "-AA"),
          key("sk-or-v1-", "0123456789abcdef0123456789abcdef"),
          key("sk-sluice-", "0123456789ab-" + kRandom),
          key("sk_live_", kRandom.substr(0, 24)),
          key("AKIA", "IOSFODNNQQEXAMPL"),
          key("ghp_", kRandom),
          key("github_pat_", "11ABCDEFG0_" + kRandom),
          key("glpat-", "abcdefghijklmnopqrst"),
          key("xoxb-", "123456789012-abcdefGHIJKL"),
          key("AIza", "SyA1234567890abcdefghijklmnopqrstuv"),
          key("hf_", "abcdefghijklmnopqrstuvwxyzABCDEFGH"),
          key("gsk_", kRandom)};
}

TEST(ContentRedactor, ApiKeysOfManyMakers) {
  for (const std::string& one : api_keys()) {
    EXPECT_EQ(redacted(one), "[redacted:api_key]") << one;
    EXPECT_EQ(redacted("KEY=" + one + ", they say."), "KEY=[redacted:api_key], they say.") << one;
    EXPECT_EQ(redacted("{\"k\":\"" + one + "\"}"), "{\"k\":\"[redacted:api_key]\"}") << one;
  }
}

TEST(ContentRedactor, WordsThatBeginLikeKeysStay) {
  for (const char* text : {"sk-learn-for-everybody-and-more", "risk-assessment-of-things-2026-11-27", "sk-",
                           "sk-short1", "ask-me-anything-1234567890", "AKIA", "AKIAIOSFODNN7EXAMPLETOOLONG",
                           "ghp_tooshort1", "hf_model_name_with_underscores", "xoxb-1"}) {
    EXPECT_EQ(redacted(text), text);
  }
}

TEST(ContentRedactor, BearerTokensAndWebTokens) {
  EXPECT_EQ(redacted("Authorization: Bearer abcdef0123456789"), "Authorization: [redacted:bearer]");
  EXPECT_EQ(redacted("authorization: basic dXNlcjpwYXNzd29yZA=="), "authorization: [redacted:bearer]");
  EXPECT_EQ(redacted("the bearer responsibilities; Bearer Responsibilities; a bearer of bad news 1234567890"),
            "the bearer responsibilities; Bearer Responsibilities; a bearer of bad news 1234567890");
  const std::string jwt =
      "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U";
  EXPECT_EQ(redacted("token " + jwt + "!"), "token [redacted:jwt]!");
  EXPECT_EQ(redacted("Bearer " + jwt + "!"), "[redacted:bearer]!");
  EXPECT_EQ(redacted("eyJ is how they begin: eyJ.a.b"), "eyJ is how they begin: eyJ.a.b");
}

TEST(ContentRedactor, Emails) {
  for (const char* one : {"bob@example.org", "b.o-b+tag_1@mail.example.co.uk", "o'hara@example.org", "x@y.io",
                          "bob@xn--bcher-kva.example", "mül.ler@büro.de", "иван@пример.рф", "BOB@EXAMPLE.ORG"}) {
    EXPECT_EQ(redacted(one), "[redacted:email]") << one;
    EXPECT_EQ(redacted("<" + std::string(one) + ">, or"), "<[redacted:email]>, or") << one;
    EXPECT_EQ(redacted("Write to " + std::string(one) + "."), "Write to [redacted:email].") << one;
  }
  EXPECT_EQ(redacted("a@b.org,c@d.org;e@f.org"), "[redacted:email],[redacted:email];[redacted:email]");
  EXPECT_EQ(redacted("mailto:bob@x.org?subject=hi"), "mailto:[redacted:email]?subject=hi");
  EXPECT_EQ(redacted("'bob@x.org'"), "'[redacted:email]'");
  EXPECT_EQ(redacted("请写信给bob@x.org谢谢"), "请写信给[redacted:email]谢谢");
  for (const char* text : {"@media print", "me @ work", "a@b", "user@localhost", "x@1.2", "@bob.org said", "f(@, x)",
                           "git@", "10 @ 2.50", "..@x.org"}) {
    EXPECT_EQ(redacted(text), text);
  }
}

TEST(ContentRedactor, CardsByTheirCheckDigit) {
  // Test numbers that makers of terminals give out.
  for (const char* one :
       {"4111111111111111", "4111 1111 1111 1111", "4111-1111-1111-1111", "378282246310005", "3782 822463 10005",
        "5555555555554444", "6011111111111117", "4222222222222", "6304000000000000000"}) {
    EXPECT_EQ(redacted(one), "[redacted:card]") << one;
    EXPECT_EQ(redacted("card: " + std::string(one) + "."), "card: [redacted:card].") << one;
    EXPECT_EQ(redacted("card " + std::string(one) + " 12/27 123"), "card [redacted:card] 12/27 123") << one;
    EXPECT_EQ(redacted("7 " + std::string(one)), "7 [redacted:card]") << one;
  }
  EXPECT_EQ(redacted("4111\xC2\xA0"
                     "1111\xC2\xA0"
                     "1111\xC2\xA0"
                     "1111"),
            "[redacted:card]");
  for (const char* text :
       {"4111111111111112", "4111 1111 1111 1112", "1732686365000", "411111111111", "id4111111111111111",
        "4111111111111111f", "0.4111111111111111", "41111111111111110000000", "4111111111111111_1"}) {
    EXPECT_EQ(redacted(text), text);
  }
}

TEST(ContentRedactor, PhoneNumbers) {
  for (const char* one :
       {"+1 415 555 2671",  "+14155552671",      "+1 (415) 555-2671", "+49 30 901820",  "+49 (0)30 / 901820",
        "+44 20 7183 8750", "+33 1 23 45 67 89", "0049 30 901820",    "(415) 555-2671", "415-555-2671",
        "415.555.2671",     "415 555 2671",      "1-415-555-2671",    "030 901820",     "030/901820",
        "(030) 901820",     "0171 1234567",      "020 7183 8750",     "01 23 45 67 89", "06.12.34.56.78"}) {
    EXPECT_EQ(redacted(one), "[redacted:phone]") << one;
    EXPECT_EQ(redacted("Call " + std::string(one) + ", please"), "Call [redacted:phone], please") << one;
  }
  EXPECT_EQ(redacted("phone: 0612345678"), "phone: [redacted:phone]");
  EXPECT_EQ(redacted(R"({"mobile":"4155552671","n":1})"), R"({"mobile":"[redacted:phone]","n":1})");
  EXPECT_EQ(redacted("Tel. 901820-33"), "Tel. [redacted:phone]");
}

TEST(ContentRedactor, OrdinaryNumbersStay) {
  for (const char* text : {"2026-11-27",
                           "27.11.2026",
                           "01-02-2026",
                           "01.02.2026",
                           "2026-11-27T05:46:05.123456Z",
                           "05:46:05",
                           "1732686365",
                           "1732686365000",
                           "4155552671",
                           "order 0612345678",
                           "192.168.100.200",
                           "10.0.0.1:8080",
                           "v1.22.333.4444",
                           "123-45-6789",
                           "3.14159265358979",
                           "1,234,567,890",
                           "1 000 000",
                           "2+12345678",
                           "+12",
                           "+1 day",
                           "978-0-306-40615-7",
                           "0-306-40615-2",
                           "550e8400-e29b-41d4-a716-446655440000",
                           "7-415-555-2671-8",
                           "0x4155552671",
                           "12345",
                           "2026/11/27 04:05",
                           "$1,299.00"}) {
    EXPECT_EQ(redacted(text), text);
  }
}

TEST(ContentRedactor, OwnPatternsComeBeforeTheBuiltInKinds) {
  const ContentRedactor redactor({{"ticket", "ACME-[0-9]{6}"}, {"mail", "[a-z]+@x\\.org"}, {"name", "(?i)zoë"}});
  const auto made = redactor.redact("ACME-123456 ACME-12345 bob@x.org bob@y.org ZOË", kAll);
  EXPECT_EQ(made.text, "[redacted:ticket] ACME-12345 [redacted:mail] [redacted:email] [redacted:name]");
  EXPECT_FALSE(made.cut);
  const std::map<std::string, std::size_t> expected = {{"email", 1}, {"mail", 1}, {"name", 1}, {"ticket", 1}};
  EXPECT_EQ(made.counts, expected);
}

TEST(ContentRedactor, OwnPatternsSeeWhereTheyStand) {
  const ContentRedactor redactor({{"begin", "^x"}, {"end", "y$"}, {"word", "\\bz\\b"}, {"long", "<[^>]*>"}});
  EXPECT_EQ(redacted("xx yy zz z y", redactor), "[redacted:begin]x yy zz [redacted:word] [redacted:end]");
  const std::string far(20'000, 'x');
  EXPECT_EQ(redacted(far + " z " + far + "y", redactor),
            "[redacted:begin]" + far.substr(1) + " [redacted:word] " + far + "[redacted:end]");
  EXPECT_EQ(redacted("a<" + far + ">b<" + far + ">", redactor), "a[redacted:long]b[redacted:long]");
}

TEST(ContentRedactor, PatternsThatAreNoneAreRefused) {
  for (const char* bad : {"(", "[a", "a{2,1}", "(?<x", "\\q", "a**", "(a{1000}){1000}", "(?=a)", "(a)\\1"}) {
    EXPECT_TRUE(ContentRedactor::error_in(bad).value_or("").contains("RE2")) << bad;
  }
  for (const char* empty : {"", "a*", "x?|y"}) {
    EXPECT_TRUE(ContentRedactor::error_in(empty).value_or("").contains("empty text")) << empty;
  }
  EXPECT_TRUE(ContentRedactor::error_in(std::string(1025, 'a')).has_value());
  EXPECT_EQ(ContentRedactor::error_in("ACME-[0-9]{6}"), std::nullopt);
}

TEST(ContentRedactor, WhatOverlapsIsOneFind) {
  const ContentRedactor redactor({{"left", "abc"}, {"right", "cde"}});
  EXPECT_EQ(redacted("xabcdey", redactor), "x[redacted:left]y");
}

// As often as JSON was put into a string of JSON, its escapes are escaped.
TEST(ContentRedactor, SeesThroughEscapesAtAnyDepth) {
  const std::string card = "4111 1111 1111 1111";
  for (const std::string slashes : {"\\", "\\\\", "\\\\\\\\"}) {
    EXPECT_EQ(redacted("{bob" + slashes + "u0040x.org}"), "{[redacted:email]}");
    EXPECT_EQ(redacted("{bob@x" + slashes + "u002Eorg}"), "{[redacted:email]}");
    EXPECT_EQ(redacted("{a" + slashes + "n415-555-2671" + slashes + "\"}"),
              "{a" + slashes + "n[redacted:phone]" + slashes + "\"}");
    EXPECT_EQ(redacted("{" + slashes + "u0073k-" + kRandom + "}"), "{[redacted:api_key]}");
    EXPECT_EQ(redacted(slashes + "t" + card + slashes + "n"), slashes + "t[redacted:card]" + slashes + "n");
    EXPECT_EQ(redacted("030" + slashes + "/901820"), "[redacted:phone]");
  }
  EXPECT_EQ(redacted("mail=bob%40x.org&x"), "mail=[redacted:email]&x");
  EXPECT_EQ(redacted("4111\\u00a01111\\u00a01111\\u00a01111"), "[redacted:card]");
  EXPECT_EQ(redacted("+49\xE2\x80\xAF"
                     "30\xE2\x80\x91"
                     "901820"),
            "[redacted:phone]");
  for (const char* text : {"C:\\new\\table", "100%", "%zz", "\\", "\\u12", "a\\", "50%20off", "\xE2\x80"}) {
    EXPECT_EQ(redacted(text), text);
  }
}

TEST(ContentRedactor, TheBeginningIsShownAndNoPartOfASecretAcrossItsEnd) {
  const std::string text = "Write to bob@example.org soon";
  for (std::size_t most = 0; most <= text.size() + 1; ++most) {
    const auto made = built_in().redact(text, most);
    const std::string& shown = made.text;
    EXPECT_TRUE(shown.starts_with(text.substr(0, std::min<std::size_t>(most, 9)))) << most;
    EXPECT_EQ(shown.ends_with("…"), made.cut) << most << " " << shown;
    EXPECT_EQ(made.cut, most <= text.size()) << "one byte more than the text, since the marker is longer";
    EXPECT_FALSE(shown.contains("bob") || shown.contains("example") || shown.contains("org")) << shown;
    EXPECT_LE(shown.size(), most + std::string_view("…").size());
  }
}

TEST(ContentRedactor, CutsBetweenCharacters) {
  const std::string text = "ä€😀ä€😀";
  for (std::size_t most = 0; most < text.size(); ++most) {
    std::string shown = redacted(text, built_in(), most);
    ASSERT_TRUE(shown.ends_with("…"));
    shown.resize(shown.size() - 3);
    EXPECT_TRUE(text.starts_with(shown));
    const std::size_t next = shown.size();
    EXPECT_NE(static_cast<unsigned char>(text[next]) >> 6, 2U) << most;
  }
}

// What grows on being struck out does not make the whole grow.
TEST(ContentRedactor, MarkersDoNotMakeItLonger) {
  const ContentRedactor redactor({{"digit", "[0-9]"}});
  EXPECT_LE(redacted(std::string(5000, '7'), redactor, 5000).size(), 5003U);
}

// Of this thread, so that what else runs does not count.
std::chrono::nanoseconds cpu_time() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

std::chrono::nanoseconds time_for(const ContentRedactor& redactor, const std::string& piece, std::size_t size) {
  std::string text;
  while (text.size() < size) text += piece;
  auto best = std::chrono::nanoseconds::max();
  for (int tries = 0; tries < 2; ++tries) {
    const auto begin = cpu_time();
    redacted(text, redactor, text.size());
    best = std::min(best, cpu_time() - begin);
  }
  return std::max<std::chrono::nanoseconds>(best, 100us);
}

const std::string kHostile[] = {
    "a",          "<",        "x",     "@",  "a@",    "a@a.",    "bob@x.org", "1",   "4",    "41",       "4 ",
    "4111 1111 ", "+1",       "+1 2",  "(",  "0",     "01 ",     "01-2",      "sk-", "sk-a", "eyJ",      "eyJaaaaaaaa.",
    "Bearer ",    "tel",      "tel:1", "\\", "\\u00", "\\u0040", "%40",       "%",   "\xC2", "\xE2\x80", "\xC2\xA0",
    "é",          "415-555-", "a.b-c_"};

// Ten times the text takes ten times as long; what squares takes a hundred times.
TEST(ContentRedactor, HostileTextTakesTimeInProportion) {
  for (const std::string& piece : kHostile) {
    const auto small = time_for(built_in(), piece, 100'000);
    EXPECT_LT(time_for(built_in(), piece, 1'000'000) / small, 35) << piece;
  }
}

TEST(ContentRedactor, SoItDoesWithPatternsThatLookFarAhead) {
  const ContentRedactor redactor({{"far", "a(?:.*b)?"}, {"lazy", "<.*?>"}, {"word", "(?:x+x+)+y"}, {"two", "4.*8|1"}});
  for (const std::string& piece : kHostile) {
    const auto small = time_for(redactor, piece, 3'000);
    EXPECT_LT(time_for(redactor, piece, 30'000) / small, 35) << piece;
  }
}

}  // namespace
}  // namespace sluice
