#pragma once
// Members of a JSON object appended to a line that is already open.

#include <concepts>
#include <string>
#include <string_view>

#include "sluice/core/json_string.hpp"
#include "sluice/core/text.hpp"

namespace sluice::observe {

inline constexpr std::size_t kLongestText = 512;  // bytes; so every line is short, whatever an upstream sends

// As a JSON string that is cut where it is too long.
inline void append_short_json_string(std::string& out, std::string_view text) {
  if (text.size() <= kLongestText) return append_json_string(out, text);
  append_json_string(out, truncate_utf8(text, kLongestText));
}

class JsonLine {
 public:
  explicit JsonLine(std::string& out) : out_(out) {}

  // `value` comes from a closed set of plain names.
  JsonLine& name(std::string_view key, std::string_view value) {
    begin(key);
    out_.append("\"").append(value).append("\"");
    return *this;
  }
  // `value` may hold anything.
  JsonLine& text(std::string_view key, std::string_view value) {
    begin(key);
    append_short_json_string(out_, value);
    return *this;
  }
  // The same, as long as it is.
  JsonLine& whole_text(std::string_view key, std::string_view value) {
    begin(key);
    append_json_string(out_, value);
    return *this;
  }
  JsonLine& number(std::string_view key, std::integral auto value) {
    begin(key);
    append_number(out_, value);
    return *this;
  }
  // `value` is JSON as it stands.
  JsonLine& raw(std::string_view key, std::string_view value) {
    begin(key);
    out_ += value;
    return *this;
  }
  JsonLine& boolean(std::string_view key, bool value) {
    begin(key);
    out_ += value ? "true" : "false";
    return *this;
  }
  void open(std::string_view key) {
    begin(key);
    out_ += '{';
    first_ = true;
  }
  void close() {
    out_ += '}';
    first_ = false;
  }

 private:
  void begin(std::string_view key) {
    out_.append(first_ ? "\"" : ",\"").append(key).append("\":");
    first_ = false;
  }

  std::string& out_;
  bool first_ = false;
};

}  // namespace sluice::observe
