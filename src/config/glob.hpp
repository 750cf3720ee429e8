#pragma once
// Patterns in which * stands for any run of characters.

#include <string_view>

namespace sluice::config {

// Whether there is a name that both patterns match.
bool globs_meet(std::string_view a, std::string_view b);

}  // namespace sluice::config
