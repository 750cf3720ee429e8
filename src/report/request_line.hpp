#pragma once
// A line of the trace that is about a request, as far as reports ask for it. Views point into the line.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/api/json.hpp"
#include "sluice/core/money.hpp"

namespace sluice::report {

struct RequestLine {
  std::string_view time;  // RFC 3339 in UTC, of one length: as texts they are in order
  json::Value model, provider, upstream_model, key, group, endpoint, outcome, error, status, finish_reason, cache, run;
  json::Value tags;
  bool stream = false;
  double weight = 1;  // how many requests it stands for, where the trace was sampled
  std::int64_t input = 0, output = 0;
  Money cost, lost, saved;
  std::optional<std::int64_t> ttft_us, duration_us, gateway_us, provider_us;
  bool failed() const;
};

enum class Kind : std::uint8_t { kRequest, kOther, kBroken, kNewer };
// `line` is filled in where it is about a request. kNewer: of a schema that is not known yet.
Kind read_line(std::string_view text, RequestLine& line);

// What a line has under a name of dimensions(); "-" if it has nothing.
std::string dimension(const RequestLine& line, std::string_view name);

}  // namespace sluice::report
