#pragma once
// What the shared ledger keeps in this process of one limit id: its keys, and what serves while Redis is away.

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "limit/budget_share.hpp"
#include "sluice/limit/memory_ledger.hpp"

namespace sluice::limit {

enum class Kind : char { kWindow = 'r', kSlots = 's', kBudget = 'b' };
Kind kind_of(Meter meter);

// Any thread.
class SharedLimit final : public LimitState {
 public:
  // `owner`: the only process it is a limit of; empty: it is shared.
  SharedLimit(const Limit& limit, std::string_view tag, std::string_view owner = {});

  const std::string& id() const { return id_; }
  Kind kind() const { return kind_; }
  milliseconds window() const { return window_; }
  // Windows, slots: their key. Budgets: the beginnings of the two keys, which end in the period.
  const std::string& key() const { return key_; }
  const std::string& holds_key() const { return holds_key_; }

  // Budgets.
  BudgetShare& budget() { return budget_; }
  // The highest threshold of a period that this process knows to have been told. Raises it if `percent` is higher;
  // whether it was.
  bool raise_told(const Term& term, unsigned percent);
  // The limit as it was last made known: for those who are told later.
  std::shared_ptr<const Limit> newest() const;
  void renew(const Limit& limit);

  // Windows and slots: the same limit with this replica's share of it, rounded down, known to `local`. Good for as long
  // as this. All of it, if it is of this process alone.
  const Limit& share_of(const Limit& limit, unsigned replicas, MemoryLedger& local);
  // Whether so many replicas would leave no share.
  bool too_small_for(unsigned replicas) const;

 private:
  const std::string id_;
  const Kind kind_;
  const milliseconds window_;
  const bool shared_;
  std::string key_;
  std::string holds_key_;
  BudgetShare budget_;

  mutable std::mutex mutex_;  // of what follows
  std::shared_ptr<const Limit> newest_;
  std::map<std::pair<std::int64_t, Mode>, std::unique_ptr<Limit>> shares_;  // by what they allow
  Term told_term_;
  unsigned told_ = 0;
};

inline SharedLimit& shared(const Limit& limit) { return static_cast<SharedLimit&>(*limit.state); }
inline std::shared_ptr<SharedLimit> shared_pointer(const Limit& limit) {
  return std::static_pointer_cast<SharedLimit>(limit.state);
}

// All that are in use. Limits come and go (one per end user); what nobody refers to any more is dropped. Limits of the
// node "process" have keys of their own in each replica.
class SharedLimits {
 public:
  SharedLimits(std::string tag, std::string replica) : tag_(std::move(tag)), replica_(std::move(replica)) {}

  std::shared_ptr<SharedLimit> find_or_make(const Limit& limit);
  std::size_t too_small_for(unsigned replicas);

 private:
  void sweep();

  const std::string tag_;
  const std::string replica_;
  std::mutex mutex_;
  std::unordered_map<std::string, std::weak_ptr<SharedLimit>> limits_;
  std::size_t sweep_at_ = 1024;
};

}  // namespace sluice::limit
