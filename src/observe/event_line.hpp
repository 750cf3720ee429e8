#pragma once
// How each line of the trace begins and ends, whatever it is about.

#include <chrono>
#include <string>
#include <string_view>

#include "observe/json_line.hpp"

namespace sluice::observe {

// RFC 3339 in UTC, with microseconds.
void append_time(std::string& out, std::chrono::system_clock::time_point time);

// `kind` comes from a closed set. Goes on with members; `out` outlives the result.
JsonLine open_event(std::string& out, std::string_view kind, std::chrono::system_clock::time_point time);
void close_event(std::string& out);

}  // namespace sluice::observe
