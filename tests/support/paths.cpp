#include "support/paths.hpp"

namespace sluice::support {

std::string source_dir() { return SLUICE_SOURCE_DIR; }
std::string sluice_binary() { return SLUICE_BINARY; }

}  // namespace sluice::support
