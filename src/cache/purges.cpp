#include "sluice/cache/purges.hpp"

#include <algorithm>
#include <mutex>

namespace sluice::cache {

std::uint64_t Purges::purge(std::string_view what) {
  const std::lock_guard lock(mutex_);
  const std::uint64_t epoch = epoch_.load(std::memory_order_relaxed) + 1;
  if (epochs_.size() >= kMost) what = "all";
  if (what == "all") epochs_.clear();
  epochs_.insert_or_assign(std::string(what), epoch);
  epoch_.store(epoch, std::memory_order_release);
  return epoch;
}

void Purges::adopt(std::uint64_t epoch, Epochs epochs) {
  const std::lock_guard lock(mutex_);
  if (epoch < epoch_.load(std::memory_order_relaxed)) return;
  epochs_ = std::move(epochs);
  epoch_.store(epoch, std::memory_order_release);
}

bool Purges::look_up(const Entry& entry, const Key& key) const {
  const std::shared_lock lock(mutex_);
  std::string name;
  const auto gone = [&](std::string_view kind, std::string_view what) {
    (name = kind) += what;
    const auto found = epochs_.find(name);
    return found != epochs_.end() && found->second > entry.born;
  };
  return gone("all", "") || gone("scope ", entry.scope) || gone("key ", entry.key_name) || gone("entry ", key.hex()) ||
         std::ranges::any_of(entry.models, [&](const std::string& model) { return gone("model ", model); }) ||
         std::ranges::any_of(entry.tags, [&](const std::string& tag) { return gone("tag ", tag); });
}

}  // namespace sluice::cache
