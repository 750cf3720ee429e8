// Counts, allowances, budgets and prices; durations and sizes are in units.cpp.

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <system_error>
#include <utility>

#include "sluice/config/units.hpp"
#include "sluice/core/text.hpp"

namespace sluice::config {
namespace {

using Error = std::unexpected<std::string>;
using std::chrono::seconds;
using namespace std::chrono_literals;

constexpr std::pair<char, std::int64_t> kSuffixes[] = {{'M', 1'000'000}, {'k', 1000}};
constexpr std::pair<std::string_view, seconds> kWindows[] = {
    {"s", 1s}, {"min", 1min}, {"h", 1h}, {"d", 24h}, {"month", 24h * 30}};
constexpr Period kPeriods[] = {Period::kDay, Period::kWeek, Period::kMonth, Period::kTotal};
constexpr auto kMostBudget = Money::nanodollars(1'000'000'000'000'000'000);
constexpr std::int64_t kNanoPerMillionth =
    1000;  // a price per million tokens, in nano-dollars, to one per token in pico

struct Parts {
  std::string_view amount;
  std::string_view unit;
};

// At the last slash; without one the unit is empty.
Parts split(std::string_view text) {
  const auto slash = text.rfind('/');
  if (slash == text.npos) return {text, {}};
  return {text.substr(0, slash), text.substr(slash + 1)};
}

bool is_digits(std::string_view text, std::size_t most) {
  return !text.empty() && text.size() <= most && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::expected<std::uint32_t, std::string> parse_share(std::string_view text) {
  constexpr std::size_t kDecimals = 4;
  constexpr std::uint32_t kHundred = 1'000'000;
  const Error wrong("write a percentage with at most four decimals, e.g. 10% or 0.5%");
  if (!text.ends_with('%')) return wrong;
  text.remove_suffix(1);
  const auto point = text.find('.');
  const auto whole = text.substr(0, point);
  const auto decimals = point == text.npos ? std::string_view("0") : text.substr(point + 1);
  if (!is_digits(whole, 3) || !is_digits(decimals, kDecimals)) return wrong;
  const std::string digits = std::string(whole) + std::string(decimals) + std::string(kDecimals - decimals.size(), '0');
  std::uint32_t number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (number > kHundred) return Error("is more than 100%");
  return number;
}

std::expected<std::int64_t, std::string> parse_count(std::string_view text) {
  constexpr std::string_view kAdvice = "write a whole number, if need be with k or M, e.g. 200k";
  std::int64_t factor = 1;
  for (const auto& [letter, power] : kSuffixes) {
    if (!text.ends_with(letter)) continue;
    text.remove_suffix(1);
    factor = power;
    break;
  }
  std::int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error == std::errc::result_out_of_range) return Error("the number is too large");
  if (error != std::errc() || rest != end) return Error(std::string(kAdvice));
  if (number < 0 || text.front() == '-') return Error("must not be negative");
  if (number > kMostCount / factor) return Error("the number is too large");
  return number * factor;
}

std::string format_count(std::int64_t count) {
  std::string out;
  for (const auto& [letter, power] : kSuffixes) {
    if (count == 0 || count % power != 0) continue;
    append_number(out, count / power);
    return out + letter;
  }
  append_number(out, count);
  return out;
}

std::expected<Allowance, std::string> parse_allowance(std::string_view text) {
  const auto [amount, unit] = split(text);
  if (unit.empty()) return Error("write how many in which time, e.g. 600/min");
  const auto window = std::ranges::find(kWindows, unit, &std::pair<std::string_view, seconds>::first);
  if (window == std::end(kWindows)) return Error("after the slash comes s, min, h, d or month, e.g. 600/min");
  const auto count = parse_count(amount);
  if (!count) return Error(count.error());
  return Allowance{*count, window->second};
}

std::string format_allowance(const Allowance& allowance) {
  const auto window = std::ranges::find(kWindows, allowance.window, &std::pair<std::string_view, seconds>::second);
  const bool known = window != std::end(kWindows);
  return format_count(allowance.count) + "/" + (known ? std::string(window->first) : "?");
}

std::expected<Spending, std::string> parse_spending(std::string_view text) {
  const auto [amount, unit] = split(text);
  if (unit.empty()) return Error("write an amount and its period, e.g. 500 USD/month");
  const auto period = std::ranges::find(kPeriods, unit, [](Period one) { return to_string(one); });
  if (period == std::end(kPeriods)) return Error("after the slash comes day, week, month or total, e.g. 500 USD/month");
  const auto limit = parse_money(amount);
  if (!limit) return Error(limit.error());
  if (*limit > kMostBudget) return Error("the amount is too large");
  return Spending{*limit, *period};
}

std::string format_spending(const Spending& spending) {
  return to_string(spending.limit) + "/" + std::string(to_string(spending.period));
}

std::expected<Price, std::string> parse_price(std::string_view text) {
  const auto million = parse_money(text);
  if (!million) return Error("write what a million tokens cost, with at most six decimals, e.g. 2.50 USD");
  if (million->nanodollars() % kNanoPerMillionth != 0) return Error("a price has at most six decimals");
  return Price::picodollars(million->nanodollars() / kNanoPerMillionth);
}

std::string format_price(Price price) {
  std::int64_t nano = 0;
  const bool over = __builtin_mul_overflow(price.picodollars(), kNanoPerMillionth, &nano);
  return to_string(Money::nanodollars(over ? std::numeric_limits<std::int64_t>::max() : nano));
}

}  // namespace sluice::config
