#include "config/header_rules.hpp"

#include <algorithm>
#include <array>

namespace sluice::config {
namespace {

bool is_token_char(char c) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || kMarks.find(c) != kMarks.npos;
}

constexpr std::array<std::string_view, 11> kOurs = {
    "accept-encoding", "connection", "content-length", "content-type",      "expect", "host",
    "keep-alive",      "te",         "trailer",        "transfer-encoding", "upgrade"};

}  // namespace

bool is_token(std::string_view text) { return !text.empty() && std::ranges::all_of(text, is_token_char); }

std::optional<std::string> header_name_error(std::string_view name) {
  if (!is_token(name)) return "not a header name; expected letters, digits and hyphens";
  if (std::ranges::find(kOurs, name) != kOurs.end() || name.starts_with("proxy-")) {
    return "this header belongs to the connection; Sluice sets it";
  }
  return std::nullopt;
}

std::optional<std::string> header_value_error(std::string_view value) {
  bool printable = std::ranges::all_of(value, [](char c) { return c >= 0x20 && c <= 0x7E; });
  if (!printable) return "the value holds a control character, a line break or a character outside ASCII";
  if (value.starts_with(' ') || value.ends_with(' ')) return "the value starts or ends with a space";
  return std::nullopt;
}

std::optional<std::string> credential_error(std::string_view value) {
  if (value.ends_with('\n') || value.ends_with('\r')) return "ends with a line break; remove it";
  bool clean = std::ranges::all_of(value, [](char c) { return c > 0x20 && c <= 0x7E; });
  if (!clean) return "holds a space, a control character or a character outside ASCII";
  return std::nullopt;
}

}  // namespace sluice::config
