#pragma once
// Smooth weighted turns without memory: who has a turn follows from its number alone, so that threads share no more
// than a counter. Pure; any thread.

#include <cstdint>
#include <span>

namespace sluice::routing {

inline constexpr std::uint32_t kMostWeight = 10'000'000;

// For each weight, when its holder is next due at that turn; the least of `due` has the turn (the first of equals), the
// others follow in the order in which they will have theirs. Over as many turns as the weights sum up to, each has
// exactly as many as its weight, spread evenly; equal weights go strictly round. A weight of zero is due at infinity.
// Weights above kMostWeight count as that. `due` is as long as `weights`; the time is linear in the square of it.
void interleave(std::span<const std::uint32_t> weights, std::uint64_t turn, std::span<double> due);

}  // namespace sluice::routing
