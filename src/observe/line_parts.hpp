#pragma once
// What the lines about a request have in common.

#include <chrono>
#include <cstdint>

#include "observe/json_line.hpp"
#include "sluice/observe/record.hpp"

namespace sluice::observe {

inline std::int64_t microseconds_of(nanoseconds span) {
  return std::chrono::duration_cast<std::chrono::microseconds>(span).count();
}

// trace_id, span_id, parent_id (0: none), request_id, run_id; and
// sample_rate where `share` of such requests are written.
void append_trace_ids(JsonLine& line, const Record& record, std::uint32_t share, std::uint64_t span,
                      std::uint64_t parent);
// key, group, tags.
void append_owner(JsonLine& line, const Record& record);

}  // namespace sluice::observe
