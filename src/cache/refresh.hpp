#pragma once
// A request asked once more, for the cache alone.

#include "sluice/cache/entry.hpp"
#include "sluice/core/async.hpp"
#include "sluice/pipeline/exchange.hpp"

namespace sluice::cache {

// Goes the whole way again beside the exchange, which may end meanwhile: it is admitted, counted and recorded like any
// other of that key. What is kept then takes the place of `old`, with its tags and with the life that was asked for it.
// Nothing happens where too many are under way already, or nobody can ask again.
void refresh(const pipeline::Exchange& exchange, const Entry& old, const Executor& executor);

}  // namespace sluice::cache
