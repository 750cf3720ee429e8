#include "observe/agent_lines.hpp"

#include "observe/event_line.hpp"
#include "observe/line_parts.hpp"

namespace sluice::observe {
namespace {

JsonLine open_line(std::string& out, std::string_view kind, const Record& record, std::uint32_t share) {
  JsonLine line = open_event(out, kind, record.time);
  append_trace_ids(line, record, share, record.trace.span, record.trace.parent);
  append_owner(line, record);
  return line;
}

void append_tool(std::string& out, const Record& record, std::uint32_t share, const ToolUse& use) {
  JsonLine line = open_line(out, "tool_call", record, share);
  line.text("route", record.route).text("tool", use.tool);
  if (!use.call_id.empty()) line.name("tool_call_id", use.call_id);
  line.name("arguments_hash", use.arguments_hash);
  if (use.duration) line.number("duration_us", microseconds_of(*use.duration));
  line.boolean("failed", use.failed).number("retries", use.retries);
  if (!use.asked_by.empty()) line.name("asked_by", use.asked_by);
  close_event(out);
}

void append_guard(std::string& out, const Record& record, std::uint32_t share, const CapHit& hit) {
  JsonLine line = open_line(out, "guard", record, share);
  line.text("route", record.route).name("result", hit.refused ? "refused" : "observed");
  line.name("cap", to_string(hit.cap));
  line.raw("limit", cap_amount(hit.cap, hit.limit)).raw("used", cap_amount(hit.cap, hit.used));
  close_event(out);
}

void append_feedback(std::string& out, const Record& record, std::uint32_t share, const Feedback& feedback) {
  JsonLine line = open_line(out, "feedback", record, share);
  if (!feedback.of.empty()) line.text("of", feedback.of);
  if (!feedback.of_trace.empty()) line.text("of_trace", feedback.of_trace);
  line.text("name", feedback.name).raw("value", feedback.value);
  if (!feedback.comment.empty()) line.text("comment", feedback.comment);
  close_event(out);
}

}  // namespace

std::size_t append_agent_lines(std::string& out, const Record& record, std::uint32_t share) {
  for (const ToolUse& use : record.tools) append_tool(out, record, share, use);
  if (record.cap) append_guard(out, record, share, *record.cap);
  if (record.feedback) append_feedback(out, record, share, *record.feedback);
  return record.tools.size() + (record.cap ? 1 : 0) + (record.feedback ? 1 : 0);
}

}  // namespace sluice::observe
