#pragma once
// The inside of Upstreams.

#include "routing/retry_budget.hpp"
#include "routing/target_board.hpp"
#include "sluice/routing/upstreams.hpp"

namespace sluice::routing {

class Upstreams {
 public:
  TargetBoard board;
  RetryBudget retries;
};

}  // namespace sluice::routing
