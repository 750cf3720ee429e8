#pragma once
// What operators ask of targets: GET /admin/targets, and their part of the metrics.

#include <string>

#include "sluice/observe/series_budget.hpp"
#include "sluice/routing/router.hpp"

namespace sluice::server {

// Every target and credential: whether it is used, why not and for how long. JSON; docs/operations.md shows it.
std::string report_targets(const routing::Router& router, TimePoint now);

// The same as numbers, in the text exposition format. Those that the budget does not let in are one target, or one
// credential, "other": the sum of what is counted, and the worst of what is measured.
std::string render_targets(const routing::Router& router, TimePoint now, observe::SeriesBudget& budget);

}  // namespace sluice::server
