#pragma once
// What each team has cost in a week, beside the week before: added up from trace files.

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <vector>

namespace sluice::report {

struct WeeklyQuestion {
  std::chrono::sys_days monday{};    // the week's first day, in UTC
  std::string by = "team";           // of dimensions()
  std::vector<std::string> files{};  // in any order; all that may hold lines of this week and of the one before
  bool older = false;                // whether the trace has had files before these
};

struct WeeklyAnswer {
  bool known = false;         // the trace says something about the week, if only that nobody asked for anything
  bool complete = false;      // it reaches back to the week's first second
  std::uint64_t skipped = 0;  // lines that could not be read
  std::string rows{};         // a JSON array of objects, the dearest first
  std::string total{};        // a JSON object
  std::string csv{};          // the rows, with the week in front; RFC 4180
};

// Reads gigabytes, so it belongs on a thread of its own. `go_on` is asked all the time; once it says false, that is the
// error. Otherwise the error says which file could not be read, and why.
std::expected<WeeklyAnswer, std::string> add_up_week(const WeeklyQuestion& question,
                                                     const std::function<bool()>& go_on);

}  // namespace sluice::report
