#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

#include "sluice/observe/record.hpp"

namespace sluice::observe {

// What deserves lines of its own where agents are at work: calls of tools, caps that were met, feedback. How many.
std::size_t append_agent_lines(std::string& out, const Record& record, std::uint32_t share);

}  // namespace sluice::observe
