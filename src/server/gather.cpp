#include "server/gather.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace sluice::server {
namespace {

constexpr net::use_awaitable_t<Executor> kAwait{};

observe::Metrics metrics_of(const Worker& worker) {
  observe::Metrics copy;
  copy.merge(worker.metrics());
  copy.upstreams.add(worker.upstream_counts());
  return copy;
}

Task<Gathered> copy_of(Worker& worker) {
  worker.flush_lines();
  Gathered copy{.metrics = metrics_of(worker)};
  if (worker.redis() != nullptr) copy.redis = worker.redis()->counts();
  co_return copy;
}

Task<Activity> activity_of(Worker& worker) {
  co_return Activity{.metrics = metrics_of(worker),
                     .running = running_requests(worker.in_flight(), kMostShown, Clock::now()),
                     .recent = worker.recent().newest_first()};
}

void add(RunningRequests& all, RunningRequests more) {
  all.requests += more.requests;
  all.streams += more.streams;
  std::ranges::move(more.oldest, std::back_inserter(all.oldest));
  std::ranges::sort(all.oldest, std::ranges::greater{}, &RunningRequest::age);
  if (all.oldest.size() > kMostShown) all.oldest.resize(kMostShown);
}

}  // namespace

Task<Gathered> gather(const Workers& workers) {
  Gathered all;
  for (const auto& worker : workers) {
    const Gathered copy = co_await net::co_spawn(worker->io(), copy_of(*worker), kAwait);
    all.metrics.merge(copy.metrics);
    all.redis += copy.redis;
  }
  co_return all;
}

Task<Activity> gather_activity(const Workers& workers) {
  Activity all;
  for (const auto& worker : workers) {
    Activity copy = co_await net::co_spawn(worker->io(), activity_of(*worker), kAwait);
    all.metrics.merge(copy.metrics);
    add(all.running, std::move(copy.running));
    std::ranges::move(copy.recent, std::back_inserter(all.recent));
  }
  std::ranges::sort(all.recent, std::ranges::greater{}, &RecentRecord::time);
  co_return all;
}

}  // namespace sluice::server
