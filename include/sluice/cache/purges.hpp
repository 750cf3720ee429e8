#pragma once
// What has been purged, and when: each purge begins an epoch, an entry bears the one in which its request began, and
// whatever was purged in a later one is gone at once, however many entries that are. Any thread; as long as nothing is
// purged, asking is one comparison.

#include <atomic>
#include <cstdint>
#include <map>
#include <shared_mutex>
#include <string>
#include <string_view>

#include "sluice/cache/entry.hpp"
#include "sluice/cache/key.hpp"

namespace sluice::cache {

class Purges {
 public:
  // Names of what may be purged: "all", "scope NAME", "key NAME", "model NAME", "tag NAME", "entry HEX".
  using Epochs = std::map<std::string, std::uint64_t, std::less<>>;
  // More are not remembered one by one: then all goes.
  static constexpr std::size_t kMost = 10'000;

  std::uint64_t epoch() const { return epoch_.load(std::memory_order_acquire); }
  // From the next request on. The new epoch.
  std::uint64_t purge(std::string_view what);
  // What the replicas have agreed on.
  void adopt(std::uint64_t epoch, Epochs epochs);

  bool has_purged(const Entry& entry, const Key& key) const { return entry.born < epoch() && look_up(entry, key); }

 private:
  bool look_up(const Entry& entry, const Key& key) const;

  std::atomic<std::uint64_t> epoch_{0};
  mutable std::shared_mutex mutex_;
  Epochs epochs_;
};

}  // namespace sluice::cache
