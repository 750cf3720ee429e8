#include "sluice/core/json_string.hpp"

namespace sluice {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

bool is_plain(char c) {
  return static_cast<unsigned char>(c) >= 0x20 && static_cast<unsigned char>(c) < 0x7F && c != '"' && c != '\\';
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

std::size_t utf8_sequence(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0U; };
  const auto follows = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xBF) {
    return byte(i) >= low && byte(i) <= high;
  };
  const unsigned lead = byte(0);
  if (lead < 0x80) return at < text.size() ? 1 : 0;
  if (lead >= 0xC2 && lead <= 0xDF) return follows(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    const unsigned low = lead == 0xE0 ? 0xA0 : 0x80;
    const unsigned high = lead == 0xED ? 0x9F : 0xBF;
    return follows(1, low, high) && follows(2) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const unsigned low = lead == 0xF0 ? 0x90 : 0x80;
    const unsigned high = lead == 0xF4 ? 0x8F : 0xBF;
    return follows(1, low, high) && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

void append_json_string(std::string& out, std::string_view text) {
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

}  // namespace sluice
