#pragma once
// Lines of the trace that are about no single request; docs/traces.md lists the kinds. Any thread.

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::observe {

inline constexpr int kTraceSchema = 1;  // of every line; changes when a member changes its meaning or goes

struct EventMember {
  std::string_view name;
  std::string value;
  bool is_json = false;  // as it stands, such as a number; else a text, which may hold anything
};

// One JSON object and a line feed. `kind` and the members' names come from closed sets.
std::string event_line(std::string_view kind, std::chrono::system_clock::time_point time,
                       const std::vector<EventMember>& members);

}  // namespace sluice::observe
