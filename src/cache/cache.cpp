#include "sluice/cache/cache.hpp"

#include <openssl/rand.h>

#include <algorithm>
#include <stdexcept>

#include "cache/flights.hpp"

namespace sluice::cache {
namespace {

Secret given_or_made(const Secret& secret) {
  if (!secret.empty()) return secret;
  std::string bytes(32, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size())) != 1) {
    throw std::runtime_error("there is no randomness");
  }
  return Secret(std::move(bytes));
}

}  // namespace

Cache::Cache(std::size_t memory, const Secret& secret)
    : keys_(given_or_made(secret)), flights_(std::make_unique<Flights>()), memory_(memory) {}

Cache::~Cache() = default;

EntryPtr Cache::find_now(const Key& key, std::int64_t now_ms) {
  EntryPtr found = memory_.find(key, now_ms);
  if (found == nullptr || !purges_.has_purged(*found, key.hex())) return found;
  memory_.erase(key);
  return nullptr;
}

Task<EntryPtr> Cache::find(Key key, std::int64_t now_ms) { co_return find_now(key, now_ms); }

void Cache::store(const Key& key, EntryPtr entry) {
  // Purged while it was on its way: it goes by what has changed since.
  if (purges_.has_purged(*entry, key.hex())) return count_skipped("purged");
  if (!memory_.store(key, std::move(entry))) return count_skipped("no_room");
  stored_.fetch_add(1, std::memory_order_relaxed);
}

void Cache::count_skipped(std::string_view reason) {
  const auto at = std::ranges::find(kSkipReasons, reason);
  if (at == kSkipReasons.end()) return;
  skipped_[static_cast<std::size_t>(at - kSkipReasons.begin())].fetch_add(1, std::memory_order_relaxed);
}

CacheCounts Cache::counts() const {
  CacheCounts counts{.memory = memory_.counts(), .most_bytes = memory_.most_bytes(), .stored = stored_};
  for (std::size_t i = 0; i < skipped_.size(); ++i) counts.skipped[i] = skipped_[i];
  return counts;
}

}  // namespace sluice::cache
