#include <mutex>
#include <unordered_map>

#include "limit/budget_account.hpp"
#include "limit/rate_account.hpp"
#include "limit/registry.hpp"
#include "limit/slot_account.hpp"

namespace sluice::limit {
namespace {

// At most as many takes as there are bits.
void mark(std::uint64_t& bits, std::size_t index) {
  if (index < 64) bits |= std::uint64_t{1} << index;
}

class AccountLedger final : public MemoryLedger {
 public:
  explicit AccountLedger(MemoryLedgerOptions options) : options_(std::move(options)) {}

  void know(Limit& limit) override;
  std::optional<Verdict> admit_now(const std::vector<Take>& takes, WallTime now) override;
  Task<Result<Verdict>> admit(std::vector<Take> takes, WallTime now) override;
  Task<Result<std::vector<Standing>>> look(std::vector<const Limit*> limits, WallTime now) override;

  void restore(const std::vector<BudgetRow>& rows, WallTime now) override;
  std::vector<BudgetRow> changed_budgets(WallTime now, std::chrono::seconds lease) override;
  std::size_t accounts() override { return registry_.size(); }

 protected:
  void settle(Grant& grant, std::span<const std::int64_t> used) noexcept override;
  bool extend(Grant& grant, Money amount) override;

 private:
  Moment at(WallTime now) const { return {.steady = options_.clock(), .wall = now}; }
  std::shared_ptr<Account> make(const Limit& limit);
  void restore_left(BudgetAccount& account);
  void note(WallTime now);

  const MemoryLedgerOptions options_;
  ChangedBudgets changed_;
  Registry registry_;
  // What another process left of budgets nobody has asked for yet.
  std::mutex left_mutex_;
  std::unordered_map<std::string, BudgetRow, IdHash> left_;
  // The wall clock as it was last told, to a second: what know() goes by.
  std::atomic<WallTime> last_now_{WallTime{}};
};

void AccountLedger::know(Limit& limit) {
  limit.state = registry_.find_or_make(limit.id, [&] { return make(limit); }, at(last_now_.load()));
}

std::shared_ptr<Account> AccountLedger::make(const Limit& limit) {
  if (limit.meter == Meter::kConcurrency) return std::make_shared<SlotAccount>(limit.id);
  if (limit.meter != Meter::kMoney) return std::make_shared<RateAccount>(limit.id, limit.window);
  auto account = std::make_shared<BudgetAccount>(limit.id, limit.period, options_.keep_changes ? &changed_ : nullptr);
  restore_left(*account);
  return account;
}

// How many of the takes are booked is how many places the grant has: whatever ends the loop early, the grant's end
// takes them back.
std::optional<Verdict> AccountLedger::admit_now(const std::vector<Take>& takes, WallTime now) {
  std::optional<Verdict> verdict(std::in_place, grant_of(takes));
  Grant& grant = std::get<Grant>(*verdict);
  places(grant).reserve(takes.size());
  standings(grant).reserve(takes.size());
  const Moment moment = at(now);
  note(now);
  for (Take& take : this->takes(grant)) {
    const std::size_t index = places(grant).size();
    const auto booking = account_of(*take.limit).take(*take.limit, take.amount, moment);
    if (!booking) {
      Refusal refusal = booking.error();
      refusal.index = index;
      verdict.emplace(refusal);
      break;
    }
    take.amount = booking->amount;
    places(grant).push_back(booking->place);
    standings(grant).push_back(booking->standing);
    if (booking->over) mark(observed(grant), index);
  }
  return verdict;
}

Task<Result<Verdict>> AccountLedger::admit(std::vector<Take> takes, WallTime now) {
  co_return std::move(*admit_now(takes, now));
}

Task<Result<std::vector<Standing>>> AccountLedger::look(std::vector<const Limit*> limits, WallTime now) {
  const Moment moment = at(now);
  std::vector<Standing> standings;
  standings.reserve(limits.size());
  for (const Limit* limit : limits) standings.push_back(account_of(*limit).standing(*limit, moment));
  co_return standings;
}

void AccountLedger::settle(Grant& grant, std::span<const std::int64_t> used) noexcept {
  for (std::size_t i = 0; i < places(grant).size(); ++i) {
    const Take& take = takes(grant)[i];
    account_of(*take.limit)
        .settle({.take = take, .place = places(grant)[i], .used = i < used.size() ? used[i] : 0, .options = options_});
  }
}

bool AccountLedger::extend(Grant& grant, Money amount) {
  std::vector<Take>& takes = this->takes(grant);
  std::vector<std::int64_t> more(takes.size());
  for (std::size_t i = 0; i < takes.size(); ++i) {
    const Limit& limit = *takes[i].limit;
    if (limit.meter != Meter::kMoney) continue;
    const auto booking = account_of(limit).extend(limit, amount.nanodollars(), places(grant)[i]);
    if (!booking) {
      while (i-- > 0) account_of(*takes[i].limit).shorten(more[i], places(grant)[i]);
      return false;
    }
    more[i] = booking->amount;
    if (booking->over) mark(observed(grant), i);
  }
  for (std::size_t i = 0; i < takes.size(); ++i) takes[i].amount += more[i];
  return true;
}

void AccountLedger::restore(const std::vector<BudgetRow>& rows, WallTime now) {
  note(now);
  {
    const std::lock_guard lock(left_mutex_);
    for (const BudgetRow& row : rows) {
      BudgetRow& latest = left_.try_emplace(row.id, row).first->second;
      if (row.period > latest.period) latest = row;
    }
  }
  for (const BudgetRow& row : rows) {
    if (const auto known = std::dynamic_pointer_cast<BudgetAccount>(registry_.find(row.id))) restore_left(*known);
  }
}

void AccountLedger::restore_left(BudgetAccount& account) {
  const std::lock_guard lock(left_mutex_);
  const auto found = left_.find(account.id());
  if (found == left_.end()) return;
  account.restore(found->second);
  left_.erase(found);
}

// A store now and then, not a word that all threads write to.
void AccountLedger::note(WallTime now) {
  const WallTime last = last_now_.load();
  if (now >= last + std::chrono::seconds(1) || now < last) last_now_.store(now);
}

std::vector<BudgetRow> AccountLedger::changed_budgets(WallTime now, std::chrono::seconds lease) {
  std::vector<BudgetRow> rows;
  note(now);
  changed_.collect(rows, now, lease);
  registry_.sweep(at(now));
  return rows;
}

}  // namespace

std::unique_ptr<MemoryLedger> make_memory_ledger(MemoryLedgerOptions options) {
  return std::make_unique<AccountLedger>(std::move(options));
}

}  // namespace sluice::limit
