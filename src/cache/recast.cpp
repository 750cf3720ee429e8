#include "cache/recast.hpp"

#include <algorithm>
#include <functional>

#include "cache/chat_merge.hpp"
#include "cache/responses_events.hpp"
#include "sluice/sse/decoder.hpp"

namespace sluice::cache {
namespace {

constexpr std::size_t kMostEvent = std::size_t{1} << 30;  // they have been through a decoder with a limit already

std::string frame(std::string_view data) {
  std::string out;
  sse::append_event(out, {}, data);
  return out;
}

// Calls back with each event; false: one of them cannot be read.
bool for_each(std::string_view events, const std::function<bool(const sse::Event&)>& use) {
  sse::Decoder decoder(kMostEvent);
  bool good = true;
  const auto take = [&](const sse::Event& event) { return good = use(event); };
  return decoder.feed(events, take) && decoder.finish(take) && good;
}

std::optional<json::Value> object_of(std::string_view data) {
  const auto value = json::check(data, json::Surrogates::kAny);
  if (!value || !value->is_object()) return std::nullopt;
  return *value;
}

bool carries_only_usage(json::Value chunk) {
  const auto usage = json::find(chunk, "usage");
  if (!usage || !usage->is_object()) return false;
  const auto choices = json::find(chunk, "choices");
  return !choices || !choices->is_array() || json::Elements(*choices).begin() == json::Elements(*choices).end();
}

std::string usage_of(std::string_view usage_event) {
  std::string usage;
  for_each(usage_event, [&](const sse::Event& event) {
    const auto chunk = object_of(event.data);
    const auto found = chunk ? json::find(*chunk, "usage") : std::nullopt;
    if (found) usage = found->raw;
    return true;
  });
  return usage;
}

std::optional<std::string> responses_body(std::string_view events) {
  std::optional<std::string> body;
  const bool good = for_each(events, [&](const sse::Event& event) {
    const auto value = object_of(event.data);
    if (!value) return false;
    const auto type = json::find(*value, "type");
    if (!type || json::text_of(*type) != "response.completed") return true;
    if (const auto response = json::find(*value, "response"); response && response->is_object()) body = response->raw;
    return true;
  });
  return good ? body : std::nullopt;
}

// Id, time and model of an answer, for an event of its own.
std::string head_of(json::Value answer, bool chat) {
  std::string out = "{";
  const auto id = json::find(answer, "id");
  if (id) out.append("\"id\":").append(id->raw).append(",");
  out.append(chat ? R"("object":"chat.completion.chunk")" : R"("object":"text_completion")");
  for (const std::string_view name : {"created", "model", "system_fingerprint"}) {
    const auto value = json::find(answer, name);
    if (value) out.append(",\"").append(name).append("\":").append(value->raw);
  }
  return out;
}

// Numbers in a list of parts are the parts' places, which a whole answer need not tell.
std::string numbered(json::Value list) {
  std::string out = "[";
  std::size_t index = 0;
  for (const json::Value item : json::Elements(list)) {
    out += (index == 0 ? "" : ",") + std::string("{\"index\":") + std::to_string(index);
    for (const json::Member& member : json::Members(item)) {
      if (!json::key_is(member, "index")) out.append(",\"").append(member.key).append("\":").append(member.value.raw);
    }
    out += "}";
    ++index;
  }
  return out + "]";
}

// What the one piece with the text says: the message without its role, or the text.
std::string piece_of(json::Value choice, bool chat) {
  if (!chat) {
    const auto text = json::find(choice, "text");
    return "\"text\":" + (text ? std::string(text->raw) : "\"\"");
  }
  std::string delta = "{";
  const auto message = json::find(choice, "message");
  for (const json::Member& member : json::Members(message ? *message : json::Value{})) {
    if (member.value.is_null() || json::key_is(member, "role")) continue;
    const bool calls = json::key_is(member, "tool_calls") && member.value.is_array();
    delta.append(delta.size() > 1 ? "," : "").append("\"").append(member.key).append("\":");
    delta += calls ? numbered(member.value) : std::string(member.value.raw);
  }
  return "\"delta\":" + delta + "}";
}

void add_choice(std::vector<std::string>& events, const std::string& head, json::Value choice, bool chat) {
  const auto raw = [&](std::string_view name, const char* absent) {
    const auto value = json::find(choice, name);
    return value ? std::string(value->raw) : std::string(absent);
  };
  const auto chunk = [&](const std::string& what, const std::string& logprobs, const std::string& finish) {
    events.push_back(frame(head + ",\"choices\":[{\"index\":" + raw("index", "0") + "," + what +
                           ",\"logprobs\":" + logprobs + ",\"finish_reason\":" + finish + "}]}"));
  };
  if (chat) chunk(R"("delta":{"role":"assistant","content":""})", "null", "null");
  chunk(piece_of(choice, chat), raw("logprobs", "null"), "null");
  chunk(chat ? R"("delta":{})" : R"("text":"")", "null", raw("finish_reason", "\"stop\""));
}

std::string usage_event(const std::string& head, std::string_view usage) {
  return frame(head + ",\"choices\":[],\"usage\":" + std::string(usage) + "}");
}

}  // namespace

std::uint64_t events_in(std::string_view events) {
  std::uint64_t count = 0;
  for (auto at = events.find("\n\n"); at != events.npos; at = events.find("\n\n", at + 2)) ++count;
  return count;
}

bool has_streams(Endpoint endpoint) {
  return endpoint == Endpoint::kChat || endpoint == Endpoint::kCompletions || endpoint == Endpoint::kResponses;
}

std::optional<std::string> body_of(Endpoint endpoint, std::string_view events, std::string_view usage_event) {
  if (endpoint == Endpoint::kResponses) return responses_body(events);
  ChatMerge merge(endpoint == Endpoint::kChat);
  const bool good = for_each(events, [&](const sse::Event& event) {
    const auto chunk = object_of(event.data);
    if (chunk) merge.add(*chunk);
    return chunk.has_value();
  });
  if (!good || !merge.any()) return std::nullopt;
  std::string body = merge.body(usage_of(usage_event));
  // Two spellings of one name in two events are twice the same name in one body.
  if (!json::check(body, json::Surrogates::kAny)) return std::nullopt;
  return body;
}

std::optional<std::vector<std::string>> events_of(Endpoint endpoint, std::string_view body) {
  const auto answer = object_of(body);
  if (!answer || !has_streams(endpoint)) return std::nullopt;
  if (endpoint == Endpoint::kResponses) return responses_events(*answer);
  const bool chat = endpoint == Endpoint::kChat;
  const auto choices = json::find(*answer, "choices");
  if (!choices) return std::nullopt;
  std::vector<std::string> events;
  const std::string head = head_of(*answer, chat);
  for (const json::Value choice : json::Elements(*choices)) add_choice(events, head, choice, chat);
  return events;
}

std::string usage_event_of_body(Endpoint endpoint, std::string_view body) {
  const auto answer = object_of(body);
  if (!answer || (endpoint != Endpoint::kChat && endpoint != Endpoint::kCompletions)) return {};
  const auto usage = json::find(*answer, "usage");
  return usage && usage->is_object() ? usage_event(head_of(*answer, endpoint == Endpoint::kChat), usage->raw) : "";
}

std::string usage_event_of(Endpoint endpoint, std::string_view events, const Usage& usage) {
  if (endpoint != Endpoint::kChat && endpoint != Endpoint::kCompletions) return {};
  if (usage.source != UsageSource::kReported) return {};
  std::string head;
  for_each(events, [&](const sse::Event& event) {
    if (const auto chunk = object_of(event.data)) head = head_of(*chunk, endpoint == Endpoint::kChat);
    return false;
  });
  if (head.empty()) return {};
  const auto number = [](std::int64_t value) { return std::to_string(value); };
  return usage_event(head,
                     "{\"prompt_tokens\":" + number(usage.input) + ",\"completion_tokens\":" + number(usage.output) +
                         ",\"total_tokens\":" + number(usage.input + usage.output) +
                         ",\"prompt_tokens_details\":{\"cached_tokens\":" + number(usage.cached) +
                         "},\"completion_tokens_details\":{\"reasoning_tokens\":" + number(usage.reasoning) + "}}");
}

std::optional<std::string> without_end(Endpoint endpoint, std::string_view events, std::string& usage_event) {
  if (endpoint == Endpoint::kResponses) return std::nullopt;
  const bool done = events.find("[DONE]") != events.npos;
  const bool usage = events.find("\"usage\"") != events.npos;
  if (!done && !usage) return std::nullopt;
  std::string rest;
  bool any = false;
  for_each(events, [&](const sse::Event& event) {
    if (event.data.starts_with("[DONE]")) {
      any = true;
      return true;
    }
    const auto chunk = usage ? object_of(event.data) : std::nullopt;
    std::string& into = chunk && carries_only_usage(*chunk) ? usage_event : rest;
    any = any || &into == &usage_event;
    sse::append_event(into, event.type, event.data);
    return true;
  });
  return any ? std::optional(std::move(rest)) : std::nullopt;
}

}  // namespace sluice::cache
