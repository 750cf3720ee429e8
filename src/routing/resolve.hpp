#pragma once
// What Resolve knows of an exchange, for whoever wants to see it as rules do.

#include <string_view>

#include "routing/facts.hpp"
#include "sluice/routing/stages.hpp"

namespace sluice::routing {

// After ParseRequest; all but budget_left, which must be waited for. The exchange, what `insight` gives and `user`
// outlive the result.
FactSources sources_of(const pipeline::Exchange& exchange, const Insight& insight, std::string_view user);

}  // namespace sluice::routing
