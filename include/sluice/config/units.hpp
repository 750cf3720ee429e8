#pragma once
// Quantities as an admin writes them: a number and a unit, nothing between them but the space before USD. The error is
// a sentence for the admin; it never repeats the input, which may come from the environment.

#include <chrono>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "sluice/core/admission.hpp"

namespace sluice::config {

// ms, s, m or min, h, d: "250ms", "10min". Refuses what milliseconds cannot hold.
std::expected<std::chrono::milliseconds, std::string> parse_duration(std::string_view text);

// B, KB, MB, GB (powers of 1000), KiB, MiB, GiB (powers of 1024): "512B", "64MiB". Refuses more than 2^63-1 bytes.
std::expected<std::uint64_t, std::string> parse_size(std::string_view text);

// A size and "/s", up to MiB: "1KiB/s". Bytes per second; refuses what parse_size() does.
std::expected<std::uint64_t, std::string> parse_rate(std::string_view text);

// The shortest spelling the parsers read back as the same value: "90s", "2h", "64KiB".
std::string format_duration(std::chrono::milliseconds value);
std::string format_size(std::uint64_t bytes);
std::string format_rate(std::uint64_t bytes_per_second);

// "600", "200k", "3M": a whole number, k and M being powers of 1000. At most kMostCount.
inline constexpr std::int64_t kMostCount = 1'000'000'000'000'000;
std::expected<std::int64_t, std::string> parse_count(std::string_view text);
std::string format_count(std::int64_t count);

// "10%", "0.5%": at most four decimals, at most 100%. In millionths.
std::expected<std::uint32_t, std::string> parse_share(std::string_view text);

// So many in any span of so long.
struct Allowance {
  std::int64_t count = 0;
  std::chrono::seconds window{60};
  bool operator==(const Allowance&) const = default;
};
// A count per s, min, h, d or month, which is 30 days: "600/min", "200k/d".
std::expected<Allowance, std::string> parse_allowance(std::string_view text);
std::string format_allowance(const Allowance& allowance);

// So much in each period of the calendar.
struct Spending {
  Money limit;
  Period period = Period::kMonth;
  bool operator==(const Spending&) const = default;
};
// "500 USD/month": an amount, at most a billion dollars, per day, week, month or total.
std::expected<Spending, std::string> parse_spending(std::string_view text);
std::string format_spending(const Spending& spending);

// What a million tokens cost: "2.50 USD", at most six decimals, so that one token costs whole pico-dollars.
std::expected<Price, std::string> parse_price(std::string_view text);
std::string format_price(Price price);

// RFC 3339: a date, "2026-12-31", is its first second in UTC; a date-time, "2026-12-31T18:00:00+01:00", has seconds and
// an offset; fractions of a second are dropped. Years 1970 to 9999.
std::expected<std::chrono::sys_seconds, std::string> parse_instant(std::string_view text);
std::expected<std::chrono::sys_days, std::string> parse_day(std::string_view text);
std::string format_instant(std::chrono::sys_seconds instant);  // "2026-12-31T17:00:00Z"
std::string format_day(std::chrono::sys_days day);

}  // namespace sluice::config
