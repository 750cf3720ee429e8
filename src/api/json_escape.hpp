#pragma once
// Escapes inside JSON strings (RFC 8259, section 7).

#include <cstddef>
#include <string>
#include <string_view>

namespace sluice::json {

// Four hexadecimal digits at `p`, or -1.
int hex4(const char* p);
// Appends what the escape at the front of `raw` stands for, and gives its length; both halves of a pair are one escape.
std::size_t append_escape(std::string& out, std::string_view raw);
// Appends what `raw`, the inside of a checked string, stands for.
void append_unescaped(std::string& out, std::string_view raw);

}  // namespace sluice::json
