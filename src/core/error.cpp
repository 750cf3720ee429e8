#include "sluice/core/error.hpp"

#include <array>

namespace sluice {
namespace {

constexpr std::string_view kInvalid = "invalid_request_error";
constexpr std::string_view kServer = "server_error";
constexpr std::string_view kUnavailable = "service_unavailable_error";
constexpr std::string_view kTimeoutType = "timeout_error";
constexpr std::string_view kAuth = "authentication_error";
constexpr std::string_view kPermission = "permission_error";
constexpr std::string_view kRate = "rate_limit_error";
constexpr std::string_view kQuota = "insufficient_quota";

using enum ErrorKind;

constexpr std::array kTable = {
    // kind, HTTP status, type, code, outcome, may_fall_back, should_retry
    ErrorTraits{kMalformedRequest, 400, kInvalid, "malformed_request", Outcome::kRejected, false, false},
    ErrorTraits{kRequestTimeout, 408, kTimeoutType, "request_timeout", Outcome::kRejected, false, true},
    ErrorTraits{kUriTooLong, 414, kInvalid, "uri_too_long", Outcome::kRejected, false, false},
    ErrorTraits{kHeadersTooLarge, 431, kInvalid, "headers_too_large", Outcome::kRejected, false, false},
    ErrorTraits{kRequestTooLarge, 413, kInvalid, "request_too_large", Outcome::kRejected, false, false},
    ErrorTraits{kExpectationFailed, 417, kInvalid, "expectation_failed", Outcome::kRejected, false, false},
    ErrorTraits{kUnsupportedMediaType, 415, kInvalid, "unsupported_content_type", Outcome::kRejected, false, false},
    ErrorTraits{kUnsupportedContentEncoding, 415, kInvalid, "unsupported_content_encoding", Outcome::kRejected, false,
                false},
    ErrorTraits{kUnknownRoute, 404, kInvalid, "unknown_url", Outcome::kRejected, false, false},
    ErrorTraits{kMethodNotAllowed, 405, kInvalid, "method_not_allowed", Outcome::kRejected, false, false},
    ErrorTraits{kInvalidJson, 400, kInvalid, "invalid_json", Outcome::kRejected, false, false},
    ErrorTraits{kDuplicateKey, 400, kInvalid, "duplicate_key", Outcome::kRejected, false, false},
    ErrorTraits{kJsonTooDeep, 400, kInvalid, "json_too_deep", Outcome::kRejected, false, false},
    ErrorTraits{kMissingField, 400, kInvalid, "missing_required_parameter", Outcome::kRejected, false, false},
    ErrorTraits{kInvalidValue, 400, kInvalid, "invalid_value", Outcome::kRejected, false, false},
    ErrorTraits{kUnsupportedParameter, 400, kInvalid, "unsupported_parameter", Outcome::kRejected, false, false},
    ErrorTraits{kModelNotFound, 404, kInvalid, "model_not_found", Outcome::kRejected, false, false},
    ErrorTraits{kInvalidApiKey, 401, kAuth, "invalid_api_key", Outcome::kRejected, false, false},
    ErrorTraits{kTooManyAuthFailures, 429, kRate, "auth_rate_exceeded", Outcome::kRejected, false, false},
    ErrorTraits{kLoopbackOnly, 403, kPermission, "loopback_only", Outcome::kRejected, false, false},
    ErrorTraits{kModelNotAllowed, 403, kPermission, "model_not_allowed", Outcome::kRejected, false, false},
    ErrorTraits{kEndpointNotAllowed, 403, kPermission, "endpoint_not_allowed", Outcome::kRejected, false, false},
    ErrorTraits{kRateLimited, 429, kRate, "rate_limit_exceeded", Outcome::kRateLimited, false, true},
    ErrorTraits{kConcurrencyExceeded, 429, kRate, "concurrency_exceeded", Outcome::kRateLimited, false, true},
    ErrorTraits{kBudgetExceeded, 429, kQuota, kQuota, Outcome::kRateLimited, false, false},
    ErrorTraits{kRunStopped, 429, kRate, "run_stopped", Outcome::kRateLimited, false, false},
    ErrorTraits{kNotCached, 504, kInvalid, "not_cached", Outcome::kRejected, false, false},
    ErrorTraits{kProviderOff, 503, kUnavailable, "provider_off", Outcome::kRejected, true, false},
    ErrorTraits{kPriceUnknown, 503, kUnavailable, "price_unknown", Outcome::kRejected, true, false},
    ErrorTraits{kBudgetUnavailable, 503, kUnavailable, "budget_unavailable", Outcome::kShed, false, true},
    ErrorTraits{kRedisUnavailable, 503, kUnavailable, "redis_unavailable", Outcome::kInternal, false, true},
    ErrorTraits{kOverloaded, 503, kUnavailable, "server_is_overloaded", Outcome::kShed, false, true},
    ErrorTraits{kDraining, 503, kUnavailable, "draining", Outcome::kShed, false, true},
    ErrorTraits{kInternal, 500, kServer, "internal_error", Outcome::kInternal, false, true},
    ErrorTraits{kNoHealthyUpstream, 503, kUnavailable, "no_healthy_upstream", Outcome::kUpstreamError, true, false},
    ErrorTraits{kUpstreamConnectFailed, 502, kServer, "upstream_connect_failed", Outcome::kUpstreamError, true, true},
    ErrorTraits{kUpstreamTls, 502, kServer, "upstream_tls_error", Outcome::kUpstreamError, true, false},
    ErrorTraits{kUpstreamTimeout, 504, kServer, "upstream_timeout", Outcome::kTimeout, true, true},
    ErrorTraits{kUpstreamIdleTimeout, 504, kServer, "upstream_idle_timeout", Outcome::kTimeout, true, true},
    ErrorTraits{kUpstreamReset, 502, kServer, "upstream_connection_lost", Outcome::kUpstreamError, true, true},
    ErrorTraits{kUpstreamInvalidResponse, 502, kServer, "upstream_invalid_response", Outcome::kUpstreamError, true,
                true},
    ErrorTraits{kUpstreamInvalidEvent, 502, kServer, "upstream_invalid_event", Outcome::kUpstreamError, true, true},
    ErrorTraits{kUpstreamEventTooBig, 502, kServer, "upstream_event_too_big", Outcome::kUpstreamError, true, false},
    ErrorTraits{kUpstreamTruncated, 502, kServer, "upstream_stream_truncated", Outcome::kUpstreamTruncated, true, true},
    ErrorTraits{kUpstreamAuth, 502, kServer, "upstream_auth_failed", Outcome::kUpstreamError, true, false},
    ErrorTraits{kUpstreamStatus, 502, kServer, "upstream_error", Outcome::kUpstreamError, true, true},
    ErrorTraits{kClientGone, 0, "", "client_gone", Outcome::kClientAbort, false, false},
    ErrorTraits{kClientStalled, 0, "", "client_stalled", Outcome::kClientStalled, false, false},
};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kTable.size(); ++i) {
    if (kTable[i].kind != static_cast<ErrorKind>(i)) return false;
  }
  return kTable.size() == static_cast<std::size_t>(ErrorKind::kClientStalled) + 1;
}
static_assert(in_order(), "the table follows the enumeration");

constexpr std::array<std::string_view, kOutcomes> kOutcomeNames = {
    "ok",           "cache_hit",      "rejected",       "rate_limited",       "shed",
    "client_abort", "client_stalled", "upstream_error", "upstream_truncated", "timeout",
    "internal"};

}  // namespace

const ErrorTraits& traits(ErrorKind kind) { return kTable[static_cast<std::size_t>(kind)]; }

bool is_refusal(const Error& error) {
  return error.kind == kUpstreamStatus || error.kind == kUpstreamAuth || error.kind == kUpstreamConnectFailed ||
         error.kind == kUpstreamTls;
}

std::string_view to_string(Outcome outcome) { return kOutcomeNames[static_cast<std::size_t>(outcome)]; }

std::string_view to_string(Origin origin) {
  constexpr std::array<std::string_view, 3> kNames = {"client", "gateway", "provider"};
  return kNames[static_cast<std::size_t>(origin)];
}

Origin origin_of(ErrorKind kind) {
  if (kind < kProviderOff || kind >= kClientGone) return Origin::kClient;
  return kind < kUpstreamConnectFailed ? Origin::kGateway : Origin::kProvider;
}

}  // namespace sluice
