#include "api/json_utf8.hpp"

#include <simdjson.h>

namespace sluice::json {
namespace {

struct Lead {
  unsigned char first, last;  // range of the lead byte
  unsigned char low, high;    // range of the byte after it
  std::size_t length;
};
// RFC 3629, section 4: the rows of UTF8-octets.
constexpr Lead kLeads[] = {{0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3}, {0xE1, 0xEC, 0x80, 0xBF, 3},
                           {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3}, {0xF0, 0xF0, 0x90, 0xBF, 4},
                           {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4}};

unsigned char byte_at(std::string_view text, std::size_t at) { return static_cast<unsigned char>(text[at]); }

bool continues(std::string_view text, std::size_t at, const Lead& lead) {
  if (text.size() - at < lead.length) return false;
  if (byte_at(text, at + 1) < lead.low || byte_at(text, at + 1) > lead.high) return false;
  for (std::size_t i = 2; i < lead.length; ++i) {
    if ((byte_at(text, at + i) & 0xC0) != 0x80) return false;
  }
  return true;
}

}  // namespace

bool is_utf8(std::string_view text) { return simdjson::validate_utf8(text.data(), text.size()); }

std::size_t utf8_sequence(std::string_view text, std::size_t at) {
  const unsigned char c = byte_at(text, at);
  if (c < 0x80) return 1;
  for (const Lead& lead : kLeads) {
    if (c >= lead.first && c <= lead.last) return continues(text, at, lead) ? lead.length : 0;
  }
  return 0;
}

std::size_t first_bad_utf8(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t length = utf8_sequence(text, at);
    if (length == 0) return at;
    at += length;
  }
  return at;
}

}  // namespace sluice::json
