#pragma once
// What may be limited, in the words of the configuration. Plain values that config reads, limit enforces and the
// record names.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/core/money.hpp"

namespace sluice {

enum class Priority : std::uint8_t { kHigh, kNormal, kLow };
inline constexpr std::size_t kPriorities = 3;
std::string_view to_string(Priority priority);  // "high", "normal", "low": labels

// What a limit counts.
enum class Meter : std::uint8_t { kRequests, kInputTokens, kOutputTokens, kTokens, kConcurrency, kMoney };
inline constexpr std::size_t kMeters = 6;
std::string_view to_string(
    Meter meter);  // "requests", "input_tokens", "output_tokens", "tokens", "concurrency", "budget"

enum class Mode : std::uint8_t { kEnforce, kObserve };  // observe: counts and reports, refuses nothing

// requests and tokens: at most `limit` in any span of `window` (sliding; see docs/limits.md).
struct RateLimit {
  Meter meter = Meter::kRequests;
  std::int64_t limit = 0;
  std::chrono::seconds window{60};  // 1 s, 1 min, 1 h, 1 d, 30 d
  Mode mode = Mode::kEnforce;
  bool operator==(const RateLimit&) const = default;
};

struct ConcurrencyLimit {
  std::int64_t limit = 0;
  Mode mode = Mode::kEnforce;
  bool operator==(const ConcurrencyLimit&) const = default;
};

// Calendar periods in UTC; weeks begin on Monday; total never begins anew.
enum class Period : std::uint8_t { kDay, kWeek, kMonth, kTotal };
std::string_view to_string(Period period);  // "day", "week", "month", "total"

// What becomes of a stream that has used up more than was reserved for it and for which there is no more.
enum class OnExceeded : std::uint8_t { kFinish, kCut };

struct BudgetLimit {
  Money limit;
  Period period = Period::kMonth;
  Mode mode = Mode::kEnforce;
  OnExceeded on_exceeded = OnExceeded::kFinish;
  std::vector<unsigned> alert_percent = {50, 80, 100};  // ascending
  bool operator==(const BudgetLimit&) const = default;
};

// How many limits one request may meet on its way: of the process, its key, the groups above, the end user, the model
// and the provider.
inline constexpr std::size_t kMostTakes = 64;

struct NodeLimits {
  std::vector<RateLimit> rates;
  std::optional<ConcurrencyLimit> concurrency;
  std::vector<BudgetLimit> budgets;
  bool empty() const { return rates.empty() && !concurrency && budgets.empty(); }
  std::size_t size() const { return rates.size() + (concurrency ? 1 : 0) + budgets.size(); }
  bool operator==(const NodeLimits&) const = default;
};

}  // namespace sluice
