#pragma once
// Where the checkout and the program under test are. Only the file that keeps these knows a path.

#include <string>

namespace sluice::support {

std::string source_dir();
std::string sluice_binary();

}  // namespace sluice::support
