#include "routing/rate_limit_fields.hpp"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "routing/span_text.hpp"
#include "sluice/core/clock.hpp"

namespace sluice::routing {
namespace {

using namespace std::chrono_literals;

// 2024-07-01 12:00:00.250 UTC
const auto kNow = std::chrono::system_clock::time_point(1'719'835'200'250ms);

http::Head head_of(std::vector<http::Field> fields) {
  http::Head head;
  head.fields = std::move(fields);
  return head;
}
std::optional<milliseconds> reset(std::string_view text) { return parse_reset(text, kNow); }

TEST(RateLimitFields, ReadsDurationsAsGoPrintsThem) {
  EXPECT_EQ(reset("1s"), 1s);
  EXPECT_EQ(reset("6m0s"), 6min);
  EXPECT_EQ(reset("20ms"), 20ms);
  EXPECT_EQ(reset("1h2m3.5s"), 1h + 2min + 3500ms);
  EXPECT_EQ(reset("1d"), 24h);
  EXPECT_EQ(reset("8.64s"), 8640ms);
  EXPECT_EQ(reset("0s"), 0ms);
  EXPECT_EQ(reset("1.5ms"), 2ms) << "never earlier than said";
  EXPECT_EQ(reset("250µs"), 1ms);
}

TEST(RateLimitFields, ReadsSecondsAndMoments) {
  EXPECT_EQ(reset("17"), 17s);
  EXPECT_EQ(reset("0.5"), 500ms);
  EXPECT_EQ(reset("1719835205"), 4750ms);
  EXPECT_EQ(reset("1719835205250"), 5s);
  EXPECT_EQ(reset("1719835205.5"), 5250ms);
}

TEST(RateLimitFields, ReadsDates) {
  EXPECT_EQ(reset("2024-07-01T12:00:05Z"), 4750ms);
  EXPECT_EQ(reset("2024-07-01T12:00:05.250Z"), 5s);
  EXPECT_EQ(reset("2024-07-01T14:00:05+02:00"), 4750ms);
  EXPECT_EQ(reset("2024-07-01T07:30:05-04:30"), 4750ms);
  EXPECT_EQ(reset("Mon, 01 Jul 2024 12:00:05 GMT"), 4750ms);
}

TEST(RateLimitFields, F37CutsWhatIsTooLong) {
  for (const auto* text : {"25h", "99999999h", "99999999999999999999d", "86401", "99999999", "9999999999",
                           "9999-12-31T23:59:59Z", "Fri, 31 Dec 9999 23:59:59 GMT"}) {
    EXPECT_EQ(reset(text), milliseconds(kLongestReset)) << text;
  }
}

TEST(RateLimitFields, F37IgnoresWhatCannotBeMeant) {
  for (const auto* text : {"",
                           "-1",
                           "-1s",
                           "NaN",
                           "nan",
                           "inf",
                           "nans",
                           "infs",
                           "1e9",
                           "1e400",
                           "soon",
                           "1x",
                           "1s ",
                           "s",
                           "1 2",
                           "5 apples",
                           "2024-07-01T11:59:59Z",
                           "0001-01-01T00:00:00Z",
                           "2024-07-01T12:00:05",
                           "2024-07-01T12:00:05.Z",
                           "2024-07-01T12:00:05+2:00",
                           "2024-07-01T12:00:05+02x00",
                           "2024-13-01T00:00:00Z",
                           "1719835199",
                           "99999999999999999999999",
                           "1s-2s",
                           "0x10s",
                           "2024-07-01T12:00:05.1e9999999Z00000000000000000000"}) {
    EXPECT_EQ(reset(text), std::nullopt) << text;
  }
  EXPECT_EQ(parse_reset({"1s\0s", 4}, kNow), std::nullopt);
  EXPECT_EQ(parse_reset({"2024-07-01T12:00:05Z\0x", 22}, kNow), std::nullopt);
}

TEST(RateLimitFields, FindsBothQuotasOfAnOpenAiAnswer) {
  const auto limits = read_rate_limits(head_of({{"X-RateLimit-Limit-Requests", "10000"},
                                                {"x-ratelimit-limit-tokens", "200000"},
                                                {"x-ratelimit-remaining-requests", "9999"},
                                                {"x-ratelimit-remaining-tokens", "0"},
                                                {"x-ratelimit-reset-requests", "8.64s"},
                                                {"x-ratelimit-reset-tokens", "6m0s"},
                                                {"x-ratelimit-reset-tokens", "1s"},
                                                {"content-type", "application/json"}}),
                                       kNow);
  EXPECT_EQ(limits.requests.limit, 10000);
  EXPECT_EQ(limits.requests.remaining, 9999);
  EXPECT_EQ(limits.requests.resets_in, 8640ms);
  EXPECT_EQ(limits.tokens.limit, 200000);
  EXPECT_EQ(limits.tokens.remaining, 0);
  EXPECT_EQ(limits.tokens.resets_in, 6min);
}

TEST(RateLimitFields, FindsThoseOfAnthropicAndOfWhoeverNamesNoKind) {
  const auto limits = read_rate_limits(head_of({{"anthropic-ratelimit-tokens-remaining", "12"},
                                                {"anthropic-ratelimit-tokens-reset", "2024-07-01T12:01:00Z"},
                                                {"x-ratelimit-remaining", "3"},
                                                {"x-ratelimit-reset", "1719835260250"}}),
                                       kNow);
  EXPECT_EQ(limits.tokens.remaining, 12);
  EXPECT_EQ(limits.tokens.resets_in, 59750ms);
  EXPECT_EQ(limits.requests.remaining, 3);
  EXPECT_EQ(limits.requests.resets_in, 60s);
}

TEST(RateLimitFields, F37IgnoresCountsThatAreNone) {
  for (const auto* text : {"", "-1", "1.5", "1e3", "many", "99999999999999999999", "0x10", " 5"}) {
    const auto limits = read_rate_limits(head_of({{"x-ratelimit-remaining-requests", text}}), kNow);
    EXPECT_EQ(limits.requests.remaining, std::nullopt) << text;
  }
}

TEST(WaitTold, FindsTheWaitInTheTextOfAnError) {
  EXPECT_EQ(wait_in_text("Rate limit reached … Please try again in 1.2s. Visit https://…"), 1200ms);
  EXPECT_EQ(wait_in_text("please try again in 20ms."), 20ms);
  EXPECT_EQ(wait_in_text("Please try again in 6m0s."), 6min);
  EXPECT_EQ(wait_in_text("Please retry after 26 seconds."), 26s);
  EXPECT_EQ(wait_in_text("Please retry in 34.074824224s."), 34075ms);
  EXPECT_EQ(wait_in_text(R"({"details":[{"@type":"…RetryInfo","retryDelay": "34s"}]})"), 34s);
  EXPECT_EQ(wait_in_text(R"({"retryDelay":"1.5s","message":"try again in 9s"})"), 1500ms);
}

TEST(WaitTold, F37BelievesNoTextThatCannotBeMeant) {
  EXPECT_EQ(wait_in_text("try again in 99999999999d"), milliseconds(kLongestReset));
  for (const auto* text : {"", "try again later", "try again in a while", "try again in -5s", "try again in 5",
                           "try again in NaNs", R"("retryDelay")", R"("retryDelay":{"seconds":5})"}) {
    EXPECT_EQ(wait_in_text(text), std::nullopt) << text;
  }
  EXPECT_EQ(wait_in_text(std::string(100'000, 'x') + "try again in 5s"), std::nullopt);
}

TEST(RateLimitFields, F37TheLongestResetIsThatOfWhatMayBeUsedUp) {
  const auto longest = [](const std::vector<http::Field>& fields) {
    return longest_reset(read_rate_limits(head_of(fields), kNow));
  };
  EXPECT_EQ(longest({{"x-ratelimit-remaining-requests", "0"},
                     {"x-ratelimit-reset-requests", "6m0s"},
                     {"x-ratelimit-remaining-tokens", "500"},
                     {"x-ratelimit-reset-tokens", "1h"}}),
            6min);
  EXPECT_EQ(longest({{"x-ratelimit-reset-requests", "1s"}, {"x-ratelimit-reset-tokens", "2s"}}), 2s);
  EXPECT_EQ(longest({{"x-ratelimit-reset", "90"}}), 90s);
  EXPECT_EQ(longest({{"x-ratelimit-remaining", "3"}, {"x-ratelimit-reset", "90"}}), std::nullopt);
  EXPECT_EQ(longest({{"x-ratelimit-remaining", "0"}}), std::nullopt);
}

TEST(WaitTold, TheFieldsHaveTheSayBeforeTheText) {
  EXPECT_EQ(wait_told(head_of({{"retry-after", "7"}}), "try again in 5s", kNow), 7s);
  EXPECT_EQ(wait_told(head_of({{"retry-after-ms", "70"}, {"retry-after", "7"}}), "", kNow), 70ms);
  EXPECT_EQ(wait_told(head_of({{"retry-after", "soon"}}), "try again in 5s", kNow), 5s);
  EXPECT_EQ(wait_told(head_of({{"retry-after", "1e9"}}), "", kNow), milliseconds(kLongestReset));
  EXPECT_EQ(wait_told(head_of({}), "", kNow), std::nullopt);
}

TEST(SpanText, TakesWhatIsASpanAndLeavesTheRest) {
  const auto span = leading_span("1m30s and more");
  ASSERT_TRUE(span.has_value());
  EXPECT_EQ(span->span, 90s);
  EXPECT_EQ(span->length, 5U);
  EXPECT_EQ(leading_span("2 minutes")->length, 9U);
  EXPECT_FALSE(leading_span("12").has_value());
  EXPECT_FALSE(leading_span("seconds").has_value());
}

}  // namespace
}  // namespace sluice::routing
