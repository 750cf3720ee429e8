#pragma once
// What operators ask of the books: GET /admin/limits and GET /admin/spend. JSON; docs/operations.md shows it.

#include <memory>
#include <string>
#include <string_view>

#include "server/books.hpp"
#include "sluice/core/async.hpp"
#include "sluice/core/error.hpp"
#include "sluice/server/snapshot.hpp"

namespace sluice::server {

// The limits on the path of `key=NAME`, with `user=NAME` those of that end user too; without a key those of the
// process, of models, providers and groups. Each with what is used, reserved and left. Errors: kInvalidValue.
Task<Result<std::string>> report_limits(std::shared_ptr<const Snapshot> snapshot, limit::Ledger& ledger,
                                        std::string query);

// `by` = key, group, team, model, provider, hour or day; `since` and `until` = an instant (2026-11-01,
// 2026-11-01T12:00:00Z) or so long ago (7d). Errors: kInvalidValue, kUnknownRoute (no spend is kept).
Task<Result<std::string>> report_spend(std::shared_ptr<budget::SpendStore> store, std::string query);

// The value of a parameter of a URL's query, percent-decoded; empty: absent.
std::string query_value(std::string_view query, std::string_view name);

}  // namespace sluice::server
