#include "support/openai_answers.hpp"

#include <nlohmann/json.hpp>

namespace sluice::support {
namespace {

constexpr std::string_view kHead =
    R"({"id":"chatcmpl-AbC123","object":"chat.completion.chunk","created":1767225600,"model":"upstream-model",)"
    R"("system_fingerprint":"fp_44","choices":)";

std::string quoted(std::string_view text) { return nlohmann::json(text).dump(); }

std::string completion(std::string_view message, std::string_view finish, std::string_view model) {
  return R"({"id":"chatcmpl-AbC123","object":"chat.completion","created":1767225600,"model":)" + quoted(model) +
         R"(,"choices":[{"index":0,"message":)" + std::string(message) + R"(,"logprobs":null,"finish_reason":)" +
         quoted(finish) +
         R"(}],"usage":{"prompt_tokens":12,"completion_tokens":7,"total_tokens":19,)"
         R"("prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":3}},)"
         R"("system_fingerprint":"fp_44"})";
}

std::string delta(std::string_view value, std::string_view finish) {
  return chunk(R"([{"index":0,"delta":)" + std::string(value) + R"(,"logprobs":null,"finish_reason":)" +
               std::string(finish) + "}]");
}

std::string body(std::string_view model, std::string_view more) {
  std::string text = R"({"model":)" + quoted(model) + R"(,"messages":[{"role":"user","content":"Say hello."}])";
  if (!more.empty()) text += "," + std::string(more);
  return text + "}";
}

}  // namespace

std::string chat_answer(std::string_view text, std::string_view model) {
  return completion(R"({"role":"assistant","content":)" + quoted(text) + R"(,"refusal":null})", "stop", model);
}

std::string tool_call_answer(std::string_view name, std::string_view arguments) {
  return completion(R"({"role":"assistant","content":null,"refusal":null,"tool_calls":[{"id":"call_9xZ",)"
                    R"("type":"function","function":{"name":)" +
                        quoted(name) + R"(,"arguments":)" + quoted(arguments) + "}}]}",
                    "tool_calls", "upstream-model");
}

std::string chunk(std::string_view choices, std::string_view more) {
  return std::string(kHead) + std::string(choices) + std::string(more) + "}";
}

std::string role_chunk() { return delta(R"({"role":"assistant","content":"","refusal":null})", "null"); }

std::string text_chunk(std::string_view text) { return delta(R"({"content":)" + quoted(text) + "}", "null"); }

std::string finish_chunk(std::string_view reason) { return delta("{}", quoted(reason)); }

std::string usage_chunk(std::string_view usage) { return chunk("[]", R"(,"usage":)" + std::string(usage)); }

std::vector<std::string> chat_stream(const std::vector<std::string>& texts) {
  std::vector<std::string> events{role_chunk()};
  for (const auto& text : texts) events.push_back(text_chunk(text));
  events.push_back(finish_chunk());
  events.push_back(kDone);
  return events;
}

std::vector<std::string> chat_stream_with_usage(const std::vector<std::string>& texts) {
  std::vector<std::string> events = chat_stream(texts);
  events.insert(events.end() - 1, usage_chunk());
  return events;
}

std::vector<std::string> tool_call_stream() {
  return {
      role_chunk(),
      delta(R"({"tool_calls":[{"index":0,"id":"call_9xZ","type":"function","function":{"name":"get_weather",)"
            R"("arguments":""}}]})",
            "null"),
      delta(R"({"tool_calls":[{"index":0,"function":{"arguments":"{\"city\":"}}]})", "null"),
      delta(R"({"tool_calls":[{"index":0,"function":{"arguments":"\"Paris\"}"}}]})", "null"),
      finish_chunk("tool_calls"),
      kDone,
  };
}

std::string error_answer(std::string_view message, std::string_view type, std::string_view code) {
  return R"({"error":{"message":)" + quoted(message) + R"(,"type":)" + quoted(type) + R"(,"param":null,"code":)" +
         quoted(code) + "}}";
}

std::string embeddings_answer(bool base64, std::size_t inputs) {
  std::string text = R"({"object":"list","data":[)";
  for (std::size_t i = 0; i < inputs; ++i) {
    if (i > 0) text += ",";
    text += R"({"object":"embedding","index":)" + std::to_string(i) + R"(,"embedding":)" +
            (base64 ? R"("AAAAPwAAoL8AAEBA")" : "[0.5,-1.25,3.0]") + "}";
  }
  return text + R"(],"model":"upstream-model","usage":{"prompt_tokens":5,"total_tokens":5}})";
}

std::string responses_answer(std::string_view text) {
  return R"({"id":"resp_1","object":"response","created_at":1767225600,"status":"completed","error":null,)"
         R"("model":"upstream-model","output":[{"type":"message","id":"msg_1","status":"completed",)"
         R"("role":"assistant","content":[{"type":"output_text","text":)" +
         quoted(text) +
         R"(,"annotations":[]}]}],"usage":{"input_tokens":12,"input_tokens_details":{"cached_tokens":0},)"
         R"("output_tokens":7,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":19}})";
}

std::string chat_body(std::string_view model, std::string_view more) { return body(model, more); }

std::string stream_body(std::string_view model, std::string_view more) {
  return body(model, more.empty() ? R"("stream":true)" : R"("stream":true,)" + std::string(more));
}

}  // namespace sluice::support
