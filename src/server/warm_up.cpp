#include "server/warm_up.hpp"

#include <spdlog/spdlog.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

namespace sluice::server {
namespace {

// One provider's, the same for all workers.
struct Wish {
  std::string provider;
  std::shared_ptr<const http::Origin> origin;
  std::size_t count = 0;
  milliseconds timeout{};
  std::atomic<bool> told = false;
};

// Counted as under way until its frame is gone, however that comes.
class UnderWay {
 public:
  explicit UnderWay(std::shared_ptr<std::atomic<std::size_t>> count) : count_(std::move(count)) { ++*count_; }
  ~UnderWay() {
    if (count_) --*count_;
  }
  UnderWay(UnderWay&&) = default;
  UnderWay& operator=(UnderWay&&) = delete;

 private:
  std::shared_ptr<std::atomic<std::size_t>> count_;
};

Task<void> warm(http::Client& client, std::shared_ptr<Wish> wish, std::shared_ptr<UnderWay>) {
  const auto result = co_await client.warm(wish->origin, wish->count, wish->timeout);
  if (result || wish->told.exchange(true)) co_return;
  const Error& error = result.error();
  spdlog::warn("provider {}: connections could not be opened ahead: {}", wish->provider,
               error.detail.empty() ? error.message : error.detail);
}

}  // namespace

void WarmUp::begin(const std::vector<std::unique_ptr<Worker>>& workers, const routing::Router& router) {
  auto count = std::make_shared<std::atomic<std::size_t>>(0);
  Wishes wishes;
  for (const provider::Provider* provider : router.providers()) {
    const config::Provider& config = provider->config();
    const auto origin = provider->origin();
    if (!config.on || config.warm_up == 0 || !origin) continue;
    const auto& wanted = wishes[config.name] = {origin->identity, config.warm_up};
    if (const auto before = known_.find(config.name); before != known_.end() && before->second == wanted) continue;
    auto wish = std::make_shared<Wish>(config.name, origin, config.warm_up, config.timeouts.connect);
    for (const auto& worker : workers) {
      net::post(worker->io(), [&worker = *worker, wish, held = std::make_shared<UnderWay>(count)] {
        net::co_spawn(worker.io(), warm(worker.upstreams(), wish, held), net::detached);
      });
    }
  }
  known_ = std::move(wishes);
  if (first_) return;
  first_ = std::move(count);
  due_ = Clock::now() + kLongest;
}

bool WarmUp::running(TimePoint now) const { return first_ && *first_ > 0 && now < due_; }

}  // namespace sluice::server
