#include "cache/flights.hpp"

namespace sluice::cache {

Flights::Boarding Flights::board(const Key& key, std::uint64_t born,
                                 const std::function<std::shared_ptr<Flight>()>& make) {
  Shard& shard = shard_of(key);
  const std::lock_guard lock(shard.mutex);
  auto& flight = shard.flights[key];
  const bool leads = !flight || flight->born() < born;
  if (leads) flight = make();
  return {flight, leads};
}

bool Flights::is_under_way(const Key& key) {
  Shard& shard = shard_of(key);
  const std::lock_guard lock(shard.mutex);
  return shard.flights.contains(key);
}

void Flights::land(const Key& key, const std::shared_ptr<Flight>& flight) {
  Shard& shard = shard_of(key);
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.flights.find(key);
  if (found != shard.flights.end() && found->second == flight) shard.flights.erase(found);
}

}  // namespace sluice::cache
