#include "observe/line_parts.hpp"

namespace sluice::observe {

void append_owner(JsonLine& line, const Record& record) {
  if (!record.key.empty()) line.text("key", record.key);
  if (!record.group.empty()) line.text("group", record.group);
  if (record.tags == nullptr || record.tags->empty()) return;
  line.open("tags");
  for (const auto& [name, value] : *record.tags) line.text(name, value);
  line.close();
}

void append_trace_ids(JsonLine& line, const Record& record, std::uint64_t span, std::uint64_t parent) {
  std::string id;
  append_trace_id(id, record.trace);
  line.name("trace_id", id);
  id.clear();
  append_span_id(id, span);
  line.name("span_id", id);
  if (parent != 0) {
    id.clear();
    append_span_id(id, parent);
    line.name("parent_id", id);
  }
  line.name("request_id", record.request_id);
  if (!record.run_id.empty()) line.text("run_id", record.run_id);
}

}  // namespace sluice::observe
