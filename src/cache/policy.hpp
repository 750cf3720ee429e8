#pragma once
// Whether the answer to a request may be given again, and for how long. Pure; any thread.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cache/control.hpp"
#include "sluice/api/request_view.hpp"
#include "sluice/config/config.hpp"

namespace sluice::cache {

// What of key, model and section holds for one request: all members are there.
config::CacheRules rules_for(const config::Cache& cache, const config::CacheRules* model, const config::Key* key);

// Why a request goes past the cache: a closed set, of labels.
enum class Bypass : std::uint8_t { kNone, kEndpoint, kNotDeterministic, kStateful, kTools, kNoStore };
std::string_view to_string(Bypass bypass);  // "none", "endpoint", "not_deterministic", "stateful", "tools", "no_store"

// Not for rules whose policy is off.
Bypass judge(const api::RequestView& view, const config::CacheRules& rules, const Control& control);

// How long an answer lives: as the rules have it, or as the request asks within longest_ttl; 0: it is not kept.
std::chrono::milliseconds ttl_for(const config::CacheRules& rules, const Control& control);

}  // namespace sluice::cache
