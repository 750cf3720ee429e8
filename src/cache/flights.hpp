#pragma once
// The answers that are on their way, by what was asked. One per process; any thread.

#include <array>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "cache/flight.hpp"
#include "sluice/cache/key.hpp"

namespace sluice::cache {

class Flights {
 public:
  struct Boarding {
    std::shared_ptr<Flight> flight;
    bool leads = false;  // it has just been made; land() is owed
  };
  // Who asks in the epoch `born` boards none that began in an older one: something has been purged since.
  Boarding board(const Key& key, std::uint64_t born, const std::function<std::shared_ptr<Flight>()>& make);
  bool is_under_way(const Key& key);
  // Nobody joins it from now on.
  void land(const Key& key, const std::shared_ptr<Flight>& flight);

 private:
  static constexpr std::size_t kShards = 64;
  struct Shard {
    std::mutex mutex;
    std::unordered_map<Key, std::shared_ptr<Flight>> flights;
  };
  Shard& shard_of(const Key& key) { return shards_[std::hash<Key>()(key) % kShards]; }

  std::array<Shard, kShards> shards_;
};

}  // namespace sluice::cache
