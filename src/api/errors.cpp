#include "sluice/api/errors.hpp"
#include "sluice/core/json_string.hpp"

namespace sluice::api {
namespace {

void append_or_null(std::string& out, std::string_view text) {
  if (text.empty()) {
    out += "null";
  } else {
    append_json_string(out, text);
  }
}

void append_openai(std::string& out, const Error& error) {
  out += "{\"error\":{\"message\":";
  append_json_string(out, error.message);
  out += ",\"type\":";
  append_json_string(out, error.error_type());
  out += ",\"param\":";
  append_or_null(out, error.param);
  out += ",\"code\":";
  append_or_null(out, error.error_code());
  out += error.more;
  out += "}}";
}

// Anthropic's API reference, "Errors".
std::string_view anthropic_type(int status) {
  switch (status) {
    case 401:
      return "authentication_error";
    case 402:
      return "billing_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 408:
    case 504:
      return "timeout_error";
    case 409:
      return "conflict_error";
    case 413:
      return "request_too_large";
    case 429:
      return "rate_limit_error";
    case 503:
    case 529:
      return "overloaded_error";
    default:
      return status >= 500 ? "api_error" : "invalid_request_error";
  }
}

bool passing_status(int status) { return status == 408 || status == 409 || status == 429 || status >= 500; }

}  // namespace

std::string error_body(const Error& error, Dialect dialect, std::string_view request_id) {
  std::string out;
  if (dialect == Dialect::kOpenai) {
    append_openai(out, error);
    return out;
  }
  out += "{\"type\":\"error\",\"error\":{\"type\":";
  append_json_string(out, anthropic_type(error.http_status()));
  out += ",\"message\":";
  append_json_string(out, error.message);
  out += error.more;
  out += "},\"request_id\":";
  append_json_string(out, request_id);
  out += '}';
  return out;
}

std::string error_event(const Error& error) {
  std::string out = "data: ";
  append_openai(out, error);
  out += "\n\n";
  return out;
}

bool should_retry(const Error& error) {
  if (error.kind != ErrorKind::kUpstreamStatus) return traits(error.kind).should_retry;
  return passing_status(error.http_status());
}

bool may_fall_back(const Error& error) {
  if (error.kind != ErrorKind::kUpstreamStatus) return traits(error.kind).may_fall_back;
  return passing_status(error.http_status());
}

bool is_truthy(json::Value value) {
  if (value.raw.empty() || value.is_null() || value.raw == "false" || value.raw == "\"\"") return false;
  return !value.is_object() || json::Members(value).begin() != std::default_sentinel;
}

}  // namespace sluice::api
