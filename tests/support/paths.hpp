#pragma once
// Where the checkout and the program under test are. Only the file that keeps these knows a path.

#include <string>

namespace sluice::support {

std::string source_dir();
std::string sluice_binary();
std::string shifted_clock_library();  // to be preloaded: hooks/wall_clock.hpp
std::string failing_sluice_binary();  // its allocations can be made to fail: hooks/allocation_plan.hpp

}  // namespace sluice::support
