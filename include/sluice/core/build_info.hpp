#pragma once
#include <string_view>

namespace sluice {

std::string_view version();  // from the file VERSION, e.g. "0.1.0"

}  // namespace sluice
