#include "api/json_number.hpp"

#include <charconv>

#include "api/json_scan.hpp"
#include "sluice/api/json.hpp"

namespace sluice::json {
namespace {

constexpr std::int64_t kFarExponent = 1'000'000'000;  // beyond any number of digits a text can hold

std::int64_t exponent_of(std::string_view digits) {
  if (!digits.empty() && digits.front() == '+') digits.remove_prefix(1);
  std::int64_t exponent = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), exponent);
  if (error == std::errc::result_out_of_range || exponent > kFarExponent) {
    return digits.front() == '-' ? -kFarExponent : kFarExponent;
  }
  return exponent < -kFarExponent ? -kFarExponent : exponent;
}

// A decimal number as significand x 10^exponent, trailing zeros moved into the exponent.
struct Decimal {
  std::int64_t significand = 0;  // carries the sign
  std::int64_t exponent = 0;
  bool fits = true;  // the significand is within int64
};

bool scale(std::int64_t& value, std::int64_t tens) {
  if (value == 0) return true;
  if (tens > 18) return false;
  for (; tens > 0; --tens) {
    if (__builtin_mul_overflow(value, 10, &value)) return false;
  }
  return true;
}

Decimal read_decimal(std::string_view number) {
  Decimal out;
  const bool negative = number.front() == '-';
  if (negative) number.remove_prefix(1);
  const std::size_t e = number.find_first_of("eE");
  if (e != std::string_view::npos) out.exponent = exponent_of(number.substr(e + 1));
  bool fraction = false;
  std::int64_t zeros = 0;
  for (const char c : number.substr(0, e)) {
    if (c == '.') {
      fraction = true;
      continue;
    }
    if (fraction) --out.exponent;
    const int digit = negative ? '0' - c : c - '0';
    if (digit == 0) {
      ++zeros;
    } else {
      if (!scale(out.significand, zeros + 1) || __builtin_add_overflow(out.significand, digit, &out.significand)) {
        out.fits = false;
      }
      zeros = 0;
    }
  }
  out.exponent += zeros;
  return out;
}

// The power of ten of the first digit that is not zero; nothing for zero.
std::optional<std::int64_t> magnitude(std::string_view number) {
  const std::size_t e = std::min(number.find_first_of("eE"), number.size());
  const std::string_view digits = number.substr(0, e);
  const std::size_t first = digits.find_first_of("123456789");
  if (first == std::string_view::npos) return std::nullopt;
  const std::size_t point = std::min(digits.find('.'), digits.size());
  const std::int64_t exponent = e < number.size() ? exponent_of(number.substr(e + 1)) : 0;
  const auto distance = static_cast<std::int64_t>(point) - static_cast<std::int64_t>(first);
  return exponent + (distance > 0 ? distance - 1 : distance);
}

}  // namespace

bool overflows(std::string_view number) {
  double value = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  return error == std::errc::result_out_of_range && magnitude(number).value_or(0) > 0;
}

std::optional<std::int64_t> integer_of(Value value) {
  if (!value.is_number()) return std::nullopt;
  Decimal decimal = read_decimal(value.raw);
  if (!decimal.fits) return std::nullopt;
  if (decimal.significand == 0) return 0;
  if (decimal.exponent < 0 || !scale(decimal.significand, decimal.exponent)) return std::nullopt;
  return decimal.significand;
}

std::optional<double> number_of(Value value) {
  if (!value.is_number()) return std::nullopt;
  double number = 0;
  const auto [end, error] = std::from_chars(value.raw.data(), value.raw.data() + value.raw.size(), number);
  if (error == std::errc::result_out_of_range) return value.raw.front() == '-' ? -0.0 : 0.0;  // too small to tell
  return number;
}

}  // namespace sluice::json
