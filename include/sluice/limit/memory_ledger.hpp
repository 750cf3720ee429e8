#pragma once
// The ledger of one process: exact over all its threads, without locks. Sliding windows and slots are gone with the
// process; budgets can be taken out and put back, see budget/spend_store.hpp.

#include <functional>
#include <memory>
#include <vector>

#include "sluice/core/spend.hpp"
#include "sluice/limit/ledger.hpp"

namespace sluice::limit {

// A budget has reached a threshold: told once per period and threshold, by the thread that settled or took.
using OnThreshold = std::function<void(const Limit& limit, unsigned percent, Money used)>;

class MemoryLedger : public Ledger {
 public:
  // What another process left. Before the first request. What that one had reserved stays reserved until
  // row.held_until.
  virtual void restore(const std::vector<BudgetRow>& rows, WallTime now) = 0;
  // The budgets that have changed since the last call, as they are now; `held_until` = now + lease. Any one thread.
  virtual std::vector<BudgetRow> changed_budgets(WallTime now, std::chrono::seconds lease) = 0;
};

struct MemoryLedgerOptions {
  OnThreshold on_threshold = nullptr;
  std::function<TimePoint()> clock = [] { return Clock::now(); };  // of the sliding windows
};
std::unique_ptr<MemoryLedger> make_memory_ledger(MemoryLedgerOptions options = {});

}  // namespace sluice::limit
