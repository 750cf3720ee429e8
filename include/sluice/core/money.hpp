#pragma once
// Money as a whole number of nano-dollars (10^-9 USD), never a floating-point number. Sums saturate: what a provider
// reports may be absurd, and must not wrap around. Prices per token are finer, see Price.

#include <compare>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace sluice {

class Money {
 public:
  constexpr Money() = default;
  static constexpr Money nanodollars(std::int64_t count) { return Money(count); }
  constexpr std::int64_t nanodollars() const { return nano_; }

  Money& operator+=(Money other);  // saturate at both ends
  Money& operator-=(Money other);
  friend Money operator+(Money a, Money b) { return a += b; }
  friend Money operator-(Money a, Money b) { return a -= b; }
  constexpr auto operator<=>(const Money&) const = default;

 private:
  explicit constexpr Money(std::int64_t count) : nano_(count) {}
  std::int64_t nano_ = 0;
};

// "500 USD", "0.01 USD": digits, at most nine of them after the point, a space, USD. Not negative. The error is a
// sentence for the admin and never repeats the input.
std::expected<Money, std::string> parse_money(std::string_view text);
// The shortest spelling parse_money() reads back: "0.0105 USD". A negative amount gets a sign.
std::string to_string(Money amount);
// The same without the unit: a JSON number of dollars.
std::string to_decimal(Money amount);
// What to_decimal() wrote; nothing: that cannot be.
std::optional<Money> from_decimal(std::string_view text);

// What one unit (a token, a request) costs, in pico-dollars (10^-12 USD): a price of 0.075 USD per million tokens is
// 75,000. times() rounds up to whole nano-dollars and saturates; a negative count costs nothing.
class Price {
 public:
  constexpr Price() = default;
  static constexpr Price picodollars(std::int64_t count) { return Price(count); }
  constexpr std::int64_t picodollars() const { return pico_; }
  Money times(std::int64_t count) const;
  constexpr auto operator<=>(const Price&) const = default;

 private:
  explicit constexpr Price(std::int64_t count) : pico_(count) {}
  std::int64_t pico_ = 0;
};

}  // namespace sluice
