#pragma once
// What of the exact cache goes on over reloads: the entries, the answers on their way, the purges and the counts. Any
// thread, unless it says otherwise.

#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "sluice/cache/entry.hpp"
#include "sluice/cache/key.hpp"
#include "sluice/cache/memory_store.hpp"
#include "sluice/cache/purges.hpp"
#include "sluice/core/async.hpp"
#include "sluice/core/secret.hpp"

namespace sluice::cache {

class Flights;

// Why an answer that had come whole was not kept: a closed set, of labels.
inline constexpr std::array<std::string_view, 8> kSkipReasons = {
    "finish_reason", "tool_calls", "substituted", "too_large", "no_ttl", "no_room", "store_unavailable", "purged"};

struct CacheCounts {
  StoreCounts memory;
  std::size_t most_bytes = 0;
  std::uint64_t stored = 0;
  std::array<std::uint64_t, kSkipReasons.size()> skipped{};
};

class Cache {
 public:
  // An empty secret: one is made up, for this process.
  Cache(std::size_t memory, const Secret& secret);
  ~Cache();
  Cache(const Cache&) = delete;
  Cache& operator=(const Cache&) = delete;

  const KeyMaker& keys() const { return keys_; }
  Flights& flights() const { return *flights_; }
  // Gone from the next request on, under its name in Purges.
  void purge(std::string_view what) { purges_.purge(what); }
  std::uint64_t epoch() const { return purges_.epoch(); }

  // What is there and has not been purged, fresh or stale.
  Task<EntryPtr> find(Key key, std::int64_t now_ms);
  // As far as that needs no waiting.
  EntryPtr find_now(const Key& key, std::int64_t now_ms);
  void store(const Key& key, EntryPtr entry);
  void count_skipped(std::string_view reason);

  CacheCounts counts() const;

 private:
  KeyMaker keys_;
  std::unique_ptr<Flights> flights_;
  Purges purges_;
  MemoryStore memory_;
  std::atomic<std::uint64_t> stored_{0};
  std::array<std::atomic<std::uint64_t>, kSkipReasons.size()> skipped_{};
};

}  // namespace sluice::cache
