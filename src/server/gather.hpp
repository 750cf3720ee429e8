#pragma once
// What the workers know, asked of each on its own thread.

#include <memory>
#include <vector>

#include "server/worker.hpp"

namespace sluice::server {

using Workers = std::vector<std::unique_ptr<Worker>>;

// Added up, for a scrape.
struct Gathered {
  observe::Metrics metrics;
  redis::Counts redis{.connected = true};
};
// The same and what goes on now, for the operator's page.
struct Activity {
  observe::Metrics metrics;
  RunningRequests running;           // at most kMostShown of them described
  std::vector<RecentRecord> recent;  // the newest first
};
inline constexpr std::size_t kMostShown = 200;

// `workers` outlives the task.
Task<Gathered> gather(const Workers& workers);
Task<Activity> gather_activity(const Workers& workers);

}  // namespace sluice::server
