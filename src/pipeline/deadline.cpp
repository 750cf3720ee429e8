#include "sluice/pipeline/deadline.hpp"

#include <cstdlib>

namespace sluice::pipeline {

TimePoint deadline_of(const Exchange& exchange) {
  for (std::string_view name : {"x-stainless-timeout", "x-stainless-read-timeout"}) {
    const std::string text(exchange.request.head.get(name));
    char* end = nullptr;
    const double seconds = std::strtod(text.c_str(), &end);
    const bool number = !text.empty() && end == text.c_str() + text.size();
    if (!number || !(seconds > 0) || seconds >= 86'400) continue;
    return exchange.record.started + milliseconds(static_cast<std::int64_t>(seconds * 1000));
  }
  return kNever;
}

}  // namespace sluice::pipeline
