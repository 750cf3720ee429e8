#pragma once
// Whether an answer that has come whole is kept for others. Pure; any thread.

#include <string_view>

#include "cache/policy.hpp"
#include "sluice/cache/entry.hpp"
#include "sluice/pipeline/exchange.hpp"

namespace sluice::cache {

// Why it is not: a closed set, of labels. Empty: it is.
// finish_reason, tool_calls, substituted (another model answered), too_large, no_ttl
std::string_view why_not_kept(const pipeline::Exchange& exchange, const Entry& entry, const config::CacheRules& rules);

}  // namespace sluice::cache
