#pragma once
// A request asked once more, for the cache alone.

#include "sluice/core/async.hpp"
#include "sluice/pipeline/exchange.hpp"

namespace sluice::cache {

// Goes the whole way again beside the exchange, which may end meanwhile: it is admitted, counted and recorded like any
// other of that key. Nothing happens where too many are under way already, or nobody can ask again.
void refresh(const pipeline::Exchange& exchange, const Executor& executor);

}  // namespace sluice::cache
