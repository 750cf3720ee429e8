#pragma once
// What of the exact cache goes on over reloads: the entries, in this process or in a Redis that replicas share, the
// answers on their way, the purges and the counts. Any thread, unless it says otherwise.
//
// With Redis a find is one round trip, and whatever Redis does no request waits for it longer than the client's
// deadline, all its calls together; what it does not say is a miss.

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "sluice/cache/entry.hpp"
#include "sluice/cache/key.hpp"
#include "sluice/cache/memory_store.hpp"
#include "sluice/cache/purges.hpp"
#include "sluice/config/config.hpp"
#include "sluice/core/async.hpp"
#include "sluice/core/clock.hpp"
#include "sluice/redis/client.hpp"

namespace sluice::cache {

class Flights;
class RedisShelf;

// Why an answer that had come whole was not kept: a closed set, of labels.
inline constexpr std::array<std::string_view, 8> kSkipReasons = {
    "finish_reason", "tool_calls", "substituted", "too_large", "no_ttl", "no_room", "store_unavailable", "purged"};

struct CacheCounts {
  StoreCounts memory;
  std::size_t most_bytes = 0;
  std::uint64_t stored = 0;
  std::uint64_t corrupt = 0;      // values in Redis that were none of ours; they were deleted
  std::uint64_t unavailable = 0;  // finds that Redis did not answer
  std::array<std::uint64_t, kSkipReasons.size()> skipped{};
};

class Cache {
 public:
  // In memory, or in the Redis that is configured. Without a secret one is made up, for this process.
  explicit Cache(const config::Config& config);
  ~Cache();
  Cache(const Cache&) = delete;
  Cache& operator=(const Cache&) = delete;

  const KeyMaker& keys() const { return keys_; }
  Flights& flights() const { return *flights_; }
  bool shared() const { return shared_; }

  // With Redis: the calling thread asks through that client, which outlives its last call there.
  void attach(redis::Client& client);
  // With Redis, on one thread: reads what has been purged, at once and from time to time, until it is cancelled.
  Task<void> keep_in_step();
  // On that thread: something has been purged, or may have been.
  void look_now() {
    if (wake_) wake_();
  }
  // Where replicas tell each other of it.
  std::string channel() const;

  // One request's calls. With Redis they have one deadline together, and end once Redis has failed.
  class Turn {
   public:
    explicit Turn(Cache& cache);
    // What is there and has not been purged, fresh or stale.
    Task<EntryPtr> find(Key key, std::int64_t now_ms);
    Task<void> store(Key key, EntryPtr entry);
    // Whether to ask oneself: no other replica does. False: somebody does.
    Task<bool> lease(Key key, milliseconds time);
    Task<void> give_back(Key key);

   private:
    TimePoint begin();
    void end(bool failed);
    Cache& cache_;
    TimePoint begun_{};
    nanoseconds left_;  // that the client may wait
    bool failed_ = false;
    bool leases_ = false;
  };

  // Gone from the next request on, under its name in Purges. Errors: kRedisUnavailable; then nothing is.
  Task<Result<void>> purge(std::string what);
  std::uint64_t epoch() const { return purges_.epoch(); }
  void count_skipped(std::string_view reason);
  CacheCounts counts() const;

 private:
  friend class Turn;
  EntryPtr in_memory(const Key& key, std::int64_t now_ms);
  Task<EntryPtr> in_redis(Key key, std::int64_t now_ms, TimePoint due, bool& failed);
  Task<bool> get_in_step();
  Task<void> give_back(Key key);
  std::optional<RedisShelf> shelf() const;

  struct Settings;
  std::unique_ptr<Settings> settings_;
  const bool shared_;
  KeyMaker keys_;
  std::unique_ptr<Flights> flights_;
  Purges purges_;
  std::atomic<bool> in_step_{false};  // what has been purged is known
  std::function<void()> wake_;        // of keep_in_step()'s thread
  MemoryStore memory_;
  std::atomic<std::uint64_t> stored_{0}, corrupt_{0}, unavailable_{0};
  std::array<std::atomic<std::uint64_t>, kSkipReasons.size()> skipped_{};
};

}  // namespace sluice::cache
