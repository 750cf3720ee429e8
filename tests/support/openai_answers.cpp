#include "support/openai_answers.hpp"

#include <nlohmann/json.hpp>

namespace sluice::support {
namespace {

constexpr std::string_view kHead =
    R"({"id":"chatcmpl-AbC123","object":"chat.completion.chunk","created":1767225600,"model":"upstream-model",)"
    R"("system_fingerprint":"canary-answer-fp","choices":)";

std::string in_quotes(std::string_view text) { return nlohmann::json(text).dump(); }

std::string completion(std::string_view message, std::string_view finish, std::string_view model) {
  return R"({"id":"chatcmpl-AbC123","object":"chat.completion","created":1767225600,"model":)" + in_quotes(model) +
         R"(,"choices":[{"index":0,"message":)" + std::string(message) + R"(,"logprobs":null,"finish_reason":)" +
         in_quotes(finish) +
         R"(}],"usage":{"prompt_tokens":12,"completion_tokens":7,"total_tokens":19,)"
         R"("prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":3}},)"
         R"("system_fingerprint":"canary-answer-fp"})";
}

std::string delta(std::string_view value, std::string_view finish) {
  return chunk(R"([{"index":0,"delta":)" + std::string(value) + R"(,"logprobs":null,"finish_reason":)" +
               std::string(finish) + "}]");
}

constexpr std::string_view kCompletionHead =
    R"({"id":"cmpl-canary-answer","object":"text_completion","created":1767225600,"model":"upstream-model","choices":)";
constexpr std::string_view kCompletionUsage =
    R"(,"usage":{"prompt_tokens":12,"completion_tokens":7,"total_tokens":19})";

std::string completion_chunk(std::string_view text, std::string_view finish, std::string_view more = "") {
  return std::string(kCompletionHead) + R"([{"index":0,"text":)" + in_quotes(text) +
         R"(,"logprobs":null,"finish_reason":)" + std::string(finish) + "}]" + std::string(more) + "}";
}

std::string text_part(std::string_view text) {
  return R"({"type":"output_text","text":)" + in_quotes(text) + R"(,"annotations":[],"logprobs":[]})";
}

std::string message(std::string_view status, std::string_view parts) {
  return R"({"type":"message","id":"msg_1","status":)" + in_quotes(status) + R"(,"role":"assistant","content":[)" +
         std::string(parts) + "]}";
}

std::string response(std::string_view status, std::string_view output, std::string_view usage) {
  return R"({"id":"resp_1","object":"response","created_at":1767225600,"status":)" + in_quotes(status) +
         R"(,"error":null,"incomplete_details":null,"instructions":null,"metadata":{"note":"canary-answer"},"model":"upstream-model",)"
         R"("output":[)" +
         std::string(output) +
         R"(],"parallel_tool_calls":true,"temperature":1.0,"tool_choice":"auto","tools":[],"top_p":1.0,"usage":)" +
         std::string(usage) + "}";
}

struct ResponsesEvents {
  std::vector<std::string> texts;

  void add(std::string_view type, std::string_view members) {
    texts.push_back("event: " + std::string(type) + "\ndata: {\"type\":" + in_quotes(type) +
                    ",\"sequence_number\":" + std::to_string(texts.size()) + "," + std::string(members) + "}\n\n");
  }
};

std::string body(std::string_view model, std::string_view more) {
  std::string text =
      R"({"model":)" + in_quotes(model) + R"(,"messages":[{"role":"user","content":"Say hello, canary-prompt."}])";
  if (!more.empty()) text += "," + std::string(more);
  return text + "}";
}

}  // namespace

std::string chat_answer(std::string_view text, std::string_view model) {
  return completion(R"({"role":"assistant","content":)" + in_quotes(text) + R"(,"refusal":null})", "stop", model);
}

std::string tool_call_answer(std::string_view name, std::string_view arguments) {
  return completion(R"({"role":"assistant","content":null,"refusal":null,"tool_calls":[{"id":"call_9xZ",)"
                    R"("type":"function","function":{"name":)" +
                        in_quotes(name) + R"(,"arguments":)" + in_quotes(arguments) + "}}]}",
                    "tool_calls", "upstream-model");
}

std::string chunk(std::string_view choices, std::string_view more) {
  return std::string(kHead) + std::string(choices) + std::string(more) + "}";
}

std::string role_chunk() { return delta(R"({"role":"assistant","content":"","refusal":null})", "null"); }

std::string text_chunk(std::string_view text) { return delta(R"({"content":)" + in_quotes(text) + "}", "null"); }

std::string finish_chunk(std::string_view reason) { return delta("{}", in_quotes(reason)); }

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
  return R"({"error":{"message":)" + in_quotes(message) + R"(,"type":)" + in_quotes(type) + R"(,"param":null,"code":)" +
         in_quotes(code) + "}}";
}

