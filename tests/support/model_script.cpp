#include "support/model_script.hpp"

#include <nlohmann/json.hpp>

#include "support/openai_answers.hpp"
#include "support/scripted_upstream.hpp"

namespace sluice::support {
namespace {

using nlohmann::json;

struct Asked {
  std::string model;
  bool stream = false;
  bool usage = false;
  std::string encoding;
  std::size_t inputs = 1;
  std::size_t dimensions = 3;
};

std::size_t input_count(const json& input) {
  if (!input.is_array()) return 1;
  return input.empty() || input[0].is_number() ? 1 : input.size();
}

Asked asked(const ObservedRequest& request) {
  Asked result;
  result.model = request.model;
  const json body = json::parse(request.body, nullptr, false);
  if (!body.is_object()) return result;
  result.stream = body.contains("stream") && body["stream"] == true;
  const json options = body.value("stream_options", json());
  result.usage = options.is_object() && options.value("include_usage", false);
  result.encoding = body.value("encoding_format", "float");
  result.inputs = input_count(body.value("input", json()));
  result.dimensions = body.value("dimensions", std::size_t{3});
  return result;
}

// The number at the end of `prefix-N`.
std::optional<int> number_after(const std::string& model, std::string_view prefix) {
  if (!model.starts_with(prefix) || model.size() == prefix.size()) return std::nullopt;
  return static_cast<int>(std::strtol(model.c_str() + prefix.size(), nullptr, 10));
}

std::vector<std::string> words(int count) {
  std::vector<std::string> result;
  for (int i = 0; i < count; ++i) result.push_back("word" + std::to_string(i) + " ");
  return result;
}

std::vector<std::string> stream_of(const Asked& request, const std::vector<std::string>& texts) {
  return request.usage ? chat_stream_with_usage(texts) : chat_stream(texts);
}

std::vector<std::string> unfinished_stream() { return {role_chunk(), text_chunk("Hello"), text_chunk(" there")}; }

Behaviour error(int status) {
  static const std::map<int, std::array<std::string, 3>> kErrors = {
      {400,
       {"This model's maximum context length is 8192 tokens.", "invalid_request_error", "context_length_exceeded"}},
      {401, {"Incorrect API key provided: sk-up****cret.", "invalid_request_error", "invalid_api_key"}},
      {403, {"You are not allowed to sample from this model.", "permission_error", "model_not_allowed"}},
      {404, {"The model does not exist.", "invalid_request_error", "model_not_found"}},
      {422, {"The request was well-formed but wrong.", "invalid_request_error", "unprocessable_entity"}},
      {429, {"Rate limit reached for requests.", "requests", "rate_limit_exceeded"}},
      {503, {"The engine is overloaded.", "server_error", "overloaded"}},
  };
  static const std::array<std::string, 3> kOther = {"The server had an error.", "server_error", "internal_error"};
  const auto found = kErrors.find(status);
  const auto& [message, type, code] = found == kErrors.end() ? kOther : found->second;
  Behaviour behaviour;
  behaviour.status(status, "Error").header("x-request-id", "req_upstream").json(error_answer(message, type, code));
  if (status == 429) behaviour.header("retry-after", "1");
  return behaviour;
}

Behaviour ok(const Asked& request, const ObservedRequest& raw) {
  Behaviour behaviour;
  behaviour.header("x-request-id", "req_upstream");
  if (raw.target.ends_with("/embeddings")) {
    const bool base64 =
        request.model == "embed-base64" || (request.model != "embed-float" && request.encoding == "base64");
    return behaviour.json(embeddings_answer(base64, request.inputs, request.dimensions / 3));
  }
  if (raw.target.ends_with("/moderations")) return behaviour.json(moderation_answer());
  if (raw.target.ends_with("/responses")) {
    if (request.stream) return behaviour.sse(responses_stream({"Hello", " there."}));
    return behaviour.json(responses_answer("Hello there."));
  }
  if (raw.target.ends_with("/completions") && !raw.target.ends_with("/chat/completions")) {
    if (request.stream) return behaviour.stream(completion_stream({"Hello", " there."}, request.usage));
    return behaviour.json(completion_answer("Hello there."));
  }
  if (request.model == "tools") {
    if (request.stream) return behaviour.stream(tool_call_stream());
    return behaviour.json(tool_call_answer("get_weather", R"({"city":"Paris"})"));
  }
  const std::string text = request.model == "structured" ? R"({"name":"Ada","age":36})" : "Hello there.";
  if (!request.stream) return behaviour.json(chat_answer(text));
  return behaviour.stream(stream_of(request, {text.substr(0, 5), text.substr(5)}));
}

// The start of a stream of the endpoint that was asked.
Behaviour unfinished(const ObservedRequest& raw) {
  Behaviour behaviour;
  if (!raw.target.ends_with("/responses")) return behaviour.stream(unfinished_stream());
  auto texts = responses_stream({"Hello", " there"});
  texts.resize(5);  // up to the second delta
  return behaviour.sse(texts);
}

std::optional<Behaviour> faulty(const Asked& request, const ObservedRequest& raw) {
  Behaviour behaviour;
  if (request.model == "hang") return behaviour.hang();
  if (!request.stream) return std::nullopt;
  if (request.model == "stall") return unfinished(raw).stall();
  if (request.model == "truncate") return unfinished(raw).without_last_chunk();
  if (request.model == "reset-mid") return unfinished(raw).then_reset();
  if (request.model == "error-stream") {
    auto events = unfinished_stream();
    events.push_back(error_answer("The engine is overloaded.", "server_error", "overloaded"));
    return behaviour.stream(events);
  }
  return std::nullopt;
}

}  // namespace

bool ModelScript::first_time(const std::string& model) {
  const std::lock_guard lock(mutex_);
  return seen_.insert(model).second;
}

Behaviour ModelScript::operator()(const ObservedRequest& raw) {
  const Asked request = asked(raw);
  if (const auto status = number_after(request.model, "error-"); status && *status >= 400) return error(*status);
  if (request.model.starts_with("flaky-429") && first_time(request.model)) {
    return error(429).header("retry-after-ms", "50");
  }
  if (auto behaviour = faulty(request, raw)) return *behaviour;
  if (const auto count = number_after(request.model, "stream-"); count && request.stream) {
    return Behaviour().stream(stream_of(request, words(*count)));
  }
  if (request.model == "slow-stream" && request.stream) {
    return Behaviour().stream(stream_of(request, words(20))).event_gap(100ms);
  }
  return ok(request, raw);
}

std::string observed_json(const ScriptedUpstream& upstream) {
  const auto ms = [](Clock::duration time) { return std::chrono::duration<double, std::milli>(time).count(); };
  json result = {{"requests", json::array()}, {"connections", json::array()}};
  for (const ObservedRequest& request : upstream.requests()) {
    if (request.target.starts_with("/_")) continue;
    json headers = json::array();
    for (const auto& [name, value] : request.head.headers) headers.push_back({name, value});
    result["requests"].push_back({{"connection", request.connection},
                                  {"method", request.method},
                                  {"target", request.target},
                                  {"headers", headers},
                                  {"model", request.model},
                                  {"at_ms", ms(request.at.time_since_epoch())},
                                  {"body", request.body}});
  }
  for (const ObservedConnection& seen : upstream.connections()) {
    json entry = {{"peer", to_string(seen.peer)}, {"bytes_in", seen.bytes_in}, {"bytes_out", seen.bytes_out}};
    if (seen.peer != End::kOpen) {
      entry["closed_after_ms"] = ms(seen.closed_at - seen.accepted_at);
      entry["closed_at_ms"] = ms(seen.closed_at.time_since_epoch());
    }
    result["connections"].push_back(std::move(entry));
  }
  return result.dump(2, ' ', false, json::error_handler_t::replace);
}

}  // namespace sluice::support
