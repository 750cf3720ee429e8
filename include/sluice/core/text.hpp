#pragma once
// Small ASCII text tools that several folders need.

#include <charconv>
#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>

namespace sluice {

// The value of a hexadecimal digit, or -1.
constexpr int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}
constexpr char ascii_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
// Inline: most comparisons end at the size or the first byte.
inline bool equals_ignore_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (ascii_lower(a[i]) != ascii_lower(b[i])) return false;
  }
  return true;
}
std::string_view trim(std::string_view text);  // SP and HTAB at both ends
// Escapes (%2F) resolved once, RFC 3986 section 2.1; what is no whole escape stays as it is.
std::string percent_decoded(std::string_view text);
// Whether a lenient reader could see a . or .. segment in a path: decoded once, backslashes read as slashes.
bool has_dot_segment(std::string_view path);
// At most `limit` bytes of `text`, never cutting a UTF-8 sequence; "…" is appended when something was cut.
std::string truncate_utf8(std::string_view text, std::size_t limit);
// Levenshtein distance, bounded by the shorter string's length; for "did you mean".
std::size_t edit_distance(std::string_view a, std::string_view b);
// `pattern` may hold `*` (any run of characters); everything else is literal.
bool glob_match(std::string_view pattern, std::string_view text);

// Empties it and gives its memory back, which the assignment of an empty string does not.
inline void release(std::string& text) noexcept { std::string().swap(text); }

inline void append_number(std::string& out, std::integral auto value) {
  char digits[24];
  auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  out.append(digits, static_cast<std::size_t>(end - digits));
}
}  // namespace sluice
