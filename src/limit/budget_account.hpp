#pragma once
// Money per calendar period.

#include <atomic>
#include <vector>

#include "limit/account.hpp"
#include "limit/budget_pages.hpp"

namespace sluice::limit {

class BudgetAccount;

// Budgets that have changed since they were last collected. Any thread adds, without locks; one at a time collects.
// Whoever adds a budget keeps it alive meanwhile; listed, it keeps itself from being dropped, see idle().
class ChangedBudgets {
 public:
  void add(BudgetAccount& account);
  void collect(std::vector<BudgetRow>& rows, WallTime now, std::chrono::seconds lease) noexcept;

 private:
  std::atomic<BudgetAccount*> newest_{nullptr};
};

class BudgetAccount final : public Account {
 public:
  // `changed`: where to report changes, if anybody wants to know.
  BudgetAccount(std::string id, Period period, ChangedBudgets* changed)
      : Account(std::move(id)), period_(period), changed_(changed) {}

  std::expected<Booking, Refusal> take(const Limit& limit, std::int64_t amount, const Moment& now) override;
  std::optional<Booking> extend(const Limit& limit, std::int64_t amount, std::int64_t place) override;
  void shorten(std::int64_t amount, std::int64_t place) noexcept override;
  void settle(const Closing& end) noexcept override;
  Standing standing(const Limit& limit, const Moment& now) override;
  bool idle(const Moment& now) override;

  // What another process left in a period of this budget. What it spent adds up with what is on the books of that
  // period; does nothing if there is a later period already.
  void restore(const BudgetRow& row);

  std::size_t pages() const { return pages_.count(); }  // in memory

 private:
  friend class ChangedBudgets;
  void collect(std::vector<BudgetRow>& rows, std::chrono::sys_seconds held_until);
  std::optional<Booking> reserve(BudgetPage& page, const Limit& limit, std::int64_t amount);
  void free_orphans(BudgetPage& page, WallTime now);
  void mark_changed(BudgetPage& page) noexcept;

  const Period period_;
  BudgetPages pages_;
  ChangedBudgets* const changed_;
  // Of ChangedBudgets. Read in this order by idle(), written in the other by collect(), so that one of them is true
  // from the change to the end of the collection.
  std::atomic<bool> listed_{false};
  std::atomic<bool> collecting_{false};
  BudgetAccount* next_changed_ = nullptr;
};

}  // namespace sluice::limit
