#include <algorithm>
#include <array>
#include <optional>

#include "api/tool_arguments.hpp"
#include "sluice/api/errors.hpp"
#include "sluice/api/tool_calls.hpp"
#include "sluice/core/text.hpp"

namespace sluice::api {
namespace {

using json::Value;

// The members of a message or an item that matter here.
struct Item {
  Value role, type, content, output, tool_calls, tool_call_id, call_id, name, arguments, input;
};

Item read_item(Value object) {
  Item item;
  constexpr std::pair<std::string_view, Value Item::*> kNames[] = {{"role", &Item::role},
                                                                   {"type", &Item::type},
                                                                   {"content", &Item::content},
                                                                   {"output", &Item::output},
                                                                   {"tool_calls", &Item::tool_calls},
                                                                   {"tool_call_id", &Item::tool_call_id},
                                                                   {"call_id", &Item::call_id},
                                                                   {"name", &Item::name},
                                                                   {"arguments", &Item::arguments},
                                                                   {"input", &Item::input}};
  for (const json::Member& member : json::Members(object)) {
    for (const auto& [name, field] : kNames) {
      if (json::key_is(member, name)) item.*field = member.value;
    }
  }
  return item;
}

// A call as the request repeats it: where its parts lie.
struct Asked {
  Value id, name, arguments;
  bool same_as(const Asked& other) const { return name.raw == other.name.raw && arguments.raw == other.arguments.raw; }
};

Value found(Value object, std::string_view name) { return json::find(object, name).value_or(Value{}); }

// What a result says: a text, or a list of parts, of which the first text counts.
std::string text_in(Value content) {
  if (!content.is_array()) return json::text_of(content);
  for (const Value part : json::Elements(content)) {
    if (const Value text = found(part, "text"); text.is_string()) return json::text_of(text);
  }
  return {};
}

class Conversation {
 public:
  void message(Value element) {
    const Item item = read_item(element);
    if (item.role.raw == "\"assistant\"") {
      results_.clear();
      for (const Value call : json::Elements(item.tool_calls)) add_call(call);
    } else if (item.role.raw == "\"tool\"") {
      results_.push_back({item.tool_call_id, item.content});
    }
  }

  // Of the responses API, where calls and results are items of their own.
  void item(Value element) {
    const Item item = read_item(element);
    const bool function = item.type.raw == "\"function_call\"";
    if (function || item.type.raw == "\"custom_tool_call\"") {
      results_.clear();
      asked_.push_back({item.call_id, item.name, function ? item.arguments : item.input});
    } else if (item.type.raw == "\"function_call_output\"" || item.type.raw == "\"custom_tool_call_output\"") {
      results_.push_back({item.call_id, item.output});
    } else if (item.role.raw == "\"assistant\"") {
      results_.clear();
    }
  }

  std::vector<ToolResult> results() const {
    std::vector<ToolResult> out;
    for (const Brought& brought : results_) {
      if (out.size() == kMostToolCalls) break;
      ToolResult result;
      result.call.id = json::text_of(brought.id);
      result.failed = tells_failure(text_in(brought.content));
      complete(result, brought.id);
      out.push_back(std::move(result));
    }
    return out;
  }

 private:
  struct Brought {
    Value id, content;
  };

  void add_call(Value call) {
    const Value custom = found(call, "custom");
    const Value function = custom.is_object() ? custom : found(call, "function");
    asked_.push_back(
        {found(call, "id"), found(function, "name"), found(function, custom.is_object() ? "input" : "arguments")});
  }

  // The last call of that id is the one; ids are the upstream's, and some number them anew in each answer.
  void complete(ToolResult& result, Value id) const {
    const auto last =
        std::ranges::find(asked_.rbegin(), asked_.rend(), id.raw, [](const Asked& asked) { return asked.id.raw; });
    if (last == asked_.rend()) return;
    result.call.name = json::text_of(last->name);
    result.call.arguments = digest_of_arguments(json::text_of(last->arguments));
    const auto earlier =
        std::ranges::count_if(std::next(last), asked_.rend(), [&](const Asked& asked) { return asked.same_as(*last); });
    result.earlier = static_cast<std::uint32_t>(earlier);
  }

  std::vector<Asked> asked_;
  std::vector<Brought> results_;  // since the last answer
};

bool is_failed_status(Value status) { return status.raw == "\"error\"" || status.raw == "\"failed\""; }

}  // namespace

bool tells_failure(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == text.npos) return false;
  text.remove_prefix(first);
  if (text.front() == '{') {
    std::vector<json::Member> members;
    const auto value = json::check(text, members);
    if (!value || !value->is_object()) return false;
    return std::ranges::any_of(members, [](const json::Member& member) {
      const Value said = member.value;
      if (member.key == "error" || member.key == "is_error" || member.key == "isError") return is_truthy(said);
      if (member.key == "success" || member.key == "ok") return said.raw == "false";
      return member.key == "status" && is_failed_status(said);
    });
  }
  constexpr std::array<std::string_view, 5> kWords = {"error", "exception", "traceback", "failed", "an error"};
  return std::ranges::any_of(
      kWords, [&](std::string_view word) { return equals_ignore_case(text.substr(0, word.size()), word); });
}

std::vector<ToolResult> read_tool_results(const RequestView& view) {
  Conversation conversation;
  if (view.endpoint == Endpoint::kChat) {
    if (!view.has_tool_results) return {};
    for (const Value message : json::Elements(view.member("messages")->value)) conversation.message(message);
  } else if (view.endpoint == Endpoint::kResponses) {
    const json::Member* input = view.member("input");
    if (input == nullptr || !input->value.is_array() || !input->value.raw.contains("_call_output")) return {};
    for (const Value item : json::Elements(input->value)) conversation.item(item);
  }
  return conversation.results();
}

}  // namespace sluice::api
