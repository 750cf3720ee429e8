#include "http/pool.hpp"

namespace sluice::http {
namespace {
constexpr auto kSweepInterval = milliseconds(1000);
}

std::unique_ptr<UpstreamConnection> Pool::take(const Origin& origin) {
  auto found = idle_.find(origin.identity);
  if (found == idle_.end()) return nullptr;
  auto& connections = found->second;
  const auto now = Clock::now();
  while (!connections.empty()) {
    Idle last = std::move(connections.back());
    connections.pop_back();
    if (last.until > now && last.connection->read->pending()) return std::move(last.connection);
  }
  return nullptr;
}

void Pool::put(const Origin& origin, std::unique_ptr<UpstreamConnection> connection) {
  auto& connections = idle_[origin.identity];
  if (connections.size() >= origin.max_idle) return;
  const auto now = Clock::now();
  connection->start_read();
  connections.push_back({std::move(connection), now + origin.idle_timeout});
  if (sweep_.due() == kNever) sweep_.arm(now + kSweepInterval);
}

// Closes what has grown old, was closed by the other side or spoke unasked, so that no descriptor lingers.
void Pool::on_sweep(void* self) {
  auto& pool = *static_cast<Pool*>(self);
  const auto now = Clock::now();
  for (auto& [identity, connections] : pool.idle_) {
    std::erase_if(connections, [&](Idle& idle) { return idle.until <= now || !idle.connection->read->pending(); });
  }
  std::erase_if(pool.idle_, [](const auto& entry) { return entry.second.empty(); });
  if (!pool.idle_.empty()) pool.sweep_.arm(now + kSweepInterval);
}

}  // namespace sluice::http
