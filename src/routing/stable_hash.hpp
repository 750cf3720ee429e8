#pragma once
// A hash that is the same in every process and after every restart, for what has to fall alike everywhere: who is in a
// canary, which target a user sticks to. Not secret: whoever picks his own id can pick his side. Pure; any thread.

#include <cstdint>
#include <string_view>

namespace sluice::routing {

// SipHash-1-3 under a key made of the salt.
std::uint64_t stable_hash(std::string_view salt, std::string_view id);

// In [0, 100), in steps finer than a billionth. Splits with different salts are independent of each other.
double stable_percent(std::string_view salt, std::string_view id);

}  // namespace sluice::routing
