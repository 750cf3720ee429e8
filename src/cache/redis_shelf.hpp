#pragma once
// Entries in a Redis that replicas share, under {PREFIX}:cache:…; the leases of those who ask for one, and what has
// been purged. Whatever state Redis is in, a call ends by the client's deadline, and a failure is a miss. Of one
// thread.

#include <optional>
#include <string>

#include "sluice/cache/entry.hpp"
#include "sluice/cache/key.hpp"
#include "sluice/cache/purges.hpp"
#include "sluice/core/async.hpp"
#include "sluice/core/clock.hpp"
#include "sluice/redis/client.hpp"

namespace sluice::cache {

struct ShelfSettings {
  std::string prefix = "sluice";
  std::size_t compress_over = 4096;
  std::size_t value_bytes = std::size_t{1} << 20;  // a larger one is not kept
};

class RedisShelf {
 public:
  // All outlive it.
  RedisShelf(redis::Client& client, const KeyMaker& keys, const ShelfSettings& settings)
      : client_(client), keys_(keys), settings_(settings) {}

  struct Found {
    EntryPtr entry{};
    bool corrupt = false;   // there was something, and it has been deleted
    bool available = true;  // Redis has answered
  };
  Task<Found> find(Key key, TimePoint due);

  enum class Stored : std::uint8_t { kYes, kTooLarge, kUnavailable };
  // For as long as its stale windows last.
  Task<Stored> store(Key key, EntryPtr entry, TimePoint due);

  // Whether this replica may ask for it, as the only one for so long. Nothing: Redis does not say.
  Task<std::optional<bool>> lease(Key key, milliseconds time, TimePoint due);
  Task<void> give_back(Key key, TimePoint due);

  // All replicas hear of it. The epoch that it begins, which is later than the one that is `known`; nothing: Redis did
  // not take it.
  Task<std::optional<std::uint64_t>> purge(std::string what, std::uint64_t known, TimePoint due);
  struct Agreed {
    std::uint64_t epoch = 0;
    Purges::Epochs epochs{};
  };
  Task<std::optional<Agreed>> purges(TimePoint due);

  static std::string channel(const ShelfSettings& settings) { return "{" + settings.prefix + "}:cache:purged"; }

 private:
  std::string name(std::string_view kind, std::string_view what = {}) const;

  redis::Client& client_;
  const KeyMaker& keys_;
  const ShelfSettings& settings_;
};

}  // namespace sluice::cache
