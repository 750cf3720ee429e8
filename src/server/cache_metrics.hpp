#pragma once
// What the exact cache keeps, for whoever scrapes. What it does for requests stands in their records.

#include <string>

#include "sluice/cache/cache.hpp"

namespace sluice::server {

std::string render_cache(const cache::CacheCounts& counts);

}  // namespace sluice::server
