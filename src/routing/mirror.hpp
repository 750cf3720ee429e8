#pragma once
// A copy of a request for another model, whose answer nobody sees: only its record is kept.

#include "sluice/pipeline/exchange.hpp"
#include "sluice/routing/router.hpp"

namespace sluice::routing {

// Sends the copy on its way, beside the exchange and without holding it up; or leaves it, where too many are under way
// on this thread or the body is a large one. On the worker's thread.
void mirror(const pipeline::Exchange& exchange, const Route& to, std::shared_ptr<const Router> router,
            const Executor& executor);

}  // namespace sluice::routing