std::string embeddings_answer(bool base64, std::size_t inputs, std::size_t repeats) {
  std::string vector;
  for (std::size_t i = 0; i < repeats; ++i) {
    vector += base64 ? "AAAAPwAAoL8AAEBA" : (i > 0 ? ",0.5,-1.25,3.0" : "0.5,-1.25,3.0");
  }
  vector = base64 ? in_quotes(vector) : "[" + vector + "]";
  std::string text = R"({"object":"list","data":[)";
  for (std::size_t i = 0; i < inputs; ++i) {
    if (i > 0) text += ",";
    text += R"({"object":"embedding","index":)" + std::to_string(i) + R"(,"embedding":)" + vector + "}";
  }
  return text + R"(],"model":"upstream-model","usage":{"prompt_tokens":5,"total_tokens":5}})";
}

std::string responses_answer(std::string_view text) {
  return response("completed", message("completed", text_part(text)),
                  R"({"input_tokens":12,"input_tokens_details":{"cached_tokens":0},"output_tokens":7,)"
                  R"("output_tokens_details":{"reasoning_tokens":0},"total_tokens":19})");
}

std::string completion_answer(std::string_view text) { return completion_chunk(text, "\"stop\"", kCompletionUsage); }

std::vector<std::string> completion_stream(const std::vector<std::string>& texts, bool usage) {
  std::vector<std::string> events;
  for (const auto& text : texts) events.push_back(completion_chunk(text, "null"));
  events.push_back(completion_chunk("", "\"stop\""));
  if (usage) events.push_back(std::string(kCompletionHead) + "[]" + std::string(kCompletionUsage) + "}");
  events.push_back(kDone);
  return events;
}

std::string moderation_answer() {
  return R"({"id":"modr-canary-answer","model":"upstream-model","results":[{"flagged":true,"categories":{"violence":true},)"
         R"("category_scores":{"violence":0.9},"category_applied_input_types":{"violence":["text"]}}]})";
}

std::vector<std::string> responses_stream(const std::vector<std::string>& texts) {
  const std::string item = R"("output_index":0)";
  const std::string place = item + R"(,"item_id":"msg_1","content_index":0,)";
  std::string whole;
  for (const auto& text : texts) whole += text;
  ResponsesEvents out;
  out.add("response.created", R"("response":)" + response("in_progress", "", "null"));
  out.add("response.output_item.added", item + R"(,"item":)" + message("in_progress", ""));
  out.add("response.content_part.added", place + R"("part":)" + text_part(""));
  for (const auto& text : texts) {
    out.add("response.output_text.delta", place + R"("delta":)" + in_quotes(text) + R"(,"logprobs":[])");
  }
  out.add("response.output_text.done", place + R"("text":)" + in_quotes(whole) + R"(,"logprobs":[])");
  out.add("response.content_part.done", place + R"("part":)" + text_part(whole));
  out.add("response.output_item.done", item + R"(,"item":)" + message("completed", text_part(whole)));
  out.add("response.completed", R"("response":)" + responses_answer(whole));
  return out.texts;
}

std::string chat_body(std::string_view model, std::string_view more) { return body(model, more); }

std::string stream_body(std::string_view model, std::string_view more) {
  return body(model, more.empty() ? R"("stream":true)" : R"("stream":true,)" + std::string(more));
}

}  // namespace sluice::support
