#pragma once
// What a request may take, before anything is sent for it; and what it used, when it is over.

#include <memory>

#include "sluice/config/config.hpp"
#include "sluice/limit/ledger.hpp"
#include "sluice/limit/waiting_room.hpp"
#include "sluice/pipeline/middleware.hpp"

namespace sluice::admission {

class Paths;
class Pricing;

// What all configurations share, one after the other: lives as long as the process.
struct Books {
  limit::Ledger& ledger;
  limit::WaitingRoom& room;
};

// Takes from every limit on the request's path, all or nothing; waits for a slot where only slots lack. What was used
// is settled however the exchange ends. Fills in cost, limit, observed, tags and usage that nobody reported. After
// Resolve. Errors: kRateLimited, kConcurrencyExceeded, kBudgetExceeded, kBudgetUnavailable, kOverloaded, kPriceUnknown.
std::unique_ptr<pipeline::Middleware> make_admit(const config::Config& config, std::shared_ptr<const Paths> paths,
                                                 Books books);
// Tags of a key and of the groups above it; `paths` keeps them.
const config::Tags* tags_of(const Paths& paths, const config::Key* key);
// Percent left of the tightest budget from the root down to the key, what is reserved left out; nothing: there is no
// budget, or the books do not answer.
Task<std::optional<double>> budget_left(const Paths& paths, const config::Key* key);

std::shared_ptr<const Paths> make_paths(const config::Config& config, limit::Ledger& ledger);

}  // namespace sluice::admission
