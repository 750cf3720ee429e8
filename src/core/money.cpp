#include "sluice/core/money.hpp"

#include <charconv>
#include <limits>

namespace sluice {
namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kPerDollar = 1'000'000'000;
constexpr std::size_t kDecimals = 9;

std::int64_t saturated(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return b > 0 ? kMost : kLeast;
}

// Digits only.
bool read_digits(std::string_view text, std::int64_t& number) {
  const char* end = text.data() + text.size();
  if (text.empty() || text.front() == '-') return false;
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && rest == end;
}

std::unexpected<std::string> wrong() {
  return std::unexpected<std::string>("write an amount of dollars with at most nine decimals, e.g. 0.01 USD");
}

std::expected<Money, std::string> read_amount(std::string_view text) {
  const auto point = text.find('.');
  const auto decimals = point == text.npos ? std::string_view("0") : text.substr(point + 1);
  std::int64_t whole = 0;
  std::int64_t part = 0;
  if (!read_digits(text.substr(0, point), whole) || !read_digits(decimals, part) || decimals.size() > kDecimals) {
    return wrong();
  }
  for (std::size_t i = decimals.size(); i < kDecimals; ++i) part *= 10;
  if (whole > kMost / kPerDollar - 1) return std::unexpected<std::string>("the amount is too large");
  return Money::nanodollars(whole * kPerDollar + part);
}

}  // namespace

Money& Money::operator+=(Money other) {
  nano_ = saturated(nano_, other.nano_);
  return *this;
}

Money& Money::operator-=(Money other) {
  nano_ = saturated(nano_, other.nano_ == kLeast ? kMost : -other.nano_);
  return *this;
}

std::expected<Money, std::string> parse_money(std::string_view text) {
  constexpr std::string_view kUnit = " USD";
  if (!text.ends_with(kUnit)) return wrong();
  text.remove_suffix(kUnit.size());
  return read_amount(text);
}

std::optional<Money> from_decimal(std::string_view text) {
  const bool negative = text.starts_with('-');
  const auto amount = read_amount(text.substr(negative ? 1 : 0));
  if (!amount) return std::nullopt;
  return negative ? Money() - *amount : *amount;
}

std::string to_decimal(Money amount) {
  const bool negative = amount.nanodollars() < 0;
  const auto nano = negative ? 0 - static_cast<std::uint64_t>(amount.nanodollars())
                             : static_cast<std::uint64_t>(amount.nanodollars());
  std::string text = (negative ? "-" : "") + std::to_string(nano / kPerDollar);
  std::string part = std::to_string(nano % kPerDollar);
  part.insert(0, kDecimals - part.size(), '0');
  part.erase(part.find_last_not_of('0') + 1);
  return part.empty() ? text : text + "." + part;
}

std::string to_string(Money amount) { return to_decimal(amount) + " USD"; }

Money Price::times(std::int64_t count) const {
  std::int64_t pico = 0;
  if (count <= 0 || pico_ <= 0) return {};
  if (__builtin_mul_overflow(pico_, count, &pico)) return Money::nanodollars(kMost);
  return Money::nanodollars(pico / 1000 + (pico % 1000 != 0 ? 1 : 0));
}

}  // namespace sluice
