#include "admission/rate_headers.hpp"

#include <gtest/gtest.h>

#include "admission/node_limits.hpp"
#include "admission/refusals.hpp"

namespace sluice::admission {
namespace {

using namespace std::chrono_literals;

limit::Limit limit_of(Meter meter, std::int64_t most, std::chrono::seconds window = 60s) {
  limit::Limit made;
  made.node = "key app-1";
  made.meter = meter;
  made.most = most;
  made.window = window;
  return made;
}

std::string value(const Fields& fields, std::string_view name) {
  for (const auto& [key, text] : fields) {
    if (key == name) return text;
  }
  return "(absent)";
}

TEST(RateHeaders, TellOfTheLimitThatIsNearestToItsEnd) {
  const limit::Limit wide = limit_of(Meter::kRequests, 1000);
  const limit::Limit narrow = limit_of(Meter::kRequests, 10, 1s);
  const limit::Limit tokens = limit_of(Meter::kTokens, 5000);
  const std::vector<limit::Take> takes = {{&wide, 1}, {&narrow, 1}, {&tokens, 500}};
  const std::vector<limit::Standing> standings = {{700, 1, 60s}, {3, 2, 250ms}, {0, 500, 61'500ms}};
  Fields fields;
  append_rate_headers(takes, standings, fields);
  EXPECT_EQ(fields.size(), 6U);
  EXPECT_EQ(value(fields, "x-ratelimit-limit-requests"), "10");
  EXPECT_EQ(value(fields, "x-ratelimit-remaining-requests"), "5");
  EXPECT_EQ(value(fields, "x-ratelimit-reset-requests"), "250ms");
  EXPECT_EQ(value(fields, "x-ratelimit-limit-tokens"), "5000");
  EXPECT_EQ(value(fields, "x-ratelimit-remaining-tokens"), "4500");
  EXPECT_EQ(value(fields, "x-ratelimit-reset-tokens"), "1m2s");
}

TEST(RateHeaders, LimitsThatAreOnlyObservedAndOtherMetersAreNotTold) {
  limit::Limit observed = limit_of(Meter::kRequests, 1);
  observed.mode = Mode::kObserve;
  const limit::Limit slots = limit_of(Meter::kConcurrency, 5);
  const limit::Limit money = limit_of(Meter::kMoney, 5);
  const std::vector<limit::Take> takes = {{&observed, 1}, {&slots, 1}, {&money, 1}};
  Fields fields;
  append_rate_headers(takes, std::vector<limit::Standing>(3), fields);
  EXPECT_TRUE(fields.empty());
}

TEST(RateHeaders, AnOverdrawnLimitHasNothingLeft) {
  const limit::Limit tokens = limit_of(Meter::kTokens, 100);
  Fields fields;
  append_rate_headers(std::vector<limit::Take>{{&tokens, 1}}, std::vector<limit::Standing>{{250, 0, 0ms}}, fields);
  EXPECT_EQ(value(fields, "x-ratelimit-remaining-tokens"), "0");
}

TEST(RateHeaders, DurationsAsGoWritesThem) {
  EXPECT_EQ(go_duration(0ms), "0ms");
  EXPECT_EQ(go_duration(999ms), "999ms");
  EXPECT_EQ(go_duration(1000ms), "1s");
  EXPECT_EQ(go_duration(6min), "6m0s");
  EXPECT_EQ(go_duration(1h + 2min + 3s), "1h2m3s");
  EXPECT_EQ(go_duration(59'001ms), "1m0s") << "rounded up";
}

TEST(Refusals, NameTheLimitAndSayWhen) {
  const limit::Limit limit = limit_of(Meter::kRequests, 600);
  const Error error = refusal_error(limit, {.retry_after = 1500ms}, 1);
  EXPECT_EQ(error.kind, ErrorKind::kRateLimited);
  EXPECT_EQ(error.message, "Rate limit reached: key app-1 may use 600 requests per minute. Please try again in 2s.");
  EXPECT_EQ(error.retry_after, 1500ms);
  EXPECT_FALSE(error.no_retry);
}

TEST(Refusals, LongWaitsAndImpossibleOnesAreNotWorthARetry) {
  const limit::Limit limit = limit_of(Meter::kInputTokens, 600);
  EXPECT_TRUE(refusal_error(limit, {.retry_after = 121s}, 1).no_retry);
  const Error never = refusal_error(limit, {}, 601);
  EXPECT_TRUE(never.no_retry);
  EXPECT_FALSE(never.retry_after.has_value());
  EXPECT_EQ(never.message,
            "Request too large: key app-1 may use 600 input tokens per minute, and this request may need 601. Ask for "
            "fewer tokens.");
}

TEST(Refusals, BudgetsAreInsufficientQuota) {
  limit::Limit limit = limit_of(Meter::kMoney, 500'000'000'000);
  limit.period = Period::kMonth;
  const Error error = refusal_error(limit, {.retry_after = 24h}, 1);
  EXPECT_EQ(error.kind, ErrorKind::kBudgetExceeded);
  EXPECT_EQ(error.error_code(), "insufficient_quota");
  EXPECT_NE(error.message.find("key app-1 may spend 500 USD per month"), std::string::npos);
}

TEST(NodeLimits, HaveWordsAndLabels) {
  EXPECT_EQ(in_words(limit_of(Meter::kOutputTokens, 5, 3600s)), "5 output tokens per hour");
  EXPECT_EQ(in_words(limit_of(Meter::kConcurrency, 5)), "5 requests at once");
  EXPECT_EQ(label_of(limit_of(Meter::kTokens, 5, 2'592'000s)), "key app-1 tokens/month");
  EXPECT_EQ(label_of(limit_of(Meter::kConcurrency, 5)), "key app-1 concurrency");
}

}  // namespace
}  // namespace sluice::admission
