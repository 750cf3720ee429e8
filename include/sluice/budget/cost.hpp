#pragma once
// What tokens cost by a row of the price table. Pure. Counts and prices are taken as they come: what is negative counts
// as nothing, sums saturate, and a part never exceeds the whole it is a part of. The sum is exact and rounded up once,
// to a whole nano-dollar.

#include <cstdint>

#include "sluice/config/config.hpp"
#include "sluice/core/money.hpp"
#include "sluice/core/usage.hpp"

namespace sluice::budget {

// Cached and cache-writing tokens cost their own price and not the input's, reasoning tokens theirs and not the
// output's. The price per request is always part of it.
Money cost_of(const config::PriceRow& price, const Usage& usage);

// The most that a request may cost whose prompt has `input_estimate` tokens and which may get `choices` answers (at
// least one) of `max_output` tokens each. Never less than cost_of() of an answer that keeps to these numbers.
Money worst_case(const config::PriceRow& price, std::int64_t input_estimate, std::int64_t max_output,
                 std::int64_t choices);

}  // namespace sluice::budget
