#pragma once
#include <cstddef>

namespace sluice::support {

// How often this thread has asked for memory so far. Counts nothing under the thread sanitizer, which has its own
// operator new.
std::size_t allocations();

}  // namespace sluice::support
