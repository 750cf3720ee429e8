#include "cache/responses_events.hpp"

#include "sluice/sse/decoder.hpp"

namespace sluice::cache {
namespace {

// `object` with other values for some of its members; those it lacks stay away.
std::string with(json::Value object, std::initializer_list<std::pair<std::string_view, std::string_view>> others) {
  std::string out = "{";
  for (const json::Member& member : json::Members(object)) {
    std::string_view value = member.value.raw;
    for (const auto& [name, other] : others) {
      if (json::key_is(member, name)) value = other;
    }
    out.append(out.size() > 1 ? "," : "").append("\"").append(member.key).append("\":").append(value);
  }
  return out + "}";
}

std::string raw_of(json::Value object, std::string_view name, std::string_view absent) {
  const auto value = json::find(object, name);
  return std::string(value ? value->raw : absent);
}

class Writer {
 public:
  void add(std::string_view type, const std::string& members) {
    std::string event;
    sse::append_event(event, type,
                      "{\"type\":\"" + std::string(type) + "\",\"sequence_number\":" + std::to_string(sequence_++) +
                          "," + members + "}");
    events_.push_back(std::move(event));
  }
  void add_item(json::Value item) {
    const std::string place = "\"output_index\":" + std::to_string(item_) + ",";
    const std::string type = json::text_of(json::find(item, "type").value_or(json::Value{}));
    const bool calls = type == "function_call";
    add("response.output_item.added",
        place + "\"item\":" +
            (calls ? with(item, {{"status", "\"in_progress\""}, {"arguments", "\"\""}})
                   : with(item, {{"status", "\"in_progress\""}, {"content", "[]"}, {"summary", "[]"}})));
    const std::string where = "\"item_id\":" + raw_of(item, "id", "null") + "," + place;
    if (calls) add_arguments(where, raw_of(item, "arguments", "\"\""));
    if (type == "message") add_parts(where, item);
    add("response.output_item.done", place + "\"item\":" + std::string(item.raw));
    ++item_;
  }
  std::vector<std::string> take() { return std::move(events_); }

 private:
  void add_arguments(const std::string& where, const std::string& text) {
    add("response.function_call_arguments.delta", where + "\"delta\":" + text);
    add("response.function_call_arguments.done", where + "\"arguments\":" + text);
  }
  void add_parts(const std::string& where, json::Value item) {
    std::size_t index = 0;
    for (const json::Value part : json::Elements(json::find(item, "content").value_or(json::Value{}))) {
      const std::string at = where + "\"content_index\":" + std::to_string(index++) + ",";
      const bool refuses = json::find(part, "refusal").has_value();
      const std::string name = refuses ? "refusal" : "text";
      const std::string kind = refuses ? "response.refusal" : "response.output_text";
      const std::string text = raw_of(part, name, "\"\"");
      const std::string logprobs = refuses ? "" : ",\"logprobs\":" + raw_of(part, "logprobs", "[]");
      add("response.content_part.added", at + "\"part\":" + with(part, {{name, "\"\""}, {"logprobs", "[]"}}));
      add(kind + ".delta", at + "\"delta\":" + text + logprobs);
      add(kind + ".done", at + "\"" + name + "\":" + text + logprobs);
      add("response.content_part.done", at + "\"part\":" + std::string(part.raw));
    }
  }

  std::vector<std::string> events_;
  std::size_t sequence_ = 0;
  std::size_t item_ = 0;
};

}  // namespace

std::vector<std::string> responses_events(json::Value response) {
  Writer writer;
  const std::string begun =
      "\"response\":" +
      with(response, {{"status", "\"in_progress\""}, {"output", "[]"}, {"usage", "null"}, {"completed_at", "null"}});
  writer.add("response.created", begun);
  writer.add("response.in_progress", begun);
  for (const json::Value item : json::Elements(json::find(response, "output").value_or(json::Value{}))) {
    if (item.is_object()) writer.add_item(item);
  }
  writer.add("response.completed", "\"response\":" + std::string(response.raw));
  return writer.take();
}

}  // namespace sluice::cache
