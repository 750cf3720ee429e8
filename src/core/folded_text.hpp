#pragma once
// A text as whoever decodes its escapes would read it, and where each byte of it comes from.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

struct FoldedText {
  std::string text;
  std::vector<std::size_t> places;  // of each byte, and of the end: where it begins in the original
};

// Escapes of JSON, behind one backslash or several (a JSON text in a JSON string has twice as many), printable
// characters in percent encoding, and the spaces and hyphens of typographers as plain ones. False: there are none.
bool fold(std::string_view text, FoldedText& out);

}  // namespace sluice
