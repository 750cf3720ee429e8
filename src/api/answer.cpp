#include "sluice/api/answer.hpp"

#include "api/choices.hpp"
#include "api/finish_name.hpp"
#include "api/usage.hpp"
#include "sluice/api/errors.hpp"

namespace sluice::api {
namespace {

using json::Value;

struct Fields {
  Value error, object, choices, usage, groq, status;
};

Fields read_fields(const std::vector<json::Member>& members) {
  Fields fields;
  constexpr std::pair<std::string_view, Value Fields::*> kNames[] = {
      {"error", &Fields::error}, {"object", &Fields::object}, {"choices", &Fields::choices},
      {"usage", &Fields::usage}, {"x_groq", &Fields::groq},   {"status", &Fields::status}};
  for (const json::Member& member : members) {
    for (const auto& [name, field] : kNames) {
      if (json::key_is(member, name)) fields.*field = member.value;
    }
  }
  return fields;
}

std::unexpected<Error> unreadable(std::string detail) {
  return fail(ErrorKind::kUpstreamInvalidResponse, "The upstream sent an answer that cannot be read.",
              std::move(detail));
}

Result<std::string> first_finish_reason(Value choices) {
  if (!choices.is_array()) return unreadable("choices is not an array");
  std::string reason;
  std::size_t count = 0;
  for (const Value element : json::Elements(choices)) {
    const std::optional<Choice> choice = read_choice_object(element);
    if (!choice) return unreadable("a choice is malformed");
    if (++count > kMaxChoices) return unreadable("too many choices");
    if (is_truthy(choice->error) || is_failure_reason(choice->finish_reason.raw)) {
      return std::unexpected(choice_error(*choice));
    }
    if (count == 1) reason = finish_name(choice->finish_reason);
  }
  return reason;
}

}  // namespace

Result<Answer> inspect_answer(Endpoint endpoint, std::string_view body) {
  std::vector<json::Member> members;
  const auto value = json::check(body, members, json::Surrogates::kAny);
  if (!value) return unreadable(std::string(value.error().what) + " at byte " + std::to_string(value.error().offset));
  if (!value->is_object()) return unreadable("not an object");
  const Fields fields = read_fields(members);
  if (is_truthy(fields.error)) return std::unexpected(upstream_error_object(fields.error));
  if (fields.object.raw == "\"error\"") return std::unexpected(upstream_error_object(*value));
  Answer answer;
  merge_usage(answer.usage, fields.groq.is_object() ? json::find(fields.groq, "usage").value_or(Value{}) : Value{});
  merge_usage(answer.usage, fields.usage);
  if (endpoint == Endpoint::kResponses) {
    answer.finish_reason = finish_name(fields.status);
  } else if (endpoint == Endpoint::kChat || endpoint == Endpoint::kCompletions) {
    Result<std::string> reason = first_finish_reason(fields.choices);
    if (!reason) return std::unexpected(std::move(reason.error()));
    answer.finish_reason = std::move(*reason);
  }
  return answer;
}

}  // namespace sluice::api
