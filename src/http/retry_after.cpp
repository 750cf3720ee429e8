#include "sluice/http/retry_after.hpp"

#include <charconv>
#include <cmath>
#include <ctime>
#include <string>

namespace sluice::http {
namespace {

constexpr double kLongestMs = 1e12;

std::optional<double> positive_number(std::string_view text) {
  double value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value) || value < 0) return {};
  return value;
}

std::optional<std::chrono::system_clock::time_point> http_date(std::string_view text) {
  std::tm parts{};
  const std::string copy(text);
  const char* end = ::strptime(copy.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  if (end == nullptr || *end != '\0') return {};
  return std::chrono::system_clock::from_time_t(::timegm(&parts));
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
  if (auto date = http_date(retry_after); date && *date > now) {
    return std::chrono::ceil<std::chrono::milliseconds>(*date - now);
  }
  return {};
}

}  // namespace sluice::http
