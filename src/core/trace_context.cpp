#include "sluice/core/trace_context.hpp"

#include <optional>

#include "sluice/core/ids.hpp"

namespace sluice {
namespace {

constexpr std::size_t kSize = 55;  // 00-<32>-<16>-<2>

// Small letters only, as the specification has it.
std::optional<std::uint64_t> read_hex(std::string_view text) {
  std::uint64_t bits = 0;
  for (const char c : text) {
    const bool digit = c >= '0' && c <= '9';
    if (!digit && (c < 'a' || c > 'f')) return std::nullopt;
    bits = bits << 4 | static_cast<std::uint64_t>(digit ? c - '0' : c - 'a' + 10);
  }
  return bits;
}

// A later version may have more behind the flags; 00 has not, and ff is none.
std::optional<TraceContext> read(std::string_view text) {
  if (text.size() < kSize || text[2] != '-' || text[35] != '-' || text[52] != '-') return std::nullopt;
  const auto version = read_hex(text.substr(0, 2));
  if (!version || *version == 0xFF || (*version == 0 && text.size() != kSize)) return std::nullopt;
  if (text.size() > kSize && text[kSize] != '-') return std::nullopt;
  const auto high = read_hex(text.substr(3, 16)), low = read_hex(text.substr(19, 16));
  const auto parent = read_hex(text.substr(36, 16)), flags = read_hex(text.substr(53, 2));
  if (!high || !low || !parent || !flags || (*high | *low) == 0 || *parent == 0) return std::nullopt;
  return TraceContext{.high = *high, .low = *low, .parent = *parent, .flags = static_cast<std::uint8_t>(*flags & 1)};
}

}  // namespace

std::uint64_t new_span_id() {
  for (;;) {
    if (const std::uint64_t id = random_id(); id != 0) return id;
  }
}

TraceContext continue_trace(std::string_view traceparent) {
  auto trace = read(traceparent);
  if (!trace) trace = TraceContext{.high = random_id(), .low = new_span_id()};
  trace->span = new_span_id();
  return *trace;
}

void append_trace_id(std::string& out, const TraceContext& trace) {
  append_hex(out, trace.high, 16);
  append_hex(out, trace.low, 16);
}

void append_span_id(std::string& out, std::uint64_t span) { append_hex(out, span, 16); }

std::string traceparent_of(const TraceContext& trace, std::uint64_t span) {
  std::string out;
  out.reserve(kSize);
  out += "00-";
  append_trace_id(out, trace);
  out += '-';
  append_span_id(out, span);
  out += trace.flags == 0 ? "-00" : "-01";
  return out;
}

}  // namespace sluice
