#include "api/json_escape.hpp"

#include <algorithm>

#include "sluice/core/text.hpp"

namespace sluice::json {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

void append_code_point(std::string& out, unsigned code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
    return;
  }
  auto push = [&out](unsigned byte) { out += static_cast<char>(byte); };
  if (code < 0x800) {
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

}  // namespace

int hex4(const char* p) {
  int value = 0;
  for (int i = 0; i < 4; ++i) {
    const int digit = hex_value(p[i]);
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

std::size_t append_escape(std::string& out, std::string_view raw) {
  if (raw.size() < 2) return raw.size();
  if (raw[1] == 'u') return 2 + append_unicode(out, raw.substr(2));
  out += simple_escape(raw[1]);
  return 2;
}

void append_unescaped(std::string& out, std::string_view raw) {
  while (!raw.empty()) {
    const std::size_t run = std::min(raw.find('\\'), raw.size());
    if (run > 0) out += raw.substr(0, run);
    raw.remove_prefix(run);
    if (!raw.empty()) raw.remove_prefix(append_escape(out, raw));
  }
}

}  // namespace sluice::json
