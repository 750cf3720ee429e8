#include "sluice/api/tool_calls.hpp"

#include "api/tool_arguments.hpp"
#include "sluice/api/canonical.hpp"
#include "sluice/core/digest.hpp"

namespace sluice::api {
namespace {

using json::Value;

Value found(Value object, std::string_view name) { return json::find(object, name).value_or(Value{}); }

bool is_call(Value type) { return type.raw == "\"function_call\"" || type.raw == "\"custom_tool_call\""; }

}  // namespace

std::uint64_t digest_of_arguments(std::string_view text) {
  const auto value = json::check(text, json::Surrogates::kAny);
  if (!value) return digest64(text);
  std::string canonical;
  json::append_canonical(canonical, *value);
  return digest64(canonical);
}

bool offers_tools(const RequestView& view) {
  const json::Member* tools = view.member("tools");
  return tools != nullptr && tools->value.is_array();
}

void ToolCallReader::body(std::string_view whole) {
  const auto value = json::check(whole, json::Surrogates::kAny);
  if (!value) return;
  if (endpoint_ == Endpoint::kResponses) return read_items(found(*value, "output"));
  read_choices(found(*value, "choices"), "message");
}

// Most events of a stream hold none, and are passed over unread.
void ToolCallReader::event(std::string_view data) {
  const std::string_view word = endpoint_ == Endpoint::kResponses ? "_call" : "\"tool_calls\"";
  if (data.find(word) == data.npos) return;
  const auto value = json::check(data, json::Surrogates::kAny);
  if (!value) return;
  if (endpoint_ != Endpoint::kResponses) return read_choices(found(*value, "choices"), "delta");
  if (found(*value, "type").raw == "\"response.output_item.done\"") read_item(found(*value, "item"));
}

void ToolCallReader::read_choices(Value choices, std::string_view holder) {
  for (const Value choice : json::Elements(choices)) {
    const Value calls = found(found(choice, holder), "tool_calls");
    if (calls.is_array()) read_calls(json::integer_of(found(choice, "index")).value_or(0), calls);
  }
}

// In a stream each piece says which call it belongs to; in a body their order does.
void ToolCallReader::read_calls(std::int64_t choice, Value calls) {
  std::int64_t next = 0;
  for (const Value call : json::Elements(calls)) {
    const std::int64_t index = json::integer_of(found(call, "index")).value_or(next);
    if (Parts* parts = parts_at({choice, index})) append(*parts, call);
    next = index + 1;
  }
}

void ToolCallReader::append(Parts& parts, Value call) {
  const Value custom = found(call, "custom");
  const Value function = custom.is_object() ? custom : found(call, "function");
  if (parts.id.empty()) extend(parts.id, found(call, "id"));
  if (parts.name.empty()) extend(parts.name, found(function, "name"));
  extend(parts.arguments, found(function, custom.is_object() ? "input" : "arguments"));
}

void ToolCallReader::read_items(Value items) {
  for (const Value item : json::Elements(items)) read_item(item);
}

void ToolCallReader::read_item(Value item) {
  const Value type = found(item, "type");
  if (!is_call(type)) return;
  Parts* parts = parts_at({0, static_cast<std::int64_t>(calls_.size())});
  if (parts == nullptr) return;
  extend(parts->id, found(item, "call_id"));
  extend(parts->name, found(item, "name"));
  extend(parts->arguments, found(item, type.raw == "\"function_call\"" ? "arguments" : "input"));
}

ToolCallReader::Parts* ToolCallReader::parts_at(Place place) {
  if (const auto known = calls_.find(place); known != calls_.end()) return &known->second;
  return calls_.size() < kMostToolCalls ? &calls_[place] : nullptr;
}

void ToolCallReader::extend(std::string& text, Value value) {
  if (!value.is_string() || bytes_ + value.raw.size() > kMostArgumentBytes) return;
  bytes_ += value.raw.size();
  text += json::text_of(value);
}

std::vector<ToolCall> ToolCallReader::calls() const {
  std::vector<ToolCall> out;
  for (const auto& [place, parts] : calls_) {
    if (!parts.id.empty() && !parts.name.empty())
      out.push_back({parts.id, parts.name, digest_of_arguments(parts.arguments)});
  }
  return out;
}

}  // namespace sluice::api
