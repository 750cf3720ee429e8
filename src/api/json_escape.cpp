#include "api/json_escape.hpp"

#include "api/json_utf8.hpp"
#include "sluice/api/json.hpp"

namespace sluice::json {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

void append_code_point(std::string& out, unsigned code) {
  auto push = [&out](unsigned byte) { out += static_cast<char>(byte); };
  if (code < 0x80) {
    push(code);
  } else if (code < 0x800) {
    push(0xC0 | code >> 6);
    push(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    push(0xE0 | code >> 12);
    push(0x80 | (code >> 6 & 0x3F));
    push(0x80 | (code & 0x3F));
  } else {
    push(0xF0 | code >> 18);
    push(0x80 | (code >> 12 & 0x3F));
    push(0x80 | (code >> 6 & 0x3F));
    push(0x80 | (code & 0x3F));
  }
}

// `raw` follows "\u"; returns how many bytes of it were used.
std::size_t append_unicode(std::string& out, std::string_view raw) {
  const int high = raw.size() >= 4 ? hex4(raw.data()) : -1;
  if (high < 0 || (high >= 0xDC00 && high <= 0xDFFF)) {
    out += kReplacement;
    return std::min<std::size_t>(4, raw.size());
  }
  if (high < 0xD800 || high > 0xDFFF) {
    append_code_point(out, static_cast<unsigned>(high));
    return 4;
  }
  const int low = raw.size() >= 10 && raw[4] == '\\' && raw[5] == 'u' ? hex4(raw.data() + 6) : -1;
  if (low < 0xDC00 || low > 0xDFFF) {
    out += kReplacement;
    return 4;
  }
  append_code_point(out, 0x10000U + (static_cast<unsigned>(high - 0xD800) << 10) + static_cast<unsigned>(low - 0xDC00));
  return 10;
}

char simple_escape(char c) {
  switch (c) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return c;
  }
}

void append_hex_escape(std::string& out, unsigned code) {
  constexpr char kHex[] = "0123456789abcdef";
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += kHex[code >> shift & 0xF];
}

void append_ascii_escape(std::string& out, char c) {
  constexpr std::string_view kFrom = "\"\\\b\f\n\r\t", kTo = "\"\\bfnrt";
  if (const std::size_t at = kFrom.find(c); at != std::string_view::npos) {
    out += '\\';
    out += kTo[at];
  } else {
    append_hex_escape(out, static_cast<unsigned char>(c));
  }
}

bool is_plain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x7F && c != '"' && c != '\\';
}

// C1 controls steer terminals, U+2028 and U+2029 end lines in JavaScript: neither goes out as it is.
unsigned unsafe_code_point(std::string_view sequence) {
  const auto byte = [sequence](std::size_t i) { return static_cast<unsigned char>(sequence[i]); };
  if (sequence.size() == 2 && byte(0) == 0xC2 && byte(1) < 0xA0) return byte(1);
  if (sequence == "\xE2\x80\xA8") return 0x2028;
  if (sequence == "\xE2\x80\xA9") return 0x2029;
  return 0;
}

// Appends what stands at `at`, which is not plain; returns its length.
std::size_t append_special(std::string& out, std::string_view text, std::size_t at) {
  if (static_cast<unsigned char>(text[at]) < 0x80) {
    append_ascii_escape(out, text[at]);
    return 1;
  }
  const std::size_t length = utf8_sequence(text, at);
  if (length == 0) {
    out += kReplacement;
    return 1;
  }
  const std::string_view sequence = text.substr(at, length);
  if (const unsigned code = unsafe_code_point(sequence); code != 0) {
    append_hex_escape(out, code);
  } else {
    out += sequence;
  }
  return length;
}

}  // namespace

int hex4(const char* p) {
  int value = 0;
  for (int i = 0; i < 4; ++i) {
    const int digit = hex_digit(p[i]);
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

void append_unescaped(std::string& out, std::string_view raw) {
  while (!raw.empty()) {
    const std::size_t run = std::min(raw.find('\\'), raw.size());
    out += raw.substr(0, run);
    raw.remove_prefix(run);
    if (raw.size() < 2) return;
    const char kind = raw[1];
    raw.remove_prefix(2);
    if (kind == 'u') {
      raw.remove_prefix(append_unicode(out, raw));
    } else {
      out += simple_escape(kind);
    }
  }
}

void append_string(std::string& out, std::string_view text) {
  out += '"';
  std::size_t at = 0;
  while (at < text.size()) {
    std::size_t stop = at;
    while (stop < text.size() && is_plain(text[stop])) ++stop;
    out += text.substr(at, stop - at);
    at = stop;
    if (at < text.size()) at += append_special(out, text, at);
  }
  out += '"';
}

}  // namespace sluice::json
