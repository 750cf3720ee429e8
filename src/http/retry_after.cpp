#include "sluice/http/retry_after.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <ctime>
#include <string>

namespace sluice::http {
namespace {

constexpr double kLongestMs = 1e12;
constexpr std::chrono::seconds kLongest{1'000'000'000};  // the same

std::optional<double> positive_number(std::string_view text) {
  double value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value) || value < 0) return {};
  return value;
}

// In whole seconds: a date may lie beyond what the clock's nanoseconds reach.
std::optional<std::chrono::sys_seconds> http_date(std::string_view text) {
  std::tm parts{};
  const std::string copy(text);
  const char* end = ::strptime(copy.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  if (end == nullptr || *end != '\0') return {};
  return std::chrono::sys_seconds(std::chrono::seconds(::timegm(&parts)));
}

std::optional<std::chrono::milliseconds> until(std::chrono::sys_seconds date,
                                               std::chrono::system_clock::time_point now) {
  const auto second = std::chrono::floor<std::chrono::seconds>(now);
  if (date <= second) return {};
  return std::chrono::ceil<std::chrono::milliseconds>(std::min(date - second, kLongest) - (now - second));
}

std::chrono::milliseconds from_ms(double ms) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(std::ceil(std::min(ms, kLongestMs))));
}

}  // namespace

std::optional<std::chrono::milliseconds> parse_retry_after(std::string_view retry_after_ms,
                                                           std::string_view retry_after,
                                                           std::chrono::system_clock::time_point now) {
  if (auto ms = positive_number(retry_after_ms)) return from_ms(*ms);
  if (auto seconds = positive_number(retry_after)) return from_ms(*seconds * 1000);
  if (auto date = http_date(retry_after)) return until(*date, now);
  return {};
}

}  // namespace sluice::http
