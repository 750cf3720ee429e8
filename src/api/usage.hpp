#pragma once
#include "sluice/api/json.hpp"
#include "sluice/core/usage.hpp"

namespace sluice::api {

// The last usage object of an answer counts, except that zeros do not replace counts. Nothing but an object counts.
void merge_usage(Usage& into, json::Value usage);

}  // namespace sluice::api
