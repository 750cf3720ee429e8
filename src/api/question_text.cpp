#include <algorithm>
#include <utility>

#include "api/bounded_text.hpp"
#include "sluice/api/plain_text.hpp"

namespace sluice::api {
namespace {

using json::Value;

class Writer {
 public:
  explicit Writer(std::size_t most) : most_(most) {}

  void messages(Value list) {
    for (const Value message : json::Elements(list)) {
      if (full()) return;
      this->message(message);
    }
  }
  // The input of a response: a text, or items, most of which are messages.
  void input(Value value) {
    if (value.is_string()) return line("user", value);
    messages(value);
  }
  // A text, or a list of texts and of parts.
  void texts(Value value) {
    if (value.is_string()) {
      begin_line();
      add(value);
      return;
    }
    for (const Value item : json::Elements(value)) {
      if (full()) return;
      if (!item.is_string() && !item.is_object()) return;  // tokens
      begin_line();
      item.is_string() ? add(item) : part(item);
    }
  }
  void line(std::string_view role, Value content) {
    begin_line();
    add(role);
    add(": ");
    this->content(content);
  }
  std::string take() { return std::move(out_); }

 private:
  bool full() const { return out_.size() >= most_; }
  void add(std::string_view text) { out_ += text.substr(0, most_ - std::min(most_, out_.size())); }
  void add(Value text) { append_bounded(out_, text, most_ - std::min(most_, out_.size())); }
  void begin_line() {
    if (!out_.empty()) add("\n");
  }

  void message(Value message) {
    Value role, type, content, calls, call;
    for (const json::Member& member : json::Members(message)) {
      if (json::key_is(member, "role")) role = member.value;
      if (json::key_is(member, "type")) type = member.value;
      if (json::key_is(member, "content") || json::key_is(member, "output")) content = member.value;
      if (json::key_is(member, "tool_calls")) calls = member.value;
      if (json::key_is(member, "function_call")) call = member.value;
    }
    const bool of_response = type.raw == "\"function_call\"" || type.raw == "\"custom_tool_call\"";
    if (!role.raw.empty() || !content.raw.empty()) line(json::text_of(role.raw.empty() ? type : role), content);
    if (of_response) function(message);
    if (call.is_object()) function(call);
    for (const Value one : json::Elements(calls)) {
      if (full()) return;
      function(json::find(one, "function").value_or(json::find(one, "custom").value_or(Value{})));
    }
  }

  void function(Value function) {
    begin_line();
    add("tool_call ");
    add(json::find(function, "name").value_or(Value{}));
    add(": ");
    add(json::find(function, "arguments").value_or(json::find(function, "input").value_or(Value{})));
  }

  void content(Value content) {
    if (content.is_string()) return add(content);
    bool first = true;
    for (const Value one : json::Elements(content)) {
      if (full()) return;
      if (!std::exchange(first, false)) add("\n");
      one.is_string() ? add(one) : part(one);
    }
  }

  // One with text, or what else it is.
  void part(Value part) {
    for (const std::string_view name : {"text", "refusal"}) {
      if (const auto text = json::find(part, name); text && text->is_string()) return add(*text);
    }
    add("[");
    add(json::find(part, "type").value_or(Value{}));
    add("]");
  }

  std::size_t most_;
  std::string out_;
};

}  // namespace

std::string question_text(const RequestView& view, std::size_t most) {
  Writer writer(most);
  const auto member = [&](std::string_view name) {
    const json::Member* found = view.member(name);
    return found != nullptr ? found->value : Value{};
  };
  switch (view.endpoint) {
    case Endpoint::kChat:
      writer.messages(member("messages"));
      break;
    case Endpoint::kResponses:
      if (const Value told = member("instructions"); told.is_string()) writer.line("instructions", told);
      writer.input(member("input"));
      break;
    case Endpoint::kCompletions:
      writer.texts(member("prompt"));
      break;
    default:
      writer.texts(member("input"));
  }
  return writer.take();
}

}  // namespace sluice::api
