#pragma once
// One spelling for equal JSON texts, after RFC 8785: no space, members in order, strings and numbers in one form each.
// Members are ordered by their bytes, not by UTF-16 code units: nobody else reads the result. A number of more digits
// than every double keeps (15) stays as it is written, so that numbers that differ stay different. Pure; any thread.

#include <string>

#include "sluice/api/json.hpp"

namespace sluice::json {

// Appends it. `value` has passed check().
void append_canonical(std::string& out, Value value);
void append_canonical_string(std::string& out, std::string_view raw);  // with its quotes
void append_canonical_number(std::string& out, std::string_view raw);

}  // namespace sluice::json
