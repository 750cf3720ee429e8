#include "api/json_utf8.hpp"

#include <simdjson.h>

#include "sluice/core/json_string.hpp"

namespace sluice::json {
bool is_utf8(std::string_view text) { return simdjson::validate_utf8(text.data(), text.size()); }

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
