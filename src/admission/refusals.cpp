#include "admission/refusals.hpp"

#include "admission/node_limits.hpp"
#include "admission/rate_headers.hpp"

namespace sluice::admission {
namespace {

constexpr auto kLongestRetry = std::chrono::seconds(120);  // official SDKs sit out no longer wait

std::string when_in_words(const limit::Refusal& refusal) {
  return refusal.retry_after ? " Please try again in " + go_duration(*refusal.retry_after) + "." : std::string();
}

Error rate_error(const limit::Limit& limit, const limit::Refusal& refusal, std::int64_t wanted) {
  const std::string what = limit.node + " may use " + in_words(limit);
  if (!refusal.retry_after) {
    return fail(ErrorKind::kRateLimited, "Request too large: " + what + ", and this request may need " +
                                             std::to_string(wanted) + ". Ask for fewer tokens.")
        .error();
  }
  return fail(ErrorKind::kRateLimited, "Rate limit reached: " + what + "." + when_in_words(refusal)).error();
}

Error budget_error(const limit::Limit& limit, const limit::Refusal& refusal) {
  return fail(ErrorKind::kBudgetExceeded,
              "Budget exhausted: " + limit.node + " may spend " + in_words(limit) + "." + when_in_words(refusal))
      .error();
}

}  // namespace

Error refusal_error(const limit::Limit& limit, const limit::Refusal& refusal, std::int64_t wanted) {
  if (limit.meter == Meter::kConcurrency) {
    return fail(ErrorKind::kConcurrencyExceeded,
                "Too many requests at once: " + limit.node + " may have " + in_words(limit) + ".")
        .error();
  }
  Error error = limit.meter == Meter::kMoney ? budget_error(limit, refusal) : rate_error(limit, refusal, wanted);
  error.retry_after = refusal.retry_after;
  error.no_retry = !refusal.retry_after || *refusal.retry_after > kLongestRetry;
  return error;
}

}  // namespace sluice::admission
