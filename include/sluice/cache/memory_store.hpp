#pragma once
// Entries in this process, bounded in bytes. What is admitted and what goes is decided by S3-FIFO (Yang et al., "FIFO
// queues are all you need for cache eviction", SOSP 2023): what comes new goes through a small queue, and only what is
// asked for again there moves on to the main one, so that a scan of things asked for once flushes nothing; finding one
// only counts, which keeps the lock short.
//
// Any thread. Entries are spread over shards by their keys, each with a lock that is held for some hundred nanoseconds:
// what all workers share cannot be without one, and two of them meet at a shard rarely.

#include <cstdint>
#include <memory>
#include <vector>

#include "sluice/cache/entry.hpp"
#include "sluice/cache/key.hpp"

namespace sluice::cache {

struct StoreCounts {
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;
  std::uint64_t evictions = 0;  // to make room
  std::uint64_t expired = 0;    // found to be over
};

class MemoryStore {
 public:
  // `largest`: bytes of the largest entries that are to find room.
  explicit MemoryStore(std::size_t bytes, std::size_t largest = 0);
  ~MemoryStore();

  // Null: not there, or over by `now_ms` (Unix time), stale windows included.
  EntryPtr find(const Key& key, std::int64_t now_ms);
  // False: larger than a shard.
  bool store(const Key& key, EntryPtr entry);
  void erase(const Key& key);
  StoreCounts counts() const;
  std::size_t most_bytes() const { return most_; }

 private:
  class Shard;
  Shard& shard_of(const Key& key) const;

  std::size_t most_;
  std::vector<std::unique_ptr<Shard>> shards_;
};

}  // namespace sluice::cache
