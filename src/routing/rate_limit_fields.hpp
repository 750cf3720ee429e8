#pragma once
// What a provider says of its own limits: OpenAI's x-ratelimit-* fields and those who copied them, Anthropic's
// anthropic-ratelimit-*, and the wait that goes with a 429. What cannot be read, or cannot be meant, says nothing.
// Pure; any thread.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "sluice/http/head.hpp"

namespace sluice::routing {

struct Quota {
  std::optional<std::int64_t> limit;
  std::optional<std::int64_t> remaining;
  std::optional<std::chrono::milliseconds> resets_in;
};

struct RateLimits {
  Quota requests{};
  Quota tokens{};
};

inline constexpr std::chrono::hours kLongestReset{24};

// Of a field that comes twice the first one counts. Fields without a kind (x-ratelimit-remaining) mean requests.
RateLimits read_rate_limits(const http::Head& head, std::chrono::system_clock::time_point now);

// The time until a limit is full again: a duration as Go prints it ("6m0s", "20ms", "1d"), seconds, a moment as seconds
// or milliseconds since 1970, an RFC 3339 or an HTTP date. Rounded up; at most kLongestReset. Nothing for what lies in
// the past, is negative, no number or cannot be read.
std::optional<std::chrono::milliseconds> parse_reset(std::string_view text, std::chrono::system_clock::time_point now);

// The wait that the text of an error speaks of: "Please try again in 1.2s", "retry after 26 seconds", Google's
// "retryDelay": "34s". Looked for near the beginning only; at most kLongestReset.
std::optional<std::chrono::milliseconds> wait_in_text(std::string_view body);

// How long an answer asks to wait: its fields (http::parse_retry_after), else its body. At most kLongestReset.
std::optional<std::chrono::milliseconds> wait_told(const http::Head& head, std::string_view body,
                                                   std::chrono::system_clock::time_point now);

// When a 429 says no more than that: the longest reset of what is used up, or may be. What has something left did not
// cause it.
std::optional<std::chrono::milliseconds> longest_reset(const RateLimits& limits);

}  // namespace sluice::routing
