#pragma once
// What a request says of its run. Pure; any thread.

#include <string>

#include "sluice/config/guarding.hpp"
#include "sluice/core/error.hpp"
#include "sluice/core/run_caps.hpp"
#include "sluice/pipeline/exchange.hpp"

namespace sluice::guard {

inline constexpr std::size_t kLongestRunId = 512;  // bytes, as OpenAI has it for values of metadata
inline constexpr std::size_t kShownRunId = 128;    // of it in the record

// Empty: it belongs to none. An id that is too long, or no text, is an error.
Result<std::string> run_id_of(const pipeline::Exchange& exchange, const config::Guard& guard);

// The caps of the key, or what the request lowers them to. A field that cannot be read is an error.
Result<CapAmounts> caps_of(const http::RequestHead& head, const config::GuardRules& rules);

// What the client hears of a cap.
Error stopped(const std::string& run_id, const CapHit& hit);

}  // namespace sluice::guard
