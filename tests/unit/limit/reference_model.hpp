#pragma once
// One limit's books as one would keep them with all the time in the world: every take with its time. Windows are
// counted twice, as they are and as if they were `late` longer; what lies between is a ledger's own choice.

#include <map>
#include <optional>
#include <vector>

#include "sluice/limit/ledger.hpp"

namespace sluice::limit {

struct Bounds {
  std::int64_t least = 0;
  std::int64_t most = 0;
};

class LimitModel {
 public:
  // Where something was booked.
  struct Place {
    std::size_t entry = 0;
    std::chrono::sys_seconds period{};
  };

  LimitModel(const Limit& limit, nanoseconds late) : limit_(limit), late_(late) {}
  const Limit& limit() const { return limit_; }

  Place book(std::int64_t amount, WallTime now);
  void settle(Place place, std::int64_t taken, std::int64_t used, WallTime now);
  void extend(Place place, std::int64_t amount) { periods_[place.period].reserved += amount; }

  // What is counted, reservations included; of budgets, in the period of `now` or in that of a take.
  Bounds counted(WallTime now) const;
  std::int64_t counted_with(Place place) const;
  // Of budgets, but for resets_in.
  Standing spent(WallTime now) const;
  // Within what time `amount` must fit if nothing else comes; nothing: nobody can tell.
  std::optional<milliseconds> fits_within(std::int64_t amount, WallTime now) const;

 private:
  struct Entry {
    WallTime at;
    std::int64_t amount;
  };
  bool counts_time() const { return limit_.meter != Meter::kConcurrency && limit_.meter != Meter::kMoney; }
  std::int64_t after(WallTime oldest) const;

  const Limit& limit_;
  nanoseconds late_;
  std::vector<Entry> entries_;  // rates
  std::int64_t slots_ = 0;      // concurrency
  std::map<std::chrono::sys_seconds, Standing> periods_;
};

}  // namespace sluice::limit
