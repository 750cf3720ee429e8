#pragma once
// What requests used that came and went while Redis was away: to be told when it is back. One sum per budget and
// period; of windows what is not older than the window.

#include <map>
#include <utility>
#include <vector>

#include "limit/lease.hpp"

namespace sluice::limit {

// Belongs to one worker.
class Debts {
 public:
  void add(Spending spending, TimePoint now);
  bool empty() const { return budgets_.empty() && windows_.empty(); }
  // All of them; they are somebody else's then.
  std::vector<Spending> collect(TimePoint now);

 private:
  using Part = std::pair<TimePoint, std::int64_t>;  // when it began to come; for a slot of the window
  struct Recent {
    std::shared_ptr<SharedLimit> limit;
    std::vector<Part> amounts;
  };
  static bool is_old(const Part& part, milliseconds window, TimePoint now);
  static void add_recent(Recent& recent, std::int64_t amount, TimePoint now);
  static void forget_old(Recent& recent, TimePoint now);
  void sweep(TimePoint now);

  std::map<std::pair<SharedLimit*, std::int64_t>, Spending> budgets_;
  std::map<SharedLimit*, Recent> windows_;
  std::size_t sweep_at_ = 1024;
};

}  // namespace sluice::limit
