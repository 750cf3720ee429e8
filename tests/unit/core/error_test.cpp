// The error contract as a table: what each kind means to the client and to the record.

#include "sluice/core/error.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace sluice {
namespace {

using enum ErrorKind;
constexpr std::size_t kKinds = static_cast<std::size_t>(kClientStalled) + 1;

ErrorKind kind_at(std::size_t i) { return static_cast<ErrorKind>(i); }

struct Promise {
  ErrorKind kind;
  int status;
  std::string_view type;
  std::string_view code;
};

constexpr Promise kContract[] = {
    {kMalformedRequest, 400, "invalid_request_error", "malformed_request"},
    {kRequestTimeout, 408, "timeout_error", "request_timeout"},
    {kUriTooLong, 414, "invalid_request_error", ""},
    {kHeadersTooLarge, 431, "invalid_request_error", ""},
    {kRequestTooLarge, 413, "invalid_request_error", "request_too_large"},
    {kExpectationFailed, 417, "invalid_request_error", ""},
    {kUnsupportedMediaType, 415, "invalid_request_error", "unsupported_content_type"},
    {kUnsupportedContentEncoding, 415, "invalid_request_error", "unsupported_content_encoding"},
    {kUnknownRoute, 404, "invalid_request_error", ""},
    {kMethodNotAllowed, 405, "invalid_request_error", ""},
    {kInvalidJson, 400, "invalid_request_error", "invalid_json"},
    {kDuplicateKey, 400, "invalid_request_error", "duplicate_key"},
    {kJsonTooDeep, 400, "invalid_request_error", "json_too_deep"},
    {kMissingField, 400, "invalid_request_error", ""},
    {kInvalidValue, 400, "invalid_request_error", "invalid_value"},
    {kUnsupportedParameter, 400, "invalid_request_error", "unsupported_parameter"},
    {kModelNotFound, 404, "invalid_request_error", "model_not_found"},
    {kInvalidApiKey, 401, "authentication_error", "invalid_api_key"},
    {kTooManyAuthFailures, 429, "rate_limit_error", ""},
    {kLoopbackOnly, 403, "permission_error", ""},
    {kModelNotAllowed, 403, "permission_error", "model_not_allowed"},
    {kEndpointNotAllowed, 403, "permission_error", ""},
    {kRateLimited, 429, "rate_limit_error", "rate_limit_exceeded"},
    {kConcurrencyExceeded, 429, "rate_limit_error", "concurrency_exceeded"},
    {kBudgetExceeded, 429, "insufficient_quota", "insufficient_quota"},
    {kPriceUnknown, 503, "service_unavailable_error", ""},
    {kBudgetUnavailable, 503, "service_unavailable_error", "budget_unavailable"},
    {kRedisUnavailable, 503, "service_unavailable_error", ""},
    {kProviderOff, 503, "service_unavailable_error", ""},
    {kOverloaded, 503, "service_unavailable_error", "server_is_overloaded"},
    {kDraining, 503, "service_unavailable_error", "draining"},
    {kInternal, 500, "server_error", "internal_error"},
    {kUpstreamConnectFailed, 502, "server_error", "upstream_connect_failed"},
    {kUpstreamTls, 502, "server_error", "upstream_tls_error"},
    {kUpstreamTimeout, 504, "server_error", "upstream_timeout"},
    {kUpstreamIdleTimeout, 504, "server_error", "upstream_idle_timeout"},
    {kUpstreamReset, 502, "server_error", ""},
    {kUpstreamInvalidResponse, 502, "server_error", "upstream_invalid_response"},
    {kUpstreamInvalidEvent, 502, "server_error", "upstream_invalid_event"},
    {kUpstreamEventTooBig, 502, "server_error", ""},
    {kUpstreamTruncated, 502, "server_error", "upstream_stream_truncated"},
    {kUpstreamAuth, 502, "server_error", "upstream_auth_failed"},
    {kUpstreamStatus, 502, "server_error", ""},
};

TEST(ErrorTable, SaysWhatTheContractSays) {
  for (const Promise& promise : kContract) {
    const ErrorTraits& has = traits(promise.kind);
    EXPECT_EQ(has.status, promise.status) << has.code;
    EXPECT_EQ(has.type, promise.type) << has.code;
    if (!promise.code.empty()) {
      EXPECT_EQ(has.code, promise.code);
    }
  }
}

TEST(ErrorTable, HasARowAndACodeOfItsOwnForEveryKind) {
  std::set<std::string_view> codes;
  for (std::size_t i = 0; i < kKinds; ++i) {
    const ErrorTraits& has = traits(kind_at(i));
    EXPECT_EQ(has.kind, kind_at(i));
    EXPECT_FALSE(has.code.empty());
    EXPECT_TRUE(codes.insert(has.code).second) << has.code;
    EXPECT_EQ(has.code.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string_view::npos) << has.code;
  }
}

TEST(ErrorTable, GivesEveryAnswerableErrorAnErrorStatusAndAType) {
  for (std::size_t i = 0; i < kKinds; ++i) {
    const ErrorTraits& has = traits(kind_at(i));
    const bool nobody_left = has.kind == kClientGone || has.kind == kClientStalled;
    EXPECT_EQ(has.status == 0, nobody_left) << has.code;
    if (nobody_left) continue;
    EXPECT_GE(has.status, 400) << has.code;
    EXPECT_LT(has.status, 600) << has.code;
    EXPECT_FALSE(has.type.empty()) << has.code;
  }
}

TEST(ErrorTable, NeverTellsAnSdkToRepeatARequestThatIsItselfAtFault) {
  for (std::size_t i = 0; i < kKinds; ++i) {
    const ErrorTraits& has = traits(kind_at(i));
    if (has.status < 400 || has.status >= 500 || has.status == 408 || has.status == 429) continue;
    EXPECT_FALSE(has.should_retry) << has.code;
    EXPECT_FALSE(has.may_fall_back) << has.code;
    EXPECT_EQ(has.outcome, Outcome::kRejected) << has.code;
  }
}

TEST(ErrorTable, TellsAnSdkToRepeatWhatALimitTurnedAway) {
  EXPECT_TRUE(traits(kConcurrencyExceeded).should_retry);
  EXPECT_FALSE(traits(kConcurrencyExceeded).may_fall_back);
  EXPECT_EQ(traits(kConcurrencyExceeded).outcome, Outcome::kRateLimited);
}

TEST(ErrorTable, NeverFallsBackOnceTheClientIsGone) {
  for (ErrorKind kind : {kClientGone, kClientStalled}) {
    EXPECT_FALSE(traits(kind).may_fall_back);
    EXPECT_FALSE(traits(kind).should_retry);
  }
}

TEST(ErrorTable, CallsNoErrorAGoodOutcome) {
  for (std::size_t i = 0; i < kKinds; ++i) {
    EXPECT_NE(traits(kind_at(i)).outcome, Outcome::kOk);
    EXPECT_NE(traits(kind_at(i)).outcome, Outcome::kCacheHit);
  }
}

TEST(OutcomeNames, AreTheClosedSetOfTheRecord) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kOutcomes; ++i) names.insert(to_string(static_cast<Outcome>(i)));
  EXPECT_EQ(names, (std::set<std::string_view>{"ok", "cache_hit", "rejected", "rate_limited", "shed", "client_abort",
                                               "client_stalled", "upstream_error", "upstream_truncated", "timeout",
                                               "internal"}));
}

TEST(AnError, SpeaksForItsKindUnlessAnUpstreamSaidOtherwise) {
  Error error;
  error.kind = kUpstreamStatus;
  EXPECT_EQ(error.http_status(), 502);
  EXPECT_EQ(error.error_type(), "server_error");
  error.status = 429;
  error.type = "rate_limit_error";
  error.code = "tokens";
  EXPECT_EQ(error.http_status(), 429);
  EXPECT_EQ(error.error_type(), "rate_limit_error");
  EXPECT_EQ(error.error_code(), "tokens");
}

}  // namespace
}  // namespace sluice
