#pragma once
// How long a server asks to wait (RFC 9110 section 10.2.3, and OpenAI's retry-after-ms).

#include <chrono>
#include <optional>
#include <string_view>

namespace sluice::http {

// `retry_after_ms` wins over `retry_after` (seconds, also fractional, or an HTTP date). Nothing if neither can be
// read or the time is past. Not capped short of 10^12 ms.
std::optional<std::chrono::milliseconds> parse_retry_after(std::string_view retry_after_ms,
                                                           std::string_view retry_after,
                                                           std::chrono::system_clock::time_point now);

}  // namespace sluice::http
