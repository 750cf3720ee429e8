#include "routing/rate_limit_fields.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <ctime>
#include <string>

#include "routing/span_text.hpp"
#include "sluice/core/text.hpp"
#include "sluice/http/retry_after.hpp"

namespace sluice::routing {
namespace {

using std::chrono::milliseconds;
using std::chrono::sys_seconds;
using WallTime = std::chrono::system_clock::time_point;
using Ms = std::chrono::duration<double, std::milli>;
using MaybeWait = std::optional<milliseconds>;

constexpr double kLeastEpoch = 1e8;     // 1973, or three years of seconds
constexpr double kLeastEpochMs = 1e11;  // 1973 again
constexpr double kMostEpochMs = 1e14;
constexpr std::size_t kLongestDate = 40;
constexpr std::size_t kTextLooked = 16 * 1024;

enum class Part : std::uint8_t { kLimit, kRemaining, kReset };

struct Name {
  std::string_view name;
  Quota RateLimits::* quota;
  Part part;
};
constexpr Name kNames[] = {
    {"x-ratelimit-limit-requests", &RateLimits::requests, Part::kLimit},
    {"x-ratelimit-remaining-requests", &RateLimits::requests, Part::kRemaining},
    {"x-ratelimit-reset-requests", &RateLimits::requests, Part::kReset},
    {"x-ratelimit-limit-tokens", &RateLimits::tokens, Part::kLimit},
    {"x-ratelimit-remaining-tokens", &RateLimits::tokens, Part::kRemaining},
    {"x-ratelimit-reset-tokens", &RateLimits::tokens, Part::kReset},
    {"x-ratelimit-limit", &RateLimits::requests, Part::kLimit},
    {"x-ratelimit-remaining", &RateLimits::requests, Part::kRemaining},
    {"x-ratelimit-reset", &RateLimits::requests, Part::kReset},
    {"anthropic-ratelimit-requests-limit", &RateLimits::requests, Part::kLimit},
    {"anthropic-ratelimit-requests-remaining", &RateLimits::requests, Part::kRemaining},
    {"anthropic-ratelimit-requests-reset", &RateLimits::requests, Part::kReset},
    {"anthropic-ratelimit-tokens-limit", &RateLimits::tokens, Part::kLimit},
    {"anthropic-ratelimit-tokens-remaining", &RateLimits::tokens, Part::kRemaining},
    {"anthropic-ratelimit-tokens-reset", &RateLimits::tokens, Part::kReset},
};
constexpr std::string_view kPhrases[] = {"try again in ", "retry in ", "retry after "};

std::optional<std::int64_t> parse_count(std::string_view text) {
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size() || count < 0) return std::nullopt;
  return count;
}

milliseconds capped(Ms span) {
  return milliseconds(static_cast<std::int64_t>(std::ceil(std::min(span, Ms(kLongestReset)).count())));
}

// `fraction` of a second belongs to the date.
MaybeWait until(sys_seconds date, Ms fraction, WallTime now) {
  const auto second = std::chrono::floor<std::chrono::seconds>(now);
  const Ms wait = Ms(std::min<std::chrono::seconds>(date - second, 2 * kLongestReset)) + fraction - Ms(now - second);
  if (wait <= Ms(0)) return std::nullopt;
  return capped(wait);
}

// A number so large that it can only be a moment.
MaybeWait parse_epoch(std::string_view text, WallTime now) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (!(number >= kLeastEpoch && number < kMostEpochMs)) return std::nullopt;
  const Ms since = number >= kLeastEpochMs ? Ms(number) : Ms(number * 1000);
  const auto whole = std::chrono::floor<std::chrono::seconds>(since);
  return until(sys_seconds(whole), since - Ms(whole), now);
}

