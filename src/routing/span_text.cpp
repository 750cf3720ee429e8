#include "routing/span_text.hpp"

#include <charconv>
#include <cmath>

namespace sluice::routing {
namespace {

constexpr double kSecond = 1000;
constexpr double kMinute = 60 * kSecond;
constexpr double kHour = 60 * kMinute;
constexpr double kDay = 24 * kHour;

struct Unit {
  std::string_view name;
  double ms;
};
constexpr Unit kUnits[] = {
    {"s", kSecond},      {"ms", 1},           {"m", kMinute},       {"h", kHour},
    {"d", kDay},         {"second", kSecond}, {"seconds", kSecond}, {"sec", kSecond},
    {"secs", kSecond},   {"minute", kMinute}, {"minutes", kMinute}, {"min", kMinute},
    {"mins", kMinute},   {"hour", kHour},     {"hours", kHour},     {"day", kDay},
    {"days", kDay},      {"millisecond", 1},  {"milliseconds", 1},  {"us", 1e-3},
    {"\xC2\xB5s", 1e-3}, {"\xCE\xBCs", 1e-3}, {"ns", 1e-6},
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_of_unit(char c) { return (c >= 'a' && c <= 'z') || (c & '\x80') != 0; }

// One number and its unit, taken off the front of `text`; in milliseconds.
std::optional<double> take_pair(std::string_view& text) {
  if (text.empty() || !is_digit(text.front())) return std::nullopt;
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc()) return std::nullopt;
  std::string_view rest = text.substr(static_cast<std::size_t>(end - text.data()));
  if (rest.starts_with(' ')) rest.remove_prefix(1);
  std::size_t length = 0;
  while (length < rest.size() && is_of_unit(rest[length])) ++length;
  for (const Unit& unit : kUnits) {
    if (unit.name != rest.substr(0, length)) continue;
    text = rest.substr(length);
    return number * unit.ms;
  }
  return std::nullopt;
}

}  // namespace

std::optional<SpanText> leading_span(std::string_view text) {
  std::string_view rest = text;
  double ms = 0;
  while (const auto pair = take_pair(rest)) ms += *pair;
  if (rest.size() == text.size() || !std::isfinite(ms)) return std::nullopt;
  return SpanText{.span = std::chrono::duration<double, std::milli>(ms), .length = text.size() - rest.size()};
}

}  // namespace sluice::routing
