#include "sluice/cache/memory_store.hpp"

#include <algorithm>
#include <deque>
#include <list>
#include <mutex>
#include <unordered_map>
#include <unordered_set>

namespace sluice::cache {
namespace {

constexpr std::size_t kShardBytes = 8 * 1024 * 1024;  // at least
constexpr std::size_t kLargestInShard = 4;            // entries, at least
constexpr std::size_t kMostShards = 64;
constexpr std::size_t kSmallShare = 10;  // a tenth is for what is new
constexpr std::uint8_t kMostHits = 3;    // that count

}  // namespace

class MemoryStore::Shard {
 public:
  explicit Shard(std::size_t most) : most_(most) {}

  EntryPtr find(const Key& key, std::int64_t now_ms) {
    const std::lock_guard lock(mutex_);
    const auto found = index_.find(key);
    if (found == index_.end()) return nullptr;
    Item& item = *found->second;
    if (item.entry->stale_until_unix_ms <= now_ms) {
      ++counts_.expired;
      drop(found->second);
      return nullptr;
    }
    item.hits = std::min<std::uint8_t>(kMostHits, static_cast<std::uint8_t>(item.hits + 1));
    return item.entry;
  }

  bool store(const Key& key, EntryPtr entry) {
    const std::size_t weight = weight_of(*entry);
    if (weight > most_) return false;
    const std::lock_guard lock(mutex_);
    const auto known = index_.find(key);
    const bool was_main = known != index_.end() && known->second->in_main;
    if (known != index_.end()) drop(known->second);
    make_room(weight);
    const bool to_main = was_main || ghosts_.erase(key) > 0;
    Queue& queue = to_main ? main_ : small_;
    queue.items.push_front({key, std::move(entry), weight, 0, to_main});
    queue.bytes += weight;
    index_.emplace(key, queue.items.begin());
    return true;
  }

  void erase(const Key& key) {
    const std::lock_guard lock(mutex_);
    if (const auto found = index_.find(key); found != index_.end()) drop(found->second);
  }

  void add_to(StoreCounts& sum) const {
    const std::lock_guard lock(mutex_);
    sum.entries += index_.size();
    sum.bytes += small_.bytes + main_.bytes;
    sum.evictions += counts_.evictions;
    sum.expired += counts_.expired;
  }

 private:
  struct Item {
    Key key;
    EntryPtr entry;
    std::size_t weight = 0;
    std::uint8_t hits = 0;
    bool in_main = false;
  };
  struct Queue {  // newest in front
    std::list<Item> items;
    std::size_t bytes = 0;
  };
  using Place = std::list<Item>::iterator;

  void drop(Place place) {
    Queue& queue = place->in_main ? main_ : small_;
    queue.bytes -= place->weight;
    index_.erase(place->key);
    queue.items.erase(place);
  }

  void make_room(std::size_t weight) {
    while (small_.bytes + main_.bytes + weight > most_) {
      const bool from_small = small_.bytes > most_ / kSmallShare || main_.items.empty();
      from_small ? shrink_small() : shrink_main();
    }
  }

  // Its oldest moves on if it has been asked for, and is remembered otherwise.
  void shrink_small() {
    const Place oldest = std::prev(small_.items.end());
    if (oldest->hits > 0) {
      small_.bytes -= oldest->weight;
      main_.bytes += oldest->weight;
      oldest->hits = 0;
      oldest->in_main = true;
      main_.items.splice(main_.items.begin(), small_.items, oldest);
      return;
    }
    remember(oldest->key);
    ++counts_.evictions;
    drop(oldest);
  }

  // Its oldest gets another turn for each time it has been asked for.
  void shrink_main() {
    const Place oldest = std::prev(main_.items.end());
    if (oldest->hits > 0) {
      --oldest->hits;
      main_.items.splice(main_.items.begin(), main_.items, oldest);
      return;
    }
    ++counts_.evictions;
    drop(oldest);
  }

  // As many as there are entries: keys alone, of what went without having been asked for again.
  void remember(const Key& key) {
    if (!ghosts_.insert(key).second) return;
    ghost_order_.push_back(key);
    while (ghost_order_.size() > std::max<std::size_t>(index_.size(), 16)) {
      ghosts_.erase(ghost_order_.front());
      ghost_order_.pop_front();
    }
  }

  const std::size_t most_;
  mutable std::mutex mutex_;
  Queue small_, main_;
  std::unordered_map<Key, Place> index_;
  std::unordered_set<Key> ghosts_;
  std::deque<Key> ghost_order_;
  StoreCounts counts_;
};

MemoryStore::MemoryStore(std::size_t bytes, std::size_t largest) : most_(bytes) {
  const std::size_t least = std::max(kShardBytes, kLargestInShard * largest);
  const std::size_t count = std::clamp<std::size_t>(bytes / least, 1, kMostShards);
  for (std::size_t i = 0; i < count; ++i) shards_.push_back(std::make_unique<Shard>(bytes / count));
}

MemoryStore::~MemoryStore() = default;

MemoryStore::Shard& MemoryStore::shard_of(const Key& key) const {
  return *shards_[std::hash<Key>()(key) / 64 % shards_.size()];
}

EntryPtr MemoryStore::find(const Key& key, std::int64_t now_ms) { return shard_of(key).find(key, now_ms); }
bool MemoryStore::store(const Key& key, EntryPtr entry) { return shard_of(key).store(key, std::move(entry)); }
void MemoryStore::erase(const Key& key) { shard_of(key).erase(key); }

StoreCounts MemoryStore::counts() const {
  StoreCounts sum;
  for (const auto& shard : shards_) shard->add_to(sum);
  return sum;
}

}  // namespace sluice::cache
