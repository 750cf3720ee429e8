#pragma once
// Spans of time as programs print them. Pure; any thread.

#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>

namespace sluice::routing {

struct SpanText {
  std::chrono::duration<double, std::milli> span{};  // finite, not negative; may be longer than any clock
  std::size_t length = 0;                            // of its text
};

// The span a text begins with: numbers and units without space between the pairs, as Go prints durations ("1h2m3.5s",
// "20ms"), also days, and units as words ("26 seconds"). Nothing if there is none, or a number without a unit.
std::optional<SpanText> leading_span(std::string_view text);

}  // namespace sluice::routing
