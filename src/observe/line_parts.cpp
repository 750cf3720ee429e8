#include "observe/line_parts.hpp"

#include <algorithm>

namespace sluice::observe {
namespace {

// As a decimal fraction.
void append_share(JsonLine& line, std::uint32_t share) {
  if (share >= kWhole) return;
  std::string digits = std::to_string(kWhole + share).substr(1);
  digits.erase(std::min(digits.find_last_not_of('0') + 1, digits.size()));
  line.raw("sample_rate", "0." + digits);
}

}  // namespace

void append_owner(JsonLine& line, const Record& record) {
  if (!record.key.empty()) line.text("key", record.key);
  if (!record.group.empty()) line.text("group", record.group);
  if (record.tags == nullptr || record.tags->empty()) return;
  line.open("tags");
  for (const auto& [name, value] : *record.tags) line.text(name, value);
  line.close();
}

void append_trace_ids(JsonLine& line, const Record& record, std::uint32_t share, std::uint64_t span,
                      std::uint64_t parent) {
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
  append_share(line, share);
}

}  // namespace sluice::observe
