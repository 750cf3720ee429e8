#pragma once
// Rows of the books of spend, as they are kept on disk and shown to operators.

#include <chrono>
#include <cstdint>
#include <string>

#include "sluice/core/money.hpp"

namespace sluice {

// One budget in one period.
struct BudgetRow {
  std::string id;                         // of the limit
  std::chrono::sys_seconds period{};      // its first second; the epoch for a budget that never begins anew
  Money spent{};                          // settled
  Money reserved{};                       // taken and not settled when the row was written
  std::chrono::sys_seconds held_until{};  // what a process that died had reserved is void then
  unsigned alerted_percent = 0;           // the highest threshold that has been told
  bool operator==(const BudgetRow&) const = default;
};

// What was spent within an hour, for whom and on what. Adds up.
struct SpendRow {
  std::chrono::sys_seconds hour{};
  std::string key;
  std::string group;
  std::string model;  // entry of `models`
  std::string provider;
  std::int64_t requests = 0;
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;
  Money cost;
  bool operator==(const SpendRow&) const = default;
};

}  // namespace sluice
