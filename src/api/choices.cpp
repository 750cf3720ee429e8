#include "api/choices.hpp"

#include <algorithm>
#include <array>

#include "sluice/api/errors.hpp"

namespace sluice::api {
namespace {

using json::Value;

constexpr std::array<std::string_view, 7> kContent = {"content",    "reasoning_content", "reasoning",        "refusal",
                                                      "tool_calls", "function_call",     "reasoning_details"};

bool is_empty(Value value) { return value.is_null() || value.raw == "\"\"" || value.raw == "[]" || value.raw == "{}"; }

bool delta_has_content(Value delta) {
  for (const json::Member& member : json::Members(delta)) {
    if (!is_empty(member.value) && std::ranges::find(kContent, member.key) != kContent.end()) return true;
  }
  return false;
}

}  // namespace

std::optional<Choice> read_choice_object(Value object) {
  if (!object.is_object()) return std::nullopt;
  Choice choice;
  for (const json::Member& member : json::Members(object)) {
    if (json::key_is(member, "index")) {
      const std::optional<std::int64_t> index = json::integer_of(member.value);
      if (!index || *index < 0 || *index >= static_cast<std::int64_t>(kMaxChoices)) return std::nullopt;
      choice.index = static_cast<std::size_t>(*index);
    } else if (json::key_is(member, "delta")) {
      choice.has_content = choice.has_content || delta_has_content(member.value);
    } else if (json::key_is(member, "text")) {
      choice.has_content = choice.has_content || !is_empty(member.value);
    } else if (json::key_is(member, "finish_reason")) {
      choice.finish_reason = member.value;
    } else if (json::key_is(member, "error")) {
      choice.error = member.value;
    }
  }
  return choice;
}

bool is_failure_reason(std::string_view raw_reason) {
  return raw_reason == "\"error\"" || raw_reason == "\"insufficient_system_resource\"" ||
         raw_reason == "\"engine_overloaded\"";
}

Error choice_error(const Choice& choice) {
  if (is_truthy(choice.error)) return upstream_error_object(choice.error);
  Error error;
  error.kind = ErrorKind::kUpstreamStatus;
  error.message = "The upstream ended the answer with finish_reason " + json::text_of(choice.finish_reason) + ".";
  return error;
}

}  // namespace sluice::api
