#include "cache/chat_merge.hpp"

#include <algorithm>

namespace sluice::cache {
namespace {

std::string_view inside(std::string_view raw) { return raw.substr(1, raw.size() - 2); }

// What names a thing is told once, though some upstreams repeat it in every piece.
bool is_told_once(std::string_view name) {
  return name == "role" || name == "id" || name == "type" || name == "finish_reason" || name == "name";
}

void append_member(std::string& out, std::string_view name, std::string_view value) {
  if (out.size() > 1) out += ',';
  out.append("\"").append(name).append("\":").append(value);
}

// Parts of one list are told apart by a number of their own: tool_calls.
bool is_numbered(json::Value list) {
  for (const json::Value item : json::Elements(list)) return json::find(item, "index").has_value();
  return false;
}

std::int64_t index_of(json::Value part) {
  const auto index = json::find(part, "index");
  return index ? json::integer_of(*index).value_or(0) : 0;
}

}  // namespace

struct Merged::Member {
  enum class Kind : std::uint8_t { kRaw, kString, kList, kObject, kNumbered };

  static Kind kind_of(std::string_view name, json::Value value) {
    if (value.is_string()) return is_told_once(name) ? Kind::kRaw : Kind::kString;
    if (value.is_object()) return Kind::kObject;
    if (!value.is_array()) return Kind::kRaw;
    return is_numbered(value) ? Kind::kNumbered : Kind::kList;
  }

  void add(json::Value value) {
    const auto of = kind_of(name, value);
    const bool nothing_yet = raw == "null" || (kind == Kind::kList && raw.empty());
    if (kind != of && (nothing_yet || of == Kind::kRaw)) {
      raw.clear();
      parts.clear();
      kind = of;
    }
    if (kind == of) append(value);
  }

  void append(json::Value value) {
    switch (kind) {
      case Kind::kRaw:
        raw = value.raw;
        break;
      case Kind::kString:
        raw += inside(value.raw);
        break;
      case Kind::kList:
        for (const json::Value item : json::Elements(value)) {
          if (!raw.empty()) raw += ',';
          raw += item.raw;
        }
        break;
      case Kind::kObject:
        parts[0].add(value);
        break;
      case Kind::kNumbered:
        for (const json::Value item : json::Elements(value)) parts[index_of(item)].add(item);
        break;
    }
  }

  std::string text() const {
    switch (kind) {
      case Kind::kString:
        return "\"" + raw + "\"";
      case Kind::kList:
        return "[" + raw + "]";
      case Kind::kObject:
        return parts.at(0).text();
      case Kind::kNumbered: {
        std::string out = "[";
        for (const auto& [index, part] : parts) {
          Merged shown = part;
          shown.take("index");  // in a whole answer its place says it
          (out += out.size() > 1 ? "," : "") += shown.text();
        }
        return out + "]";
      }
      case Kind::kRaw:
        break;
    }
    return raw;
  }

  std::string name;  // as written
  Kind kind = Kind::kRaw;
  std::string raw = "null";                // kString: between the quotes; kList: between the brackets
  std::map<std::int64_t, Merged> parts{};  // kObject: one; kNumbered: by their `index`
};

Merged::Merged() = default;
Merged::~Merged() = default;
Merged::Merged(const Merged& other) = default;

void Merged::add(json::Value object) {
  for (const json::Member& member : json::Members(object)) {
    auto at = std::ranges::find(members_, member.key, &Member::name);
    if (at == members_.end()) at = members_.insert(at, {.name = std::string(member.key)});
    if (!member.value.is_null()) at->add(member.value);
  }
}

std::string Merged::take(std::string_view name) {
  const auto at = std::ranges::find(members_, name, &Member::name);
  if (at == members_.end()) return {};
  std::string text = at->text();
  members_.erase(at);
  return text;
}

std::string Merged::text() const {
  std::string out = "{";
  for (const Member& member : members_) append_member(out, member.name, member.text());
  return out + "}";
}

void ChatMerge::add(json::Value chunk) {
  for (const json::Member& member : json::Members(chunk)) {
    if (json::key_is(member, "choices")) {
      for (const json::Value choice : json::Elements(member.value)) {
        auto& [whole, message] = choices_[index_of(choice)];
        whole.add(choice);
        if (const auto delta = json::find(choice, "delta")) message.add(*delta);
      }
      continue;
    }
    if (json::key_is(member, "usage") || json::key_is(member, "object")) continue;
    const auto known =
        std::ranges::find(head_, member.key, [](const auto& one) { return std::string_view(one.first); });
    if (known == head_.end()) {
      head_.emplace_back(member.key, member.value.raw);
    } else if (known->second == "null") {
      known->second = member.value.raw;
    }
  }
}

std::string ChatMerge::body(std::string_view usage) const {
  std::string out = "{";
  for (const auto& [name, value] : head_) {
    append_member(out, name, value);
    if (name == "id") append_member(out, "object", chat_ ? R"("chat.completion")" : R"("text_completion")");
  }
  std::string choices;
  for (const auto& [index, parts] : choices_) {
    Merged whole = parts.first;
    Merged message = parts.second;
    std::string choice = "{\"index\":" + std::to_string(index);
    for (const char* unwanted : {"index", "delta"}) whole.take(unwanted);
    if (chat_) {
      whole.take("message");  // some upstreams send all that there is so far beside each piece
      std::string text = "{";
      const std::string role = message.take("role");
      const std::string content = message.take("content");
      append_member(text, "role", role.empty() || role == "null" ? "\"assistant\"" : role);
      append_member(text, "content", content.empty() ? "null" : content);
      const std::string rest = message.text();
      if (rest.size() > 2) (text += ',') += inside(rest);
      append_member(choice, "message", text + "}");
    }
    const std::string rest = whole.text();
    if (rest.size() > 2) (choice += ',') += inside(rest);
    choices += (choices.empty() ? "" : ",") + choice + "}";
  }
  append_member(out, "choices", "[" + choices + "]");
  if (!usage.empty()) append_member(out, "usage", usage);
  return out + "}";
}

}  // namespace sluice::cache
