#pragma once
// What the trace says of the process itself, beside its requests.

#include <string>
#include <vector>

#include "server/lines.hpp"
#include "sluice/budget/alerts.hpp"

namespace sluice::server {

// Which configuration is in force, from a start or a reload on; with problems: which stays so.
void trace_config(const Lines& lines, const std::string& hash, const std::vector<std::string>& problems = {});
void trace_alert(const Lines& lines, const budget::BudgetAlert& alert);

}  // namespace sluice::server
