#include <algorithm>

#include "api/bounded_text.hpp"
#include "sluice/api/plain_text.hpp"

namespace sluice::api {
namespace {

using json::Value;

constexpr std::size_t kPartBytes = 64;  // that a part costs beside its text

std::int64_t integer(Value object, std::string_view name, std::int64_t absent) {
  const auto value = json::find(object, name);
  return value ? json::integer_of(*value).value_or(absent) : absent;
}

Value member(Value object, std::string_view name) { return json::find(object, name).value_or(Value{}); }

bool calls_tool(Value item) {
  const std::string_view type = member(item, "type").raw;
  return type == "\"function_call\"" || type == "\"custom_tool_call\"";
}

}  // namespace

AnswerText::Part& AnswerText::part(bool call, std::int64_t index) {
  const auto known =
      std::ranges::find_if(parts_, [&](const Part& one) { return one.call == call && one.index == index; });
  if (known != parts_.end()) return *known;
  held_ += kPartBytes;
  return parts_.emplace_back(Part{.call = call, .index = index});
}

void AnswerText::append(std::string& to, Value text) {
  const std::size_t before = to.size();
  append_bounded(to, text, most_ - std::min(most_, held_));
  held_ += to.size() - before;
}

void AnswerText::add_body(std::string_view body) {
  const Value answer{body.substr(std::min(body.find_first_not_of(" \t\r\n"), body.size()))};
  if (endpoint_ != Endpoint::kResponses) return add_choices(member(answer, "choices"));
  std::int64_t index = 0;
  for (const Value item : json::Elements(member(answer, "output"))) add_item(item, index++);
}

void AnswerText::add_event(std::string_view data) {
  const Value event{data.substr(std::min(data.find_first_not_of(" \t\r\n"), data.size()))};
  if (full() || !event.is_object()) return;  // [DONE]
  endpoint_ == Endpoint::kResponses ? add_response_event(event) : add_choices(member(event, "choices"));
}

// Of a chat or completions answer, whole or a piece of it.
void AnswerText::add_choices(Value choices) {
  for (const Value choice : json::Elements(choices)) {
    if (integer(choice, "index", 0) != 0) continue;
    for (const json::Member& one : json::Members(choice)) {
      if (json::key_is(one, "message") || json::key_is(one, "delta")) add_message(one.value);
      if (json::key_is(one, "text")) append(part(false, 0).text, one.value);
    }
  }
}

void AnswerText::add_message(Value message) {
  for (const json::Member& one : json::Members(message)) {
    if (json::key_is(one, "content") || json::key_is(one, "refusal")) {
      if (one.value.is_string()) append(part(false, 0).text, one.value);
      for (const Value piece : json::Elements(one.value)) append(part(false, 0).text, member(piece, "text"));
    } else if (json::key_is(one, "function_call") && one.value.is_object()) {
      add_call(one.value, -1);
    } else if (json::key_is(one, "tool_calls")) {
      std::int64_t place = 0;
      for (const Value call : json::Elements(one.value)) {
        const Value what = json::find(call, "function").value_or(member(call, "custom"));
        add_call(what, integer(call, "index", place++));
      }
    }
  }
}

void AnswerText::add_call(Value call, std::int64_t index) {
  if (full()) return;
  Part& to = part(true, index);
  // Some upstreams repeat the name in every piece.
  if (to.name.empty()) append(to.name, member(call, "name"));
  append(to.text, json::find(call, "arguments").value_or(member(call, "input")));
}

void AnswerText::add_item(Value item, std::int64_t index) {
  if (full()) return;
  if (calls_tool(item)) return add_call(item, index);
  if (member(item, "type").raw != "\"message\"") return;
  for (const Value piece : json::Elements(member(item, "content"))) {
    append(part(false, index).text, json::find(piece, "text").value_or(member(piece, "refusal")));
  }
}

void AnswerText::add_response_event(Value event) {
  const std::string type = json::text_of(member(event, "type"));
  const std::int64_t index = integer(event, "output_index", 0);
  if (type == "response.output_text.delta" || type == "response.refusal.delta") {
    append(part(false, index).text, member(event, "delta"));
  } else if (type == "response.function_call_arguments.delta" || type == "response.custom_tool_call_input.delta") {
    append(part(true, index).text, member(event, "delta"));
  } else if (type == "response.output_item.added" && calls_tool(member(event, "item"))) {
    add_call(member(event, "item"), index);
  }
}

std::string AnswerText::text() const {
  std::string out;
  for (const Part& one : parts_) {
    if (!out.empty()) out += '\n';
    if (one.call) out.append("tool_call ").append(one.name).append(": ");
    out += one.text;
  }
  return out;
}

}  // namespace sluice::api
