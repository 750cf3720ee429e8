#pragma once
// guard: when a run of an agent is stopped. Plain values.

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sluice/core/run_caps.hpp"

namespace sluice::config {

enum class GuardMode : std::uint8_t { kOff, kObserve, kEnforce };

// Of the section, or of a key, which wins member by member. Absent: as in the section; kNoCap: none.
struct GuardRules {
  std::optional<GuardMode> mode;
  std::array<std::optional<std::int64_t>, kCaps> caps;
  bool operator==(const GuardRules&) const = default;
};

struct Guard {
  // Low on purpose, as a tripwire: whoever runs agents says how far they may go.
  GuardRules rules{
      .mode = GuardMode::kEnforce,
      .caps = {3, 10'000'000, 50'000, std::chrono::milliseconds(std::chrono::minutes(10)).count(), 3, 3, 3}};
  std::vector<std::string> headers = {"x-sluice-run-id"};             // lower case; the first one present names the run
  bool metadata = true;                                               // else metadata.run_id of the body does
  std::chrono::milliseconds expires = std::chrono::hours(1);          // a run that is silent for so long is forgotten
  std::chrono::milliseconds longest_call = std::chrono::minutes(15);  // then a call whose replica died is over
  std::size_t most_runs = 100'000;        // in this process; beyond, the most silent one goes
  std::size_t most_tool_calls = 100'000;  // remembered until their results come; beyond, the oldest one goes
  bool operator==(const Guard&) const = default;
};

// What holds for a key: its own, and the section's where it says nothing. Every member is there.
GuardRules rules_of(const Guard& guard, const GuardRules* key);

}  // namespace sluice::config