// The end of an RFC 3339 time: Z or an offset, which is taken from the local time to get UTC.
std::optional<std::chrono::seconds> parse_zone(std::string_view text) {
  if (text == "Z" || text == "z") return std::chrono::seconds(0);
  int hours = 0;
  int minutes = 0;
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return std::nullopt;
  const bool good = std::from_chars(&text[1], &text[3], hours).ptr == &text[3] &&
                    std::from_chars(&text[4], text.data() + 6, minutes).ptr == text.data() + 6;
  if (!good || hours < 0 || minutes < 0) return std::nullopt;
  const std::chrono::seconds offset = std::chrono::hours(hours) + std::chrono::minutes(minutes);
  return text[0] == '+' ? offset : -offset;
}

MaybeWait parse_rfc3339(std::string_view text, WallTime now) {
  if (text.size() > kLongestDate) return std::nullopt;
  const std::string copy(text);
  std::tm parts{};
  const char* at = ::strptime(copy.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (at == nullptr) return std::nullopt;
  const char* const end = copy.c_str() + copy.size();
  double fraction = 0;
  if (*at == '.') {
    const auto [after, error] = std::from_chars(at, end, fraction, std::chars_format::fixed);
    if (error != std::errc()) return std::nullopt;
    at = after;
  }
  const auto zone = parse_zone({at, end});
  if (!zone) return std::nullopt;
  return until(sys_seconds(std::chrono::seconds(::timegm(&parts)) - *zone), Ms(fraction * 1000), now);
}

MaybeWait google_delay(std::string_view body) {
  constexpr std::string_view kName = "\"retryDelay\"";
  const auto found = body.find(kName);
  if (found == std::string_view::npos) return std::nullopt;
  const auto value = body.find_first_not_of(" \t\r\n:\"", found + kName.size());
  if (value == std::string_view::npos) return std::nullopt;
  const auto span = leading_span(body.substr(value));
  return span ? MaybeWait(capped(span->span)) : std::nullopt;
}

MaybeWait shortened(MaybeWait wait) {
  return wait ? MaybeWait(std::min<milliseconds>(*wait, kLongestReset)) : std::nullopt;
}

}  // namespace

MaybeWait parse_reset(std::string_view text, WallTime now) {
  if (const auto span = leading_span(text); span && span->length == text.size()) return capped(span->span);
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && number >= kLeastEpoch) return parse_epoch(text, now);
  if (const auto wait = parse_rfc3339(text, now)) return wait;
  return shortened(http::parse_retry_after({}, text, now));
}

MaybeWait wait_in_text(std::string_view body) {
  const std::string_view looked = body.substr(0, kTextLooked);
  if (const auto delay = google_delay(looked)) return delay;
  for (const std::string_view phrase : kPhrases) {
    const auto found = looked.find(phrase);
    if (found == std::string_view::npos) continue;
    if (const auto span = leading_span(looked.substr(found + phrase.size()))) return capped(span->span);
  }
  return std::nullopt;
}

MaybeWait wait_told(const http::Head& head, std::string_view body, WallTime now) {
  const auto wait = http::parse_retry_after(head.get("retry-after-ms"), head.get("retry-after"), now);
  return wait ? shortened(wait) : wait_in_text(body);
}

MaybeWait longest_reset(const RateLimits& limits) {
  MaybeWait longest;
  for (const Quota& quota : {limits.requests, limits.tokens}) {
    if (quota.resets_in && quota.remaining.value_or(0) == 0) longest = std::max(longest, quota.resets_in);
  }
  return longest;
}

RateLimits read_rate_limits(const http::Head& head, WallTime now) {
  RateLimits limits;
  for (const http::Field& field : head.fields) {
    const auto* const known =
        std::ranges::find_if(kNames, [&](const Name& one) { return equals_ignore_case(one.name, field.name); });
    if (known == std::end(kNames)) continue;
    Quota& quota = limits.*(known->quota);
    if (known->part == Part::kLimit && !quota.limit) quota.limit = parse_count(field.value);
    if (known->part == Part::kRemaining && !quota.remaining) quota.remaining = parse_count(field.value);
    if (known->part == Part::kReset && !quota.resets_in) quota.resets_in = parse_reset(field.value, now);
  }
  return limits;
}

}  // namespace sluice::routing
