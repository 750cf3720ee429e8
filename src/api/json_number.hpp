#pragma once
#include <string_view>

namespace sluice::json {

// Whether a number of the right grammar is too big for a double, as 1e400 is.
bool overflows(std::string_view number);

}  // namespace sluice::json
