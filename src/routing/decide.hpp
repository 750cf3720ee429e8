#pragma once
// From the model that was asked for to the one that answers: rules and splits, step by step. Pure; any thread.

#include <string>
#include <string_view>

#include "routing/facts.hpp"
#include "sluice/routing/router.hpp"

namespace sluice::routing {

struct Decided {
  const Route* route = nullptr;   // has targets, or nobody can answer
  std::string reason{};           // which rules and splits led there; empty: none had a say
  const Route* shadow = nullptr;  // where a rule that is only told would have led; null: nowhere
  std::string shadow_reason{};
};

// `who`: the same for requests that belong together, so that a split sends them the same way; empty: `random` decides.
Decided decide(const Route& alias, const Facts& facts, std::string_view who, std::uint64_t random);

}  // namespace sluice::routing
