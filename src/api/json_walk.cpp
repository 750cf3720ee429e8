#include "api/json_escape.hpp"
#include "api/json_scan.hpp"
#include "sluice/api/json.hpp"

namespace sluice::json {
namespace {

std::string_view between(const char* begin, const char* end) { return {begin, static_cast<std::size_t>(end - begin)}; }

std::string_view inside(Value value, bool wanted) {
  return wanted && value.raw.size() >= 2 ? value.raw.substr(1, value.raw.size() - 2) : std::string_view();
}

const char* past_comma(const char* p, const char* end) {
  p = scan::skip_space(p, end);
  return p != end && *p == ',' ? p + 1 : p;
}

}  // namespace

template <>
Members::Items(Value object) : inside_(inside(object, object.is_object())) {}

template <>
Elements::Items(Value array) : inside_(inside(array, array.is_array())) {}

template <>
void Members::Iterator::advance() {
  const char* const end = rest_.data() + rest_.size();
  const char* const start = scan::skip_space(rest_.data(), end);
  if (start == end || *start != '"') {
    done_ = true;
    return;
  }
  item_.escaped = false;
  const char* const key_end = scan::skip_string(start, end, &item_.escaped);
  const char* p = scan::skip_space(key_end, end);
  if (p != end) p = scan::skip_space(p + 1, end);
  const char* const value_end = scan::skip_value(p, end);
  item_.key = key_end - start >= 2 ? between(start + 1, key_end - 1) : std::string_view();
  item_.value.raw = between(p, value_end);
  item_.raw = between(start, value_end);
  rest_ = between(past_comma(value_end, end), end);
}

template <>
void Elements::Iterator::advance() {
  const char* const end = rest_.data() + rest_.size();
  const char* const start = scan::skip_space(rest_.data(), end);
  const char* const stop = scan::skip_value(start, end);
  if (stop == start) {
    done_ = true;
    return;
  }
  item_.raw = between(start, stop);
  rest_ = between(past_comma(stop, end), end);
}

bool escaped_key_is(std::string_view key, std::string_view name) {
  while (!key.empty()) {
    std::string text;  // of one byte or one escape, so that most keys differ at once
    const bool escape = key.front() == '\\';
    if (!escape) text = key.front();
    key.remove_prefix(escape ? append_escape(text, key) : 1);
    if (!name.starts_with(text)) return false;
    name.remove_prefix(text.size());
  }
  return name.empty();
}

std::optional<Value> find(Value object, std::string_view name) {
  for (const Member& member : Members(object)) {
    if (key_is(member, name)) return member.value;
  }
  return std::nullopt;
}

std::string text_of(Value value) {
  std::string text;
  append_unescaped(text, inside(value, value.is_string()));
  return text;
}

}  // namespace sluice::json
