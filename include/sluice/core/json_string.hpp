#pragma once
// The writing half of JSON strings, for everything that writes one: errors, trace lines, log lines, answers.

#include <string>
#include <string_view>

namespace sluice {

// Appends `text` as a JSON string with quotes. Bytes that are not UTF-8 become U+FFFD; control characters, quotes,
// backslashes and the line separators U+2028/2029 are escaped: the result is one line and safe in any sink.
void append_json_string(std::string& out, std::string_view text);

// Length of the well-formed UTF-8 sequence (RFC 3629) at `at`, 1 to 4, or 0 if there is none.
std::size_t utf8_sequence(std::string_view text, std::size_t at);

}  // namespace sluice
