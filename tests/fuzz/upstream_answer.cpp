// Whole answers of upstreams, good ones and errors (F36, F38, F39): whatever they hold, what the client gets is good
// JSON, and embeddings survive the way to base64 and back.

#include <nlohmann/json.hpp>

#include "fuzz/fuzz.hpp"
#include "sluice/api/answer.hpp"
#include "sluice/api/errors.hpp"

namespace sluice::fuzz {
namespace {

bool is_json(std::string_view text) { return nlohmann::json::accept(text) && json::check(text).has_value(); }

void check_error(const Error& error) {
  for (const Dialect dialect : {Dialect::kOpenai, Dialect::kAnthropic}) {
    require(is_json(api::error_body(error, dialect, "req_1")), "an error body is good JSON");
  }
  const std::string event = api::error_event(error);
  require(event.starts_with("data: ") && event.ends_with("\n\n"), "an error event is one frame");
  const std::string_view data = std::string_view(event).substr(6, event.size() - 8);
  require(data.find_first_of("\r\n") == std::string_view::npos && is_json(data), "with one line of good JSON");
  require(error.http_status() >= 400 && error.http_status() <= 599, "an error has the status of one");
}

void check_status(int status, std::string_view body) {
  const Error error = api::upstream_error(status, body);
  check_error(error);
  const bool account = status >= 401 && status <= 403;
  require(!account || (error.http_status() == 502 && api::upstream_error(status, {}).message == error.message),
          "nothing about the operator's account reaches a client");
}

// From one form to the other and back again.
void check_embeddings(std::string_view body) {
  using api::Encoding;
  const auto floats = api::convert_embeddings(body, Encoding::kFloat);
  const auto base64 = api::convert_embeddings(body, Encoding::kBase64);
  if (!floats || !base64) return;
  const std::string as_floats = floats->value_or(std::string(body)), as_base64 = base64->value_or(std::string(body));
  require(json::check(as_floats, json::Surrogates::kAny).has_value(), "numbers are good JSON");
  require(json::check(as_base64, json::Surrogates::kAny).has_value(), "base64 is good JSON");
  const auto back = api::convert_embeddings(as_floats, Encoding::kBase64);
  require(back && api::convert_embeddings(as_base64, Encoding::kFloat), "both ways are open");
  const auto again = api::convert_embeddings(back->value_or(as_floats), Encoding::kFloat);
  require(again && again->value_or(back->value_or(as_floats)) ==
                       api::convert_embeddings(as_base64, Encoding::kFloat)->value_or(as_base64),
          "no number changes on the way");
}

}  // namespace

void test(const Input& input) {
  for (const int status : {302, 401, 429, 500}) check_status(status, input.bytes);
  const auto value = json::check(input.bytes, json::Surrogates::kAny);
  if (!value) return;
  check_error(api::upstream_error_object(*value));
  for (const Endpoint endpoint : {Endpoint::kChat, Endpoint::kResponses, Endpoint::kModerations}) {
    if (const auto answer = api::inspect_answer(endpoint, input.bytes); !answer) check_error(answer.error());
  }
  if (api::inspect_answer(Endpoint::kEmbeddings, input.bytes)) check_embeddings(input.bytes);
}

}  // namespace sluice::fuzz
