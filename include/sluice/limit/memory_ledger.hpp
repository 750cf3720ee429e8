#pragma once
// The ledger of one process: exact over all its threads, without locks. Sliding windows and slots are gone with the
// process; budgets can be taken out and put back, see budget/spend_store.hpp.

#include <functional>
#include <memory>
#include <vector>

#include "sluice/core/spend.hpp"
#include "sluice/limit/ledger.hpp"

namespace sluice::limit {

// What was spent of a budget, reservations left out, has reached a threshold: told once per period and threshold, by
// the thread that settled, before settle() returns. An exception is swallowed.
using OnThreshold = std::function<void(const Limit& limit, unsigned percent, Money used)>;

class MemoryLedger : public Ledger {
 public:
  // What another process left. Before the first request. What that one had reserved stays reserved until
  // row.held_until.
  virtual void restore(const std::vector<BudgetRow>& rows, WallTime now) = 0;
  // The budgets that have changed since the last call, as they are now; `held_until` = now + lease. A period that is
  // over may come again: what was reserved in it is settled in it. Any one thread at a time. Also drops, in each call,
  // some of what nobody needs to have in memory any more; call it about once a second.
  virtual std::vector<BudgetRow> changed_budgets(WallTime now, std::chrono::seconds lease) = 0;
  // How many limits have an account in memory.
  virtual std::size_t accounts() = 0;
};

struct MemoryLedgerOptions {
  OnThreshold on_threshold = nullptr;
  bool keep_changes = true;  // false: nobody calls changed_budgets(), so nothing is kept in memory for it
  std::function<TimePoint()> clock = [] { return Clock::now(); };  // of the sliding windows
};
std::unique_ptr<MemoryLedger> make_memory_ledger(MemoryLedgerOptions options = {});

}  // namespace sluice::limit
