// The parsers behind the sections, each alone.

#include <gtest/gtest.h>

#include "config/address.hpp"
#include "config/interpolate.hpp"
#include "config/report.hpp"
#include "config/url.hpp"
#include "unit/config/support.hpp"

namespace sluice::config {
namespace {

std::string expanded(std::string_view raw) {
  auto result = interpolate(raw, environment_of({{"A", "one"}, {"EMPTY", ""}, {"REF", "${A}$$"}}));
  return result.errors.empty() ? result.text : "error";
}

TEST(Interpolation, ReplacesReferencesAnywhereInAText) {
  EXPECT_EQ(expanded("${A}"), "one");
  EXPECT_EQ(expanded("<${A}-${A}>"), "<one-one>");
  EXPECT_EQ(expanded("plain"), "plain");
  EXPECT_EQ(expanded(""), "");
}

TEST(Interpolation, DefaultsStandInForUnsetAndEmpty) {
  EXPECT_EQ(expanded("${NOPE:-two}"), "two");
  EXPECT_EQ(expanded("${NOPE:-}"), "");
  EXPECT_EQ(expanded("${EMPTY:-two}"), "two");
  EXPECT_EQ(expanded("${EMPTY}"), "");
  EXPECT_EQ(expanded("${A:-two}"), "one");
  EXPECT_EQ(expanded("${NOPE:-a:-b}"), "a:-b");
}

TEST(Interpolation, TwoDollarsAreOneAndALoneDollarStays) {
  EXPECT_EQ(expanded("$${A}"), "${A}");
  EXPECT_EQ(expanded("$$$${A}"), "$${A}");
  EXPECT_EQ(expanded("$$${A}"), "$one");
  EXPECT_EQ(expanded("5$ $A $"), "5$ $A $");
}

TEST(Interpolation, ValuesAreNotExpandedAgain) { EXPECT_EQ(expanded("${REF}"), "${A}$$"); }

TEST(Interpolation, EveryErrorOfATextIsTold) {
  auto result = interpolate("${X} ${1} ${Y} ${", environment_of({}));
  ASSERT_EQ(result.errors.size(), 4U);
  EXPECT_NE(result.errors[0].find("variable X is not set"), std::string::npos);
  EXPECT_NE(result.errors[2].find("variable Y is not set"), std::string::npos);
  EXPECT_NE(result.errors[3].find("unterminated"), std::string::npos);
}

TEST(Interpolation, ASoleReferenceIsTheWholeText) {
  EXPECT_EQ(sole_reference("${A}")->name, "A");
  EXPECT_EQ(sole_reference("${A}")->fallback, std::nullopt);
  EXPECT_EQ(sole_reference("${A:-}")->fallback, "");
  for (auto text : {"", "A", "$A", "$${A}", " ${A}", "${A} ", "${A}${B}", "${A", "${}"}) {
    EXPECT_FALSE(sole_reference(text).has_value()) << text;
  }
}

TEST(BaseUrl, HasDefaultsForPortPathAndQuery) {
  EXPECT_EQ(parse_base_url("https://api.openai.com/v1"), (Url{true, "api.openai.com", 443, "/v1", {}}));
  EXPECT_EQ(parse_base_url("http://localhost"), (Url{false, "localhost", 80, "", {}}));
  EXPECT_EQ(parse_base_url("HTTPS://API.Example.com:8443/"), (Url{true, "api.example.com", 8443, "", {}}));
  EXPECT_EQ(parse_base_url("http://[::1]:11434/v1//"), (Url{false, "::1", 11434, "/v1", {}}));
  EXPECT_EQ(parse_base_url("http://10.0.0.7:65535"), (Url{false, "10.0.0.7", 65535, "", {}}));
  EXPECT_EQ(parse_base_url("https://x.openai.azure.com/openai?api-version=2024-10-21"),
            (Url{true, "x.openai.azure.com", 443, "/openai", Secret("api-version=2024-10-21")}));
  EXPECT_EQ(parse_base_url("https://h?a=b/c?d"), (Url{true, "h", 443, "", Secret("a=b/c?d")}));
  EXPECT_EQ(parse_base_url("http://my_service-1.ns:80/a%20b"), (Url{false, "my_service-1.ns", 80, "/a%20b", {}}));
}

TEST(BaseUrl, DoesNotTakeWhatCouldBeReadInTwoWays) {
  for (auto text : {"",
                    "http:",
                    "http:/h",
                    "//h",
                    "http://",
                    "http://h:",
                    "http://h:65536",
                    "http://h:+1",
                    "http://h@x",
                    "http://h\\x",
                    "http://h/\r\nx",
                    "http://a..b",
                    "http://.a",
                    "http://-a",
                    "http://h#",
                    "http://0x7f",
                    "http://2130706433",
                    "http://1.2.3.4.5",
                    "http://[::1",
                    "http://[::1]x",
                    "http://[1.2.3.4]",
                    "http://[fe80::1%25eth0]",
                    "http://h/..",
                    "http://h/./x",
                    "http://h/%2E%2e/x",
                    "http://h/%2"}) {
    EXPECT_FALSE(parse_base_url(text).has_value()) << text;
  }
}

TEST(ListenAddress, IsWrittenAsItIsRead) {
  for (auto text : {"127.0.0.1:8080", "[::1]:8080", "localhost:0", "0.0.0.0:65535", "[::]:1"}) {
    auto address = parse_address(text);
    ASSERT_TRUE(address.has_value()) << text;
    EXPECT_EQ(to_string(*address), text);
  }
  EXPECT_EQ(parse_address("[0:0::1]:80"), (Address{"::1", 80}));
}

TEST(ListenAddress, OverlapsWhenASocketCouldServeBoth) {
  auto overlaps = [](auto a, auto b) { return overlap(*parse_address(a), *parse_address(b)); };
  EXPECT_TRUE(overlaps("127.0.0.1:80", "127.0.0.1:80"));
  EXPECT_TRUE(overlaps("[::]:80", "127.0.0.1:80"));
  EXPECT_TRUE(overlaps("localhost:80", "[::1]:80"));
  EXPECT_FALSE(overlaps("127.0.0.1:80", "127.0.0.2:80"));
  EXPECT_FALSE(overlaps("127.0.0.1:80", "127.0.0.1:81"));
  EXPECT_FALSE(overlaps("127.0.0.1:0", "127.0.0.1:0"));
}

TEST(Suggestion, NamesTheNearestWord) {
  const std::vector<std::string> known = {"connect", "first_byte", "first_token", "idle", "ttl"};
  EXPECT_EQ(suggestion("conect", known), "did you mean \"connect\"?");
  EXPECT_EQ(suggestion("first_tokens", known), "did you mean \"first_token\"?");
  EXPECT_EQ(suggestion("idle_timeout", known), "did you mean \"idle\"?");
  EXPECT_EQ(suggestion("xy", known), "expected connect, first_byte, first_token, idle or ttl");
  EXPECT_EQ(suggestion("x", std::vector<std::string>{}), "none is known here");
}

TEST(Words, PathsQuoteWhatIsNoPlainWord) {
  EXPECT_EQ(join("", "server"), "server");
  EXPECT_EQ(join("models", "gpt-*"), "models.\"gpt-*\"");
  EXPECT_EQ(join("models", ""), "models.\"\"");
  EXPECT_EQ(join("a.b", 2), "a.b[2]");
  EXPECT_EQ(in_quotes("a\nb\x1b"), "\"a?b?\"");
  EXPECT_LT(in_quotes(std::string(5000, 'x')).size(), 80U);
}

}  // namespace
}  // namespace sluice::config
