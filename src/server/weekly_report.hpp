#pragma once
// One weekly report: read, added up, written. Takes as long as the trace is large; on a thread of its own.

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <string>

#include "sluice/budget/alerts.hpp"
#include "sluice/config/config.hpp"

namespace sluice::server {

struct WeeklyJob {
  config::WeeklyReport config;
  std::string trace;             // trace.path
  std::chrono::sys_days monday;  // the week's first day
  std::chrono::sys_seconds now;  // when it is made
};

enum class WeeklyResult : std::uint8_t {
  kWritten,
  kThere,   // it had been made before
  kUnknown  // the trace knows nothing of that week
};

struct WeeklyOutcome {
  WeeklyResult result = WeeklyResult::kUnknown;
  std::string path;      // of the JSON file
  bool complete = true;  // the trace reaches back to the beginning of the week
  budget::WebhookMessage message;
};

// The file is there whole or not at all, and is what says that the report has been made. `go_on` is asked all the time;
// once it says false, reading is given up. The error is for the operator.
std::expected<WeeklyOutcome, std::string> make_weekly_report(const WeeklyJob& job, const std::function<bool()>& go_on);

}  // namespace sluice::server
