#include "sluice/api/request_view.hpp"

#include "api/json_scan.hpp"
#include "api/request_rules.hpp"
#include "sluice/core/text.hpp"

namespace sluice::api {
namespace {

using json::Fault;
using json::Value;

constexpr std::size_t kMaxShownName = 64;

// What the member name whose quotes open at `offset` says.
std::string name_at(std::string_view body, std::size_t offset) {
  const char* const start = body.data() + offset;
  const char* const stop = json::scan::skip_string(start, body.data() + body.size());
  return truncate_utf8(json::text_of({{start, static_cast<std::size_t>(stop - start)}}), kMaxShownName);
}

Error json_error(const Fault& fault, std::string_view body) {
  Error error;
  switch (fault.kind) {
    case Fault::Kind::kDuplicateKey:
      error.kind = ErrorKind::kDuplicateKey;
      error.param = name_at(body, fault.offset);
      break;
    case Fault::Kind::kTooDeep:
      error.kind = ErrorKind::kJsonTooDeep;
      break;
    case Fault::Kind::kSyntax:
    case Fault::Kind::kUtf8:
      error.kind = ErrorKind::kInvalidJson;
  }
  error.message = "The request body is not valid JSON: ";
  error.message += fault.what;
  error.message += " at byte ";
  append_number(error.message, fault.offset);
  error.message += '.';
  return error;
}

Result<void> apply_rule(const FieldRule& rule, Value value, RequestView& view) {
  if (rule.nullable && value.is_null()) return {};
  if (!rule.accepts(value)) return invalid_value(rule.name, rule.wanted, value, view.body);
  if (rule.examine != nullptr) {
    if (auto good = rule.examine(value, view.body); !good) return good;
  }
  if (rule.store != nullptr) rule.store(view, value);
  return {};
}

Result<void> apply_rules(RequestView& view, Value whole) {
  for (const FieldRule& rule : rules_of(view.endpoint)) {
    const json::Member* member = view.member(rule.name);
    if (member == nullptr) {
      if (rule.required) return missing_field(rule.name, whole, view.body);
      continue;
    }
    if (auto good = apply_rule(rule, member->value, view); !good) return good;
  }
  return {};
}

// OpenAI refuses options for a stream that is not asked for.
Result<void> examine_together(const RequestView& view) {
  if (view.stream || (view.endpoint != Endpoint::kChat && view.endpoint != Endpoint::kCompletions)) return {};
  const json::Member* options = view.member("stream_options");
  if (options == nullptr || options->value.is_null()) return {};
  return fail_param(ErrorKind::kInvalidValue, "stream_options",
                    "Invalid value for 'stream_options': it is only allowed when 'stream' is true; it stands" +
                        at_byte(options->raw, view.body) + ".");
}

bool is_list(const json::Member* member) { return member != nullptr && member->value.is_array(); }

}  // namespace

const json::Member* RequestView::member(std::string_view name) const {
  for (const json::Member& member : members) {
    if (json::key_is(member, name)) return &member;
  }
  return nullptr;
}

std::string RequestView::text(std::string_view name) const {
  const json::Member* found = member(name);
  return found == nullptr ? std::string() : json::text_of(found->value);
}

std::optional<std::int64_t> RequestView::integer(std::string_view name) const {
  const json::Member* found = member(name);
  return found == nullptr ? std::nullopt : json::integer_of(found->value);
}

std::optional<std::int64_t> RequestView::max_output() const {
  for (const std::string_view name : {"max_completion_tokens", "max_tokens", "max_output_tokens"}) {
    if (const auto most = integer(name)) return most;
  }
  return std::nullopt;
}

Result<RequestView> parse_request(Endpoint endpoint, std::string_view body) {
  RequestView view;
  view.endpoint = endpoint;
  view.body = body;
  RequestWatch watch(body);
  const auto value = json::check(body, view.members, watch);
  if (!value) return std::unexpected(json_error(value.error(), body));
  if (!value->is_object())
    return fail(ErrorKind::kInvalidJson,
                "The request body must be a JSON object, not what stands" + at_byte(value->raw, body) + ".");
  if (!watch.destinations()) return std::unexpected(std::move(watch.destinations().error()));
  if (auto good = apply_rules(view, *value); !good) return std::unexpected(std::move(good.error()));
  if (endpoint == Endpoint::kChat && !watch.messages()) return std::unexpected(std::move(watch.messages().error()));
  if (auto good = examine_together(view); !good) return std::unexpected(std::move(good.error()));
  view.messages = watch.count();
  view.first_user = watch.first_user();
  view.last_user = watch.last_user();
  view.has_tool_results = watch.has_tool_results();
  view.has_parts = watch.has_parts() || is_list(view.member("input")) || is_list(view.member("prompt"));
  return view;
}

}  // namespace sluice::api
