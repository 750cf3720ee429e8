#pragma once
// A line of the trace, as far as reports ask for it. Views point into the line.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/api/json.hpp"
#include "sluice/core/money.hpp"

namespace sluice::report {

enum class Event : std::uint8_t { kRequest, kToolCall, kGuard };

struct TraceLine {
  Event event = Event::kRequest;
  std::string_view time;  // RFC 3339 in UTC, of one length: as texts they are in order
  json::Value model, provider, upstream_model, key, group, endpoint, outcome, error, status, finish_reason, cache, run,
      user, tool;
  json::Value tags;
  double weight = 1;  // how many like it it stands for, where the trace was sampled; amounts are those of all of them
  // Of requests.
  bool stream = false;
  std::int64_t input = 0, output = 0, cached = 0, cache_write = 0, reasoning = 0;
  Money cost, lost, saved;
  std::optional<std::int64_t> ttft_us, duration_us, gateway_us, provider_us;
  // Of tool calls, beside duration_us.
  bool call_failed = false;
  std::int64_t retries = 0;
  // Of a run's guard.
  json::Value cap, result;

  bool failed() const;   // the request
  bool refused() const;  // by the guard
};

enum class Kind : std::uint8_t { kKnown, kOther, kBroken, kNewer };
// `line` is filled in where it is about an Event. kNewer: of a schema that is not known yet.
Kind read_line(std::string_view text, TraceLine& line);

// What a line has under a name of dimensions(); "-" if it has nothing.
std::string dimension(const TraceLine& line, std::string_view name);

// A value as a report shows it: texts without quotes, "-" for nothing.
std::string shown(json::Value value);

// Since 1970; nothing: it is no time as lines tell it.
std::optional<std::int64_t> microseconds_of(std::string_view time);

}  // namespace sluice::report
