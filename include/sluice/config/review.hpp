#pragma once
// What is right in itself and yet probably not meant, once the day is known: told at the start, at a reload and by
// `sluice check`.

#include <chrono>
#include <string>
#include <vector>

#include "sluice/config/config.hpp"

namespace sluice::config {

// Whether any node has a budget.
bool has_budgets(const Config& config);

// Sentences for the operator: budgets that nothing or the wrong thing is reckoned with, keys that have expired.
std::vector<std::string> review(const Config& config, std::chrono::sys_seconds now);

}  // namespace sluice::config
