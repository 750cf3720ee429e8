// Dates and times of the calendar (RFC 3339 section 5.6), in UTC.

#include <cstdio>

#include "sluice/config/units.hpp"
#include "sluice/core/text.hpp"

namespace sluice::config {
namespace {

using Error = std::unexpected<std::string>;
using std::chrono::sys_days;
using std::chrono::sys_seconds;
using namespace std::chrono_literals;

constexpr std::string_view kDayAdvice = "write a date, e.g. 2026-12-31";
constexpr std::string_view kInstantAdvice =
    "write a date or a date and a time, e.g. 2026-12-31 or 2026-12-31T18:00:00Z";

constexpr sys_seconds kFirst{};
constexpr sys_seconds kLast = sys_days(std::chrono::year(9999) / 12 / 31) + 24h - 1s;

// Takes characters off the front of a text; once one was wrong, it stays wrong.
class Taker {
 public:
  explicit Taker(std::string_view text) : rest_(text) {}

  int number(std::size_t digits) {
    int out = 0;
    for (; digits > 0; --digits) out = out * 10 + digit();
    return out;
  }
  void mark(char c) {
    good_ = good_ && rest_.starts_with(c);
    rest_.remove_prefix(good_ ? 1 : 0);
  }
  // Whether one of `marks` is next; takes it.
  char any(std::string_view marks) {
    if (rest_.empty() || marks.find(rest_.front()) == marks.npos) return '\0';
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }
  bool at_end() const { return rest_.empty(); }
  bool good() const { return good_; }
  void fail() { good_ = false; }
  bool at_digit() const { return !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; }

 private:
  int digit() {
    good_ = good_ && at_digit();
    if (!good_) return 0;
    const int value = rest_.front() - '0';
    rest_.remove_prefix(1);
    return value;
  }

  std::string_view rest_;
  bool good_ = true;
};

sys_days take_day(Taker& text) {
  const std::chrono::year year(text.number(4));
  text.mark('-');
  const std::chrono::month month(static_cast<unsigned>(text.number(2)));
  text.mark('-');
  const std::chrono::year_month_day day(year, month, std::chrono::day(static_cast<unsigned>(text.number(2))));
  if (!day.ok() || year < std::chrono::year(1970)) text.fail();
  return text.good() ? sys_days(day) : sys_days();
}

std::chrono::seconds take_clock(Taker& text) {
  const int hours = text.number(2);
  text.mark(':');
  const int minutes = text.number(2);
  text.mark(':');
  const int seconds = text.number(2);
  if (hours > 23 || minutes > 59 || seconds > 59) text.fail();
  if (text.any(".") != '\0') {
    text.number(1);
    while (text.at_digit()) text.number(1);
  }
  return hours * 1h + minutes * 1min + seconds * 1s;
}

std::chrono::seconds take_offset(Taker& text) {
  if (text.any("Zz") != '\0') return 0s;
  const char sign = text.any("+-");
  if (sign == '\0') text.fail();
  const int hours = text.number(2);
  text.mark(':');
  const int minutes = text.number(2);
  if (hours > 23 || minutes > 59) text.fail();
  return (hours * 1h + minutes * 1min) * (sign == '-' ? -1 : 1);
}

}  // namespace

std::expected<sys_days, std::string> parse_day(std::string_view text) {
  Taker taker(text);
  const auto day = take_day(taker);
  if (!taker.good() || !taker.at_end()) return Error(std::string(kDayAdvice));
  return day;
}

std::expected<sys_seconds, std::string> parse_instant(std::string_view text) {
  Taker taker(text);
  sys_seconds instant = take_day(taker);
  if (taker.good() && taker.at_end()) return instant;
  if (taker.any("Tt") == '\0') taker.fail();
  instant += take_clock(taker);
  instant -= take_offset(taker);
  if (instant < kFirst || instant > kLast) taker.fail();
  if (!taker.good() || !taker.at_end()) return Error(std::string(kInstantAdvice));
  return instant;
}

std::string format_day(sys_days day) {
  const std::chrono::year_month_day date(day);
  char out[40];
  const int size = std::snprintf(out, sizeof out, "%04d-%02u-%02u", static_cast<int>(date.year()),
                                 static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  return {out, static_cast<std::size_t>(size)};
}

std::string format_instant(sys_seconds instant) {
  const auto day = std::chrono::floor<std::chrono::days>(instant);
  const std::chrono::hh_mm_ss clock(instant - day);
  char out[40];
  const int size = std::snprintf(out, sizeof out, "T%02ld:%02ld:%02ldZ", clock.hours().count(), clock.minutes().count(),
                                 clock.seconds().count());
  return format_day(day).append(out, static_cast<std::size_t>(size));
}

}  // namespace sluice::config
