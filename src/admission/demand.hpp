#pragma once
// What a request may come to use, guessed high before it is sent; and what it did use.

#include <cstdint>

#include "sluice/api/request_view.hpp"
#include "sluice/config/config.hpp"
#include "sluice/core/usage.hpp"
#include "sluice/limit/ledger.hpp"

namespace sluice::admission {

struct Demand {
  std::int64_t input = 0;   // tokens, estimated
  std::int64_t output = 0;  // tokens, at most, of all choices together
  Money cost;               // of the dearest place that may be asked
};

// Its tokens, for which the whole body is looked at; the cost is the caller's to fill in. `default_output`: where
// neither the request nor its model says a maximum.
Demand demand_of(const api::RequestView& view, std::int64_t default_output);
// What it costs at most by that price; null: nothing is charged.
Money cost_at(const config::PriceRow* price, const Demand& demand);

// So much of `limit` is taken for it.
std::int64_t amount_of(const limit::Limit& limit, const Demand& demand);
// So much of it was used in the end.
std::int64_t used_of(const limit::Limit& limit, const Usage& usage, Money cost);

}  // namespace sluice::admission
