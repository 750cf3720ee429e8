#include "api/finish_name.hpp"
#include "api/json_utf8.hpp"
#include "api/stream_errors.hpp"
#include "api/usage.hpp"
#include "sluice/api/answer.hpp"
#include "sluice/api/errors.hpp"
#include "sluice/core/ids.hpp"
#include "sluice/core/json_string.hpp"
#include "sluice/core/text.hpp"

namespace sluice::api {
namespace {

using json::Member;
using json::Value;

// The raw text of a type's name: types are plain ASCII, so they come unescaped.
std::string_view name_of(Value type) {
  return type.is_string() && type.raw.size() >= 2 ? type.raw.substr(1, type.raw.size() - 2) : std::string_view();
}

bool is_terminal(std::string_view type) {
  return type == "response.completed" || type == "response.incomplete" || type == "response.failed";
}

void append_response(std::string& out, std::string_view id, std::string_view model, std::int64_t created) {
  out += ",\"response\":{\"id\":";
  append_json_string(out, id);
  out += ",\"object\":\"response\",\"created_at\":";
  append_number(out, created);
  out += ",\"status\":\"failed\",\"model\":";
  append_json_string(out, model);
  out += R"(,"output":[],"incomplete_details":null,"instructions":null,"metadata":{},"parallel_tool_calls":true,)"
         R"("temperature":null,"top_p":null,"tool_choice":"auto","tools":[],"usage":null)";
}

}  // namespace

Result<StreamState::Verdict> StreamState::responses_event(std::string_view type, Value event) {
  // The type of an event is passed on with it, and what is no text must not reach a client.
  if (!json::is_utf8(type)) return invalid_event("the event's type is not UTF-8");
  Value error, response, delta;
  std::int64_t sequence = next_sequence_;
  for (const Member& member : members_) {
    if (json::key_is(member, "type")) {
      if (const std::string_view name = name_of(member.value); !name.empty()) type = name;
    } else if (json::key_is(member, "sequence_number")) {
      sequence = json::integer_of(member.value).value_or(sequence);
    } else if (json::key_is(member, "response")) {
      response = member.value;
    } else if (json::key_is(member, "delta")) {
      delta = member.value;
    } else if (json::key_is(member, "error")) {
      error = member.value;
    }
  }
  if (is_truthy(error)) return std::unexpected(upstream_error_object(error));
  if (type == "error") return std::unexpected(upstream_error_object(event));
  if (type == "ping") return Verdict{Action::kDrop, false, {}};
  if (sequence >= 0 && sequence < INT64_MAX) next_sequence_ = sequence + 1;
  complete_ = is_terminal(type);
  read_response(response);
  if (complete_ && finish_reason_.empty()) finish_reason_ = type.substr(type.find('.') + 1);
  if (type.ends_with(".delta") && !delta.raw.empty() && delta.raw != "\"\"") ++content_events_;
  return Verdict{Action::kPass, complete_, {}, type == "response.failed"};
}

// Every snapshot repeats the answer's identity; only the last one holds its usage.
void StreamState::read_response(Value response) {
  if (!response.is_object() || (!complete_ && !response_id_.empty())) return;
  for (const Member& member : json::Members(response)) {
    if (json::key_is(member, "id")) {
      response_id_ = json::text_of(member.value);
    } else if (json::key_is(member, "model")) {
      response_model_ = json::text_of(member.value);
    } else if (json::key_is(member, "created_at")) {
      response_created_ = json::integer_of(member.value).value_or(0);
    } else if (json::key_is(member, "usage")) {
      merge_usage(usage_, member.value);
    } else if (complete_ && json::key_is(member, "status")) {
      finish_reason_ = finish_name(member.value);
    }
  }
}

std::string StreamState::failure_event(const Error& error) const {
  if (options_.endpoint != Endpoint::kResponses) return error_event(error);
  std::string out = "event: response.failed\ndata: {\"type\":\"response.failed\",\"sequence_number\":";
  append_number(out, next_sequence_);
  append_response(out, response_id_.empty() ? "resp_" + new_request_id().substr(4) : response_id_, response_model_,
                  response_created_);
  out += ",\"error\":{\"code\":";
  append_json_string(out, error.error_code());
  out += ",\"message\":";
  append_json_string(out, error.message);
  out += "}}}\n\n";
  return out;
}

}  // namespace sluice::api
