#pragma once
// Who of one class waits anywhere, by key: tells whom to send away. Pure; everything is O(log n).

#include <cstddef>
#include <set>
#include <utility>

#include "limit/fair_queue.hpp"

namespace sluice::limit {

class Roll {
 public:
  using Entry = FairQueue::Entry;

  void add(Entry& entry);
  void remove(Entry& entry);
  // The newest entry of the key that has most of them; null: nobody.
  Entry* newest_of_most() const { return most_.empty() ? nullptr : *most_.rbegin()->second->rbegin(); }

 private:
  using Owned = std::set<Entry*, ByNumber>;
  TextMap<Owned> keys_;
  std::set<std::pair<std::size_t, Owned*>> most_;
};

inline void Roll::add(Entry& entry) {
  Owned& owned = keys_.try_emplace(entry.key).first->second;
  most_.erase({owned.size(), &owned});
  owned.insert(&entry);
  most_.emplace(owned.size(), &owned);
}

inline void Roll::remove(Entry& entry) {
  const auto found = keys_.find(entry.key);
  Owned& owned = found->second;
  most_.erase({owned.size(), &owned});
  owned.erase(&entry);
  if (owned.empty()) {
    keys_.erase(found);
  } else {
    most_.emplace(owned.size(), &owned);
  }
}

}  // namespace sluice::limit
