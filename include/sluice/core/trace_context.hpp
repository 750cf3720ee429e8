#pragma once
// Who belongs to which trace: W3C Trace Context, version 00 (https://www.w3.org/TR/trace-context/), section 3.2. Plain
// values; any thread.

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice {

struct TraceContext {
  std::uint64_t high = 0, low = 0;  // the trace, 128 bits; never both 0
  std::uint64_t span = 0;           // of this request in it
  std::uint64_t parent = 0;         // the span of whoever asked; 0: nobody said
  std::uint8_t flags = 1;           // bit 0: whoever began the trace keeps it

  bool has_parent() const { return parent != 0; }
};

// Goes on with the trace that a traceparent field names, in a span of its own; without one, or with one that cannot be
// read, begins a trace. Ids come from a per-thread generator, as request ids do: no secrets.
TraceContext continue_trace(std::string_view traceparent);
std::uint64_t new_span_id();

// 32 and 16 hexadecimal digits.
void append_trace_id(std::string& out, const TraceContext& trace);
void append_span_id(std::string& out, std::uint64_t span);
// The field's value for whoever is asked in `span`.
std::string traceparent_of(const TraceContext& trace, std::uint64_t span);

}  // namespace sluice
