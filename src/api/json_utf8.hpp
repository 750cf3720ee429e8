#pragma once
// UTF-8 as RFC 3629 defines it: no overlong forms, no surrogates, nothing above U+10FFFF.

#include <cstddef>
#include <string_view>

namespace sluice::json {

bool is_utf8(std::string_view text);
// Offset of the first byte that is not part of a well-formed sequence; the size of `text` if all is well.
std::size_t first_bad_utf8(std::string_view text);

}  // namespace sluice::json
