#include "support/paths.hpp"

namespace sluice::support {

std::string source_dir() { return SLUICE_SOURCE_DIR; }
std::string sluice_binary() { return SLUICE_BINARY; }
std::string shifted_clock_library() { return SLUICE_SHIFTED_CLOCK; }
std::string failing_sluice_binary() { return SLUICE_FAILING_BINARY; }

}  // namespace sluice::support
