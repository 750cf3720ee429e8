// How long an upstream asks to wait (F37). First line: retry-after-ms; the rest: retry-after.

#include "sluice/http/retry_after.hpp"

#include <charconv>
#include <cstdint>
#include <optional>

#include "fuzz/fuzz.hpp"

namespace sluice::fuzz {
namespace {

using namespace std::chrono;

constexpr sys_seconds kNow = sys_days(2026y / 11 / 21) + 5h;
constexpr milliseconds kLongest{1'000'000'000'000};

// Digits and nothing else, as nearly everybody sends it.
std::optional<std::int64_t> plain_number(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || text.starts_with('-')) return std::nullopt;
  return number;
}

int number_at(std::string_view text, std::size_t at, std::size_t digits) {
  return static_cast<int>(plain_number(text.substr(at, digits)).value_or(-1));
}

// "Sun, 06 Nov 1994 08:49:37 GMT" to the letter.
std::optional<sys_seconds> plain_date(std::string_view text) {
  constexpr std::string_view kShape = "www, dd mmm dddd dd:dd:dd GMT", kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  constexpr std::string_view kDays = "SunMonTueWedThuFriSat";
  if (text.size() != kShape.size()) return std::nullopt;
  for (std::size_t i = 0; i < kShape.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (kShape[i] == 'd' ? !digit : kShape[i] != 'w' && kShape[i] != 'm' && text[i] != kShape[i]) return std::nullopt;
  }
  const std::size_t month_at = kMonths.find(text.substr(8, 3)), day_at = kDays.find(text.substr(0, 3));
  if (month_at > 33 || month_at % 3 != 0 || day_at > 18 || day_at % 3 != 0) return std::nullopt;
  const year_month_day date{year(number_at(text, 12, 4)), month(static_cast<unsigned>(month_at / 3 + 1)),
                            day(static_cast<unsigned>(number_at(text, 5, 2)))};
  const int h = number_at(text, 17, 2), m = number_at(text, 20, 2), s = number_at(text, 23, 2);
  if (!date.ok() || h > 23 || m > 59 || s > 59) return std::nullopt;
  return sys_days(date) + hours(h) + minutes(m) + seconds(s);
}

std::optional<milliseconds> in_range(milliseconds wait) { return std::min(wait, kLongest); }

}  // namespace

void test(const Input& input) {
  const std::size_t line = std::min(input.bytes.find('\n'), input.bytes.size());
  const std::string_view ms = input.bytes.substr(0, line);
  const std::string_view other = input.bytes.substr(std::min(line + 1, input.bytes.size()));
  const auto wait = http::parse_retry_after(ms, other, kNow);
  if (wait) require(*wait >= 0ms && *wait <= kLongest, "a wait is neither negative nor endless");
  if (const auto first = http::parse_retry_after(ms, {}, kNow)) require(wait == first, "milliseconds win");
  constexpr std::int64_t kMost = kLongest.count();
  if (const auto number = plain_number(ms)) {
    require(wait == in_range(milliseconds(std::min(*number, kMost))), "plain milliseconds are what they say");
  }
  const auto alone = http::parse_retry_after({}, other, kNow);
  if (const auto number = plain_number(other)) {
    require(alone == in_range(seconds(std::min(*number, kMost))), "plain seconds are what they say");
  }
  if (const auto date = plain_date(other)) {
    const auto left = *date - kNow;
    require(alone == (left > 0s ? in_range(left) : std::nullopt), "a date is what it says, unless it is past");
  }
}

}  // namespace sluice::fuzz
