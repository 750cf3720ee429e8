// What a provider says of its limits and of how long to wait (F37): first line a reset field, the rest an error's text.

#include "routing/rate_limit_fields.hpp"

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>

#include "fuzz/fuzz.hpp"

namespace sluice::fuzz {
namespace {

using namespace std::chrono;

constexpr sys_seconds kNow = sys_days(2026y / 11 / 21) + 5h;
constexpr milliseconds kLongest = routing::kLongestReset;

// Digits and a unit, as nearly everybody sends it.
std::optional<milliseconds> plain_span(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || text.starts_with('-')) return std::nullopt;
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  number = std::min<std::int64_t>(number, 1'000'000'000);
  if (unit == "ms") return std::min(milliseconds(number), kLongest);
  if (unit == "s") return std::min(milliseconds(number * 1000), kLongest);
  if (unit == "m") return std::min(milliseconds(number * 60'000), kLongest);
  return std::nullopt;
}

void check(std::optional<milliseconds> wait) {
  if (wait) require(*wait >= 0ms && *wait <= kLongest, "a wait is neither negative nor longer than believed");
}

}  // namespace

void test(const Input& input) {
  const std::size_t line = std::min(input.bytes.find('\n'), input.bytes.size());
  const std::string_view field = input.bytes.substr(0, line);
  const std::string_view text = input.bytes.substr(std::min(line + 1, input.bytes.size()));
  const auto reset = routing::parse_reset(field, kNow);
  check(reset);
  if (const auto plain = plain_span(field)) require(reset == plain, "a plain span is what it says");
  const auto wait = routing::wait_in_text(text);
  check(wait);
  if (const auto plain = plain_span(field)) {
    const std::string sentence = "Please try again in " + std::string(field) + ".";
    require(routing::wait_in_text(sentence) == plain, "so it is in a sentence");
  }
  http::Head head;
  head.fields = {{"x-ratelimit-remaining-tokens", field}, {"x-ratelimit-reset-tokens", field}};
  const auto limits = routing::read_rate_limits(head, kNow);
  require(limits.tokens.remaining.value_or(0) >= 0, "nothing less than nothing is left");
  require(limits.tokens.resets_in == reset, "the field is read as its text");
  require(routing::wait_told(head, text, kNow) == wait, "without a field the text has the say");
}

}  // namespace sluice::fuzz
