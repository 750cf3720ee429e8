#pragma once
// What this replica may spend of one budget while it cannot ask: its share of what was left when the shared books were
// last seen. `outstanding` is what it has reserved or spent and not yet told; the books, when they are seen again, hold
// all that was told. So outstanding <= (most - seen) / replicas, whoever else spends.

#include <cstdint>
#include <mutex>

namespace sluice::limit {

// A calendar period, milliseconds since the epoch; both 0 for a limit without one.
struct Term {
  std::int64_t from = 0;
  std::int64_t until = 0;
  bool operator==(const Term&) const = default;
};

// Any thread.
class BudgetShare {
 public:
  struct Terms {
    Term term;
    std::int64_t most = 0;
    unsigned replicas = 1;
  };
  struct Taken {
    bool within = false;
    std::int64_t seen = 0;  // spent and reserved by all, as last seen
    std::int64_t outstanding = 0;
  };

  // The shared books: so much is spent and reserved.
  void saw(const Term& term, std::int64_t used);
  // Takes `amount` if it is within the share, or in any case. A period that begins meanwhile begins with nothing spent;
  // of a budget that was never seen nothing is left.
  Taken take(const Terms& terms, std::int64_t amount, bool in_any_case);
  // Of what was taken in that period, more or less is outstanding.
  void change(const Term& term, std::int64_t by);

 private:
  void move_to(const Term& term);

  std::mutex mutex_;
  Term term_;
  bool known_ = false;
  std::int64_t used_ = 0;
  std::int64_t outstanding_ = 0;
};

}  // namespace sluice::limit
