#include "limit/registry.hpp"

#include <atomic>

namespace sluice::limit {
namespace {

constexpr std::size_t kLooksPerNew = 3;

bool droppable(const std::shared_ptr<Account>& account, const Moment& now) {
  if (account.use_count() != 1) return false;
  // What its last user did to it comes before what we see of it.
  std::atomic_thread_fence(std::memory_order_acquire);
  return account->idle(now);
}

}  // namespace

std::shared_ptr<Account> Registry::find(std::string_view id) {
  Shard& shard = shard_of(id);
  const std::lock_guard lock(shard.mutex);
  return shard.find(id);
}

std::shared_ptr<Account> Registry::find_or_make(const std::string& id, const Make& make, const Moment& now) {
  Shard& shard = shard_of(id);
  const std::lock_guard lock(shard.mutex);
  if (auto account = shard.find(id)) return account;
  shard.sweep(kLooksPerNew, now);
  auto account = make();
  shard.insert(account);
  return account;
}

void Registry::sweep(const Moment& now) {
  Shard& shard = shards_[next_shard_.fetch_add(1) % kShards];
  const std::lock_guard lock(shard.mutex);
  shard.sweep(shard.accounts.size(), now);
}

std::size_t Registry::size() {
  std::size_t sum = 0;
  for (Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    sum += shard.accounts.size();
  }
  return sum;
}

Registry::Shard& Registry::shard_of(std::string_view id) { return shards_[IdHash()(id) / 0x1'0000'0000 % kShards]; }

std::shared_ptr<Account> Registry::Shard::find(std::string_view id) {
  const auto found = places.find(id);
  return found == places.end() ? nullptr : accounts[found->second];
}

void Registry::Shard::insert(std::shared_ptr<Account> account) {
  accounts.push_back(account);
  try {
    places.emplace(account->id(), accounts.size() - 1);
  } catch (...) {
    accounts.pop_back();
    throw;
  }
}

// The last one moves into the gap.
void Registry::Shard::sweep(std::size_t count, const Moment& now) {
  for (; count > 0 && !accounts.empty(); --count) {
    if (hand >= accounts.size()) hand = 0;
    if (!droppable(accounts[hand], now)) {
      ++hand;
      continue;
    }
    places.erase(accounts[hand]->id());
    if (hand + 1 < accounts.size()) {
      accounts[hand] = std::move(accounts.back());
      places[accounts[hand]->id()] = hand;
    }
    accounts.pop_back();
  }
}

}  // namespace sluice::limit
