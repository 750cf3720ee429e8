#include "http/pool.hpp"

#include <algorithm>

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
    // Its pending read may have something that the loop has not come to yet, and that is no answer to what is asked
    // now.
    PendingRead& read = *last.connection->read;
    if (last.until > now && read.pending() && read.transport().is_quiet()) return std::move(last.connection);
  }
  return nullptr;
}

void Pool::put(const Origin& origin, std::unique_ptr<UpstreamConnection> connection) {
  auto& connections = idle_[origin.identity];
  if (connections.size() >= origin.max_idle) return;
  const auto now = Clock::now();
  connection->read->on_arrival(nullptr);
  connection->start_read();
  connections.push_back({std::move(connection), now + origin.idle_timeout});
  if (sweep_.due() == kNever) sweep_.arm(now + kSweepInterval);
}

void Pool::keep(std::unique_ptr<ResponseStream> stream, TimePoint until) {
  ending_.push_back({std::move(stream), until});
  if (sweep_.due() == kNever) sweep_.arm(Clock::now() + kSweepInterval);
}

// Destroying the stream may put its connection back, so it happens outside the list.
void Pool::drop(const ResponseStream* stream) {
  auto found = std::ranges::find(ending_, stream, [](const Ending& ending) { return ending.stream.get(); });
  if (found == ending_.end()) return;
  auto over = std::move(found->stream);
  ending_.erase(found);
}

// Closes what has grown old, was closed by the other side or spoke unasked, so that no descriptor lingers.
void Pool::on_sweep(void* self) {
  auto& pool = *static_cast<Pool*>(self);
  const auto now = Clock::now();
  for (auto& [identity, connections] : pool.idle_) {
    std::erase_if(connections, [&](Idle& idle) { return idle.until <= now || !idle.connection->read->pending(); });
  }
  std::erase_if(pool.idle_, [](const auto& entry) { return entry.second.empty(); });
  std::erase_if(pool.ending_, [&](const Ending& ending) { return ending.until <= now; });
  if (!pool.idle_.empty() || !pool.ending_.empty()) pool.sweep_.arm(now + kSweepInterval);
}

}  // namespace sluice::http
