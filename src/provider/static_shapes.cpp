#include "provider/static_shapes.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "sluice/core/json_string.hpp"
#include "sluice/core/text.hpp"

namespace sluice::provider {
namespace {

constexpr std::size_t kDefaultDimensions = 256;
constexpr std::int64_t kMaxDimensions = 4096;

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

std::string text_of(const StaticAnswer& answer) {
  std::string text;
  for (const auto& word : answer.words) text += word;
  return text;
}

std::string number(std::int64_t value) {
  std::string out;
  append_number(out, value);
  return out;
}

std::string_view finish_of(const StaticAnswer& answer) { return answer.cut ? "\"length\"" : "\"stop\""; }

std::string chat_usage(const StaticAnswer& answer) {
  const auto output = static_cast<std::int64_t>(answer.words.size());
  return "{\"prompt_tokens\":" + number(answer.input_tokens) + ",\"completion_tokens\":" + number(output) +
         ",\"total_tokens\":" + number(answer.input_tokens + output) + "}";
}

std::string responses_usage(const StaticAnswer& answer) {
  const auto output = static_cast<std::int64_t>(answer.words.size());
  return "{\"input_tokens\":" + number(answer.input_tokens) +
         ",\"input_tokens_details\":{\"cached_tokens\":0},\"output_tokens\":" + number(output) +
         ",\"output_tokens_details\":{\"reasoning_tokens\":0},\"total_tokens\":" +
         number(answer.input_tokens + output) + "}";
}

std::string common(std::string_view id, std::string_view object, const StaticAnswer& answer) {
  return "\"id\":" + quoted(id) + ",\"object\":" + quoted(object) + ",\"created\":" + number(answer.created) +
         ",\"model\":" + quoted(answer.model);
}

std::string frame(std::string_view data) { return "data: " + std::string(data) + "\n\n"; }

std::string message_item(std::string_view status, std::string_view text) {
  return R"({"id":"msg_static","type":"message","role":"assistant","status":)" + quoted(status) + R"(,"content":[)" +
         (text.empty() ? "" : R"({"type":"output_text","annotations":[],"logprobs":[],"text":)" + quoted(text) + "}") +
         "]}";
}

std::string response_object(const StaticAnswer& answer, std::string_view status, std::string_view output) {
  const bool over = status != "in_progress";
  return R"({"id":"resp_static","object":"response","created_at":)" + number(answer.created) + R"(,"status":)" +
         quoted(status) + R"(,"error":null,"incomplete_details":)" +
         (status == "incomplete" ? R"({"reason":"max_output_tokens"})" : "null") +
         R"(,"instructions":null,"metadata":{},"model":)" + quoted(answer.model) + R"(,"output":[)" +
         std::string(output) + R"(],"parallel_tool_calls":true,"temperature":null,"tool_choice":"auto","tools":[],)" +
         R"("top_p":null,"usage":)" + (over ? responses_usage(answer) : "null") + "}";
}

std::string_view status_of(const StaticAnswer& answer) { return answer.cut ? "incomplete" : "completed"; }

std::vector<std::string> chat_stream(Endpoint endpoint, const StaticAnswer& answer) {
  const bool chat = endpoint == Endpoint::kChat;
  const std::string start = "{" +
                            (chat ? common("chatcmpl-static", "chat.completion.chunk", answer)
                                  : common("cmpl-static", "text_completion", answer)) +
                            ",\"choices\":[";
  const auto choice = [&](const std::string& content, std::string_view finish) {
    return frame(start + "{\"index\":0," + content + ",\"logprobs\":null,\"finish_reason\":" + std::string(finish) +
                 "}]}");
  };
  std::vector<std::string> events;
  if (chat) events.push_back(choice(R"("delta":{"role":"assistant","content":""})", "null"));
  for (const auto& word : answer.words) {
    events.push_back(
        choice(chat ? "\"delta\":{\"content\":" + quoted(word) + "}" : "\"text\":" + quoted(word), "null"));
  }
  // The end comes in one piece: nothing is left to wait for.
  events.push_back(choice(chat ? "\"delta\":{}" : "\"text\":\"\"", finish_of(answer)) +
                   frame(start + "],\"usage\":" + chat_usage(answer) + "}") + frame("[DONE]"));
  return events;
}

std::vector<std::string> responses_stream(const StaticAnswer& answer) {
  std::vector<std::string> events;
  std::int64_t sequence = 0;
  const auto event = [&](std::string_view type, const std::string& members) {
    return "event: " + std::string(type) + "\n" +
           frame("{\"type\":" + quoted(type) + ",\"sequence_number\":" + number(sequence++) + "," + members + "}");
  };
  const std::string place = R"("item_id":"msg_static","output_index":0,"content_index":0,)";
  const std::string text = text_of(answer);
  const std::string part = R"({"type":"output_text","annotations":[],"logprobs":[],"text":)";
  std::string first = event("response.created", "\"response\":" + response_object(answer, "in_progress", ""));
  first += event("response.in_progress", "\"response\":" + response_object(answer, "in_progress", ""));
  first += event("response.output_item.added", "\"output_index\":0,\"item\":" + message_item("in_progress", ""));
  first += event("response.content_part.added", place + "\"part\":" + part + "\"\"}");
  events.push_back(std::move(first));
  for (const auto& word : answer.words) {
    events.push_back(event("response.output_text.delta", place + "\"delta\":" + quoted(word) + ",\"logprobs\":[]"));
  }
  const std::string item = message_item(status_of(answer), text);
  std::string last = event("response.output_text.done", place + "\"text\":" + quoted(text) + ",\"logprobs\":[]");
  last += event("response.content_part.done", place + "\"part\":" + part + quoted(text) + "}");
  last += event("response.output_item.done", "\"output_index\":0,\"item\":" + item);
  last += event("response." + std::string(status_of(answer)),
                "\"response\":" + response_object(answer, status_of(answer), item));
  events.push_back(std::move(last));
  return events;
}

std::uint64_t next_random(std::uint64_t& state) {  // splitmix64
  std::uint64_t z = state += 0x9E3779B97F4A7C15ULL;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

std::string vector_for(std::string_view text, std::size_t dimensions) {
  std::uint64_t state = 0xCBF29CE484222325ULL;  // FNV-1a
  for (char c : text) state = (state ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  std::vector<double> values(dimensions);
  double square = 0;
  for (double& value : values) {
    value = static_cast<double>(next_random(state) >> 11) / static_cast<double>(1ULL << 52) - 1.0;
    square += value * value;
  }
  std::string out = "[";
  for (double value : values) {
    char digits[32];
    const auto scaled = static_cast<float>(value / std::sqrt(square));
    out.append(digits, static_cast<std::size_t>(std::to_chars(digits, digits + sizeof digits, scaled).ptr - digits));
    out += ',';
  }
  out.back() = ']';
  return out;
}

}  // namespace

bool has_stream_shape(Endpoint endpoint) {
  return endpoint == Endpoint::kChat || endpoint == Endpoint::kCompletions || endpoint == Endpoint::kResponses;
}

std::vector<std::string> stream_shape(Endpoint endpoint, const StaticAnswer& answer) {
  return endpoint == Endpoint::kResponses ? responses_stream(answer) : chat_stream(endpoint, answer);
}

std::string whole_shape(Endpoint endpoint, const StaticAnswer& answer) {
  const std::string text = quoted(text_of(answer));
  switch (endpoint) {
    case Endpoint::kResponses:
      return response_object(answer, status_of(answer), message_item(status_of(answer), text_of(answer)));
    case Endpoint::kCompletions:
      return "{" + common("cmpl-static", "text_completion", answer) + ",\"choices\":[{\"index\":0,\"text\":" + text +
             ",\"logprobs\":null,\"finish_reason\":" + std::string(finish_of(answer)) +
             "}],\"usage\":" + chat_usage(answer) + "}";
    default:
      return "{" + common("chatcmpl-static", "chat.completion", answer) +
             R"(,"choices":[{"index":0,"message":{"role":"assistant","content":)" + text +
             R"(,"refusal":null},"logprobs":null,"finish_reason":)" + std::string(finish_of(answer)) +
             "}],\"usage\":" + chat_usage(answer) + "}";
  }
}

std::string embeddings_shape(const api::RequestView& view, const StaticAnswer& answer) {
  std::int64_t dimensions = kDefaultDimensions;
  if (auto* wish = view.member("dimensions")) dimensions = json::integer_of(wish->value).value_or(dimensions);
  const auto size = static_cast<std::size_t>(std::clamp<std::int64_t>(dimensions, 1, kMaxDimensions));
  std::vector<std::string_view> inputs;
  const json::Value input = view.member("input")->value;
  for (json::Value item : json::Elements(input)) {
    if (item.is_number()) break;  // one sequence of tokens
    inputs.push_back(item.raw);
  }
  if (inputs.empty()) inputs.push_back(input.raw);
  std::string data;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    data += (i == 0 ? "" : ",") + std::string(R"({"object":"embedding","index":)") +
            number(static_cast<std::int64_t>(i)) + ",\"embedding\":" + vector_for(inputs[i], size) + "}";
  }
  const std::string tokens = number(answer.input_tokens);
  return R"({"object":"list","model":)" + quoted(answer.model) + ",\"data\":[" + data +
         "],\"usage\":{\"prompt_tokens\":" + tokens + ",\"total_tokens\":" + tokens + "}}";
}

}  // namespace sluice::provider
