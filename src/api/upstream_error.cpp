#include <algorithm>
#include <charconv>
#include <optional>

#include "sluice/api/errors.hpp"
#include "sluice/core/text.hpp"

namespace sluice::api {
namespace {

using json::Value;

constexpr std::size_t kMaxMessage = 4096;
constexpr std::size_t kMaxName = 256;

// What an upstream said went wrong. An empty message: nothing was recognised.
struct Report {
  std::string message, type, param, code;
};

std::string text_or_number(std::optional<Value> value) {
  if (!value) return {};
  if (value->is_number()) return truncate_utf8(value->raw, kMaxName);
  return truncate_utf8(json::text_of(*value), kMaxName);
}

std::string text_member(Value object, std::string_view name) {
  const std::optional<Value> value = json::find(object, name);
  return value ? json::text_of(*value) : std::string();
}

std::optional<Value> first_element(Value array) {
  for (const Value value : json::Elements(array)) return value;
  return std::nullopt;
}

// {"message", "type", "param", "code"} and kin; Google has `status`, AWS `__type`, where others have `type`.
Report read_flat(Value object) {
  Report report;
  report.message = text_member(object, "message");
  report.param = text_or_number(json::find(object, "param"));
  report.code = text_or_number(json::find(object, "code"));
  for (const std::string_view name : {"type", "status", "__type"}) {
    if (report.type.empty()) report.type = truncate_utf8(text_member(object, name), kMaxName);
  }
  return report;
}

std::string location(Value loc) {
  std::string path;
  for (const Value part : json::Elements(loc)) {
    if (!path.empty()) path += '.';
    path += text_or_number(part);
    if (path.size() > kMaxName) break;
  }
  return path;
}

// FastAPI: {"detail": "text"} or {"detail": [{"loc": […], "msg": "text", "type": "…"}]}.
Report read_detail(Value detail) {
  Report report;
  if (detail.is_string()) {
    report.message = json::text_of(detail);
  } else if (const std::optional<Value> first = first_element(detail); first) {
    report.message = text_member(*first, "msg");
    const std::optional<Value> loc = json::find(*first, "loc");
    const std::string path = loc ? location(*loc) : std::string();
    if (!report.message.empty() && !path.empty()) report.message = path + ": " + report.message;
  } else {
    report = read_flat(detail);
  }
  return report;
}

// The value of an `error` member: an object, or a text whose code stands beside it.
Report read_error(Value error, std::optional<Value> outer) {
  if (error.is_object()) {
    Report report = read_flat(error);
    if (!report.message.empty()) return report;
    const std::optional<Value> inner = json::find(error, "error");
    return inner && inner->is_object() ? read_flat(*inner) : report;
  }
  Report report;
  report.message = json::text_of(error);
  if (outer) report.code = text_or_number(json::find(*outer, "code"));
  return report;
}

// Cloudflare: {"errors": [{"code", "message"}]}, or texts.
Report read_list(Value errors) {
  const std::optional<Value> first = first_element(errors);
  return first ? read_error(*first, std::nullopt) : Report{};
}

Report read_object(Value object) {
  if (const auto error = json::find(object, "error"); error && is_truthy(*error)) return read_error(*error, object);
  if (Report report = read_flat(object); !report.message.empty()) return report;
  if (const auto detail = json::find(object, "detail"); detail) return read_detail(*detail);
  if (const auto errors = json::find(object, "errors"); errors) return read_list(*errors);
  return {};
}

Report read_body(std::string_view body) {
  const auto value = json::check(body, json::Surrogates::kAny);
  if (!value) return {};
  if (value->is_object()) return read_object(*value);
  const std::optional<Value> first = first_element(*value);  // Google: [{"error": {…}}]
  return first && first->is_object() ? read_object(*first) : Report{};
}

int client_status(int status) {
  if (status < 500 || (status >= 502 && status <= 504)) return status;
  return status == 529 ? 503 : 502;
}

std::string_view type_of_status(int status) {
  switch (status) {
    case 408:
    case 504:
      return "timeout_error";
    case 409:
      return "conflict_error";
    case 429:
      return "rate_limit_error";
    case 503:
      return "service_unavailable_error";
    default:
      return status >= 500 ? "server_error" : "invalid_request_error";
  }
}

struct NamedStatus {
  std::string_view name;
  int status;
};
constexpr NamedStatus kNamed[] = {
    {"invalid_request_error", 400}, {"context_length_exceeded", 400},
    {"content_filter", 400},        {"INVALID_ARGUMENT", 400},
    {"BadRequestError", 400},       {"invalid_api_key", 401},
    {"authentication_error", 401},  {"UNAUTHENTICATED", 401},
    {"billing_error", 402},         {"permission_error", 403},
    {"PERMISSION_DENIED", 403},     {"not_found_error", 404},
    {"model_not_found", 404},       {"NOT_FOUND", 404},
    {"request_too_large", 413},     {"rate_limit_error", 429},
    {"rate_limit_exceeded", 429},   {"insufficient_quota", 429},
    {"RESOURCE_EXHAUSTED", 429},    {"overloaded_error", 503},
    {"server_is_overloaded", 503},  {"service_unavailable_error", 503},
    {"UNAVAILABLE", 503},           {"timeout_error", 504},
    {"DEADLINE_EXCEEDED", 504},
};

// For the log: the status, and the upstream's code or type if that is one of the names above. Anything else could be
// a piece of the prompt.
std::string detail_of(int status, const Report& report) {
  std::string detail = "upstream status " + std::to_string(status);
  for (const std::string& name : {report.code, report.type}) {
    const bool known = std::ranges::find(kNamed, name, &NamedStatus::name) != std::end(kNamed);
    if (known) return detail + ", " + name;
  }
  return detail;
}

// The credential and its balance are the operator's: none of the upstream's text reaches the client.
Error account_error(int status, const Report& report) {
  Error error;
  error.kind = ErrorKind::kUpstreamAuth;
  error.message = status == 402 ? "The provider account behind this gateway has no balance left."
                                : "The provider did not accept this gateway's credential.";
  error.detail = detail_of(status, report);
  return error;
}

Error make_error(int status, Report report) {
  if (status < 400) {
    return fail(ErrorKind::kUpstreamInvalidResponse, "The upstream answered with an unexpected status.",
                "upstream status " + std::to_string(status))
        .error();
  }
  if (status >= 401 && status <= 403) return account_error(status, report);
  Error error;
  error.kind = ErrorKind::kUpstreamStatus;
  error.status = client_status(status);
  error.detail = detail_of(status, report);
  error.message = report.message.empty() ? "The upstream answered with status " + std::to_string(status) + "."
                                         : truncate_utf8(report.message, kMaxMessage);
  error.type = report.type.empty() ? std::string(type_of_status(error.status)) : std::move(report.type);
  error.param = std::move(report.param);
  error.code = std::move(report.code);
  return error;
}

int status_of_name(std::string_view name) {
  for (const NamedStatus& named : kNamed) {
    if (named.name == name) return named.status;
  }
  int number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  const bool whole = error == std::errc() && end == name.data() + name.size();
  return whole && number >= 400 && number <= 599 ? number : 0;
}

// The code is closer to the cause than the type: invalid_request_error covers nearly everything.
int status_of(const Report& report) {
  if (const int status = status_of_name(report.code); status != 0) return status;
  const int status = status_of_name(report.type);
  return status != 0 ? status : 502;
}

}  // namespace

Error upstream_error(int status, std::string_view body) { return make_error(status, read_body(body)); }

Error upstream_error_object(Value error) {
  Report report = read_error(error, std::nullopt);
  const int status = status_of(report);
  if (report.message.empty()) report.message = "The upstream reported an error.";
  return make_error(status, std::move(report));
}

}  // namespace sluice::api
