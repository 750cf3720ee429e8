#include "config/source.hpp"

#include <algorithm>
#include <string>

#include "sluice/config/units.hpp"

namespace sluice::config {
namespace {

unsigned byte_at(std::string_view text, std::size_t i) { return static_cast<unsigned char>(text[i]); }

// Length of the sequence that starts at `i`, or 0 if it is malformed.
std::size_t sequence_length(std::string_view text, std::size_t i) {
  unsigned lead = byte_at(text, i);
  if (lead < 0x80) return 1;
  std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() - i < length) return 0;
  for (std::size_t k = 1; k < length; ++k) {
    if ((byte_at(text, i + k) & 0xC0) != 0x80) return 0;
  }
  unsigned second = byte_at(text, i + 1);
  bool overlong = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
  bool surrogate = lead == 0xED && second > 0x9F;
  bool too_high = lead == 0xF4 && second > 0x8F;
  return overlong || surrogate || too_high ? 0 : length;
}

bool is_forbidden(char c) {
  auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t' && c != '\n' && c != '\r') || byte == 0x7F;
}

Problem problem_at(std::string_view text, std::size_t offset, std::string message) {
  std::string_view before = text.substr(0, offset);
  auto line_start = before.rfind('\n') + 1;
  auto line = std::ranges::count(before, '\n') + 1;
  return {static_cast<int>(line), static_cast<int>(offset - line_start + 1), "", std::move(message)};
}

std::string control_message(char c) {
  constexpr std::string_view kHex = "0123456789abcdef";
  auto byte = static_cast<unsigned char>(c);
  return std::string("control character 0x") + kHex[byte >> 4] + kHex[byte & 15] + "; a configuration is plain text";
}

}  // namespace

std::optional<std::size_t> find_bad_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    std::size_t length = sequence_length(text, i);
    if (length == 0) return i;
    i += length;
  }
  return std::nullopt;
}

std::optional<Problem> check_source(std::string_view text, std::size_t most) {
  if (text.size() > most) {
    return Problem{1, 1, "", "the file is larger than " + format_size(most)};
  }
  // yaml-cpp takes byte 0x04 for the end of the file and guesses UTF-16 from zero bytes: neither may get that far.
  auto control = std::ranges::find_if(text, is_forbidden);
  auto bad = find_bad_utf8(text);
  auto offset = static_cast<std::size_t>(control - text.begin());
  if (bad && *bad < offset) return problem_at(text, *bad, "not valid UTF-8");
  if (control != text.end()) return problem_at(text, offset, control_message(*control));
  return std::nullopt;
}

}  // namespace sluice::config
