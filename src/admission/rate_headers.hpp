#pragma once
// What a client is told of its limits, in OpenAI's header fields ("Rate limits in headers", OpenAI API documentation).

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sluice/limit/ledger.hpp"

namespace sluice::admission {

using Fields = std::vector<std::pair<std::string_view, std::string>>;

// x-ratelimit-{limit,remaining,reset}-{requests,tokens}, of the limit of each kind that is nearest to its end; nothing
// for a kind that has none. Limits that are only observed are not told.
void append_rate_headers(std::span<const limit::Take> takes, std::span<const limit::Standing> standings, Fields& out);

// "1s", "6m0s", "250ms": a duration as Go writes it.
std::string go_duration(std::chrono::milliseconds span);

}  // namespace sluice::admission
