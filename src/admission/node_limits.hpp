#pragma once
// The limits of one node of the configuration, as the ledger knows them.

#include <string>
#include <vector>

#include "sluice/core/admission.hpp"
#include "sluice/limit/ledger.hpp"

namespace sluice::admission {

// `id` is the node's, such as "group:acme/search"; `node` is what a client may read, such as "group acme/search".
// Pointers into the result stay good when it is moved.
std::vector<limit::Limit> limits_of(const NodeLimits& limits, const std::string& id, const std::string& node,
                                    limit::Ledger& ledger);

// "600 requests per minute", "500 USD per month", "50 requests at once".
std::string in_words(const limit::Limit& limit);
// "group acme/search requests/min": what the record and metrics name.
std::string label_of(const limit::Limit& limit);

}  // namespace sluice::admission
