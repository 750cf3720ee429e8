#pragma once
// The exact cache in the chain: inside Admit, so that an answer given again is admitted too; outside Dispatch, since it
// needs no upstream.

#include <memory>

#include "sluice/cache/cache.hpp"
#include "sluice/config/config.hpp"
#include "sluice/pipeline/middleware.hpp"

namespace sluice::cache {

// Both outlive it.
std::unique_ptr<pipeline::Middleware> make_exact_cache(const config::Config& config, Cache& cache);

}  // namespace sluice::cache
