#pragma once
// What a run of an agent may use up, in the words of the configuration. Plain values that config reads, guard enforces
// and the record names.

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace sluice {

// In the order in which they are asked: the first one that a request meets is the one it hears of.
enum class Cap : std::uint8_t { kTurns, kCost, kTokens, kDuration, kParallel, kSameRequest, kSameToolCall };
inline constexpr std::size_t kCaps = 7;
// "turns", "cost_usd", "tokens", "duration_s", "parallel", "same_request", "same_tool_call": names in the trace,
// labels.
std::string_view to_string(Cap cap);

// An amount for each cap: requests, nanodollars, tokens, milliseconds, and requests again.
using CapAmounts = std::array<std::int64_t, kCaps>;
constexpr std::size_t place_of(Cap cap) { return static_cast<std::size_t>(cap); }
inline constexpr std::int64_t kNoCap = std::numeric_limits<std::int64_t>::max();

// An amount in the unit of the cap's name, as a JSON number: dollars, seconds.
std::string cap_amount(Cap cap, std::int64_t amount);

// A cap that a request met.
struct CapHit {
  Cap cap = Cap::kTurns;
  std::int64_t limit = 0;
  std::int64_t used = 0;  // before the request
  bool refused = true;    // false: it was only observed
};

}  // namespace sluice
