#include "routing/blame.hpp"

#include <algorithm>
#include <array>

#include "sluice/core/text.hpp"

namespace sluice::routing {
namespace {

constexpr std::chrono::seconds kLongestRetryAfter{120};
constexpr std::array<std::string_view, 3> kLengthCodes = {"context_length_exceeded", "string_above_max_length",
                                                          "context_window_exceeded"};
constexpr std::array<std::string_view, 4> kPolicyCodes = {"content_filter", "content_policy_violation",
                                                          "ResponsibleAIPolicyViolation", "moderation_blocked"};
// As vendors without a code for it say it.
constexpr std::array<std::string_view, 4> kLengthWords = {"maximum context length", "context window",
                                                          "prompt is too long", "exceeds the context"};

template <std::size_t N>
bool is_one_of(std::string_view text, const std::array<std::string_view, N>& known) {
  return std::ranges::find(known, text) != known.end();
}

bool is_length(const Error& error) {
  if (is_one_of(error.code, kLengthCodes)) return true;
  return std::ranges::any_of(kLengthWords, [&](std::string_view words) { return error.message.contains(words); });
}

}  // namespace

Blame blame_of(const Error& error) {
  if (error.kind == ErrorKind::kUpstreamAuth) return Blame::kCredential;
  if (error.kind != ErrorKind::kUpstreamStatus) {
    return traits(error.kind).outcome == Outcome::kUpstreamError || traits(error.kind).outcome == Outcome::kTimeout ||
                   traits(error.kind).outcome == Outcome::kUpstreamTruncated
               ? Blame::kTarget
               : Blame::kNone;
  }
  if (error.status == 429) return Blame::kBusy;
  return error.status >= 500 || error.status == 408 ? Blame::kTarget : Blame::kNone;
}

std::string_view to_string(Reason reason) {
  constexpr std::array<std::string_view, 6> kNames = {"none",       "outage",         "rate_limit",
                                                      "credential", "context_length", "content_policy"};
  return kNames[static_cast<std::size_t>(reason)];
}

void tell_wait(Error& error, std::chrono::milliseconds wait) {
  error.retry_after = std::min<std::chrono::milliseconds>(wait, kLongestRetryAfter);
  error.no_retry = error.no_retry || wait > kLongestRetryAfter;
}

Reason reason_to_fall_back(const Error& error) {
  if (!traits(error.kind).may_fall_back) return Reason::kNone;
  switch (blame_of(error)) {
    case Blame::kBusy:
      return Reason::kRateLimit;
    case Blame::kCredential:
      return Reason::kCredential;
    case Blame::kTarget:
      return Reason::kOutage;
    case Blame::kNone:
      break;
  }
  if (error.kind != ErrorKind::kUpstreamStatus) return Reason::kOutage;  // a provider that is off, a price that lacks
  if (is_one_of(error.code, kPolicyCodes)) return Reason::kContentPolicy;
  return is_length(error) ? Reason::kContextLength : Reason::kNone;
}

}  // namespace sluice::routing
