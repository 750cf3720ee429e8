#include "sluice/config/units.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <span>
#include <system_error>
#include <utility>

#include "sluice/core/text.hpp"

namespace sluice::config {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t factor;
};
// From small to large; of two units of one size the first is the one we print.
constexpr Unit kDurations[] = {{"ms", 1},     {"s", 1000},      {"min", 60'000},
                               {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
constexpr Unit kRates[] = {{"B/s", 1}, {"KB/s", 1000}, {"KiB/s", 1LL << 10}, {"MB/s", 1'000'000}, {"MiB/s", 1LL << 20}};
constexpr Unit kSizes[] = {{"B", 1},           {"KB", 1000},          {"KiB", 1LL << 10}, {"MB", 1'000'000},
                           {"MiB", 1LL << 20}, {"GB", 1'000'000'000}, {"GiB", 1LL << 30}};

struct Quantity {
  std::span<const Unit> units;
  std::string_view example;
  std::string_view names;
};
constexpr Quantity kDuration{kDurations, "30s", "ms, s, m, min, h or d"};
constexpr Quantity kRate{kRates, "1KiB/s", "B/s, KB/s, KiB/s, MB/s or MiB/s"};
constexpr Quantity kSize{kSizes, "64KiB", "B, KB, KiB, MB, MiB, GB or GiB"};

std::unexpected<std::string> wrong(std::string_view what, const Quantity& quantity) {
  return std::unexpected(std::string(what) + ", e.g. " + std::string(quantity.example));
}

std::unexpected<std::string> unknown_unit(const Quantity& quantity) {
  return wrong("unknown unit; write a whole number and " + std::string(quantity.names), quantity);
}

std::expected<std::int64_t, std::string> parse(std::string_view text, const Quantity& quantity) {
  std::int64_t number = 0;
  const char* end = text.data() + text.size();
  auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error == std::errc::result_out_of_range) return std::unexpected("the number is too large");
  if (error != std::errc()) return wrong("write a whole number and a unit", quantity);
  if (number < 0) return std::unexpected("must not be negative");
  if (rest == end) return wrong("write a unit", quantity);
  if (*rest == '.') return wrong("write a whole number and a smaller unit", quantity);
  std::string_view name(rest, static_cast<std::size_t>(end - rest));
  auto unit = std::ranges::find(quantity.units, name, &Unit::name);
  if (unit == quantity.units.end()) return unknown_unit(quantity);
  if (number > std::numeric_limits<std::int64_t>::max() / unit->factor) {
    return std::unexpected("the number is too large");
  }
  return number * unit->factor;
}

std::expected<std::uint64_t, std::string> parse_bytes(std::string_view text, const Quantity& quantity) {
  auto value = parse(text, quantity);
  if (!value) return std::unexpected(std::move(value.error()));
  return static_cast<std::uint64_t>(*value);
}

std::string format(std::int64_t value, const Quantity& quantity) {
  Unit best = quantity.units.front();
  for (const Unit& unit : quantity.units) {
    if (value != 0 && value % unit.factor == 0 && unit.factor > best.factor) best = unit;
  }
  std::string out;
  append_number(out, value / best.factor);
  return out.append(best.name);
}

std::string format_bytes(std::uint64_t bytes, const Quantity& quantity) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
  return format(static_cast<std::int64_t>(std::min(bytes, kMost)), quantity);
}

}  // namespace

std::expected<std::chrono::milliseconds, std::string> parse_duration(std::string_view text) {
  auto value = parse(text, kDuration);
  if (!value) return std::unexpected(std::move(value.error()));
  return std::chrono::milliseconds(*value);
}

std::expected<std::uint64_t, std::string> parse_size(std::string_view text) { return parse_bytes(text, kSize); }
std::expected<std::uint64_t, std::string> parse_rate(std::string_view text) { return parse_bytes(text, kRate); }

std::string format_duration(std::chrono::milliseconds value) { return format(value.count(), kDuration); }
std::string format_size(std::uint64_t bytes) { return format_bytes(bytes, kSize); }
std::string format_rate(std::uint64_t bytes_per_second) { return format_bytes(bytes_per_second, kRate); }

}  // namespace sluice::config
