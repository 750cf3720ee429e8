#include "server/health_checks.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>

#include "observe/families.hpp"
#include "observe/series_table.hpp"

namespace sluice::server {
namespace {

using Timer = net::basic_waitable_timer<Clock, net::wait_traits<Clock>, Executor>;

constexpr int kHeldFor = 3;  // intervals: whoever is out stays so from check to check, and not when checks have ended

}  // namespace

bool HealthTally::add(bool well) {
  ++(well ? passed_ : failed_);
  in_a_row_ = well ? 0 : std::min(in_a_row_ + 1, kMostFailures);
  return out();
}

// One provider's. Lives as long as its coroutine, which ends at its next turn after stop().
class HealthChecks::Check {
 public:
  Check(const HealthChecks& owner, std::shared_ptr<const routing::Router> router, const provider::Provider& provider,
        std::shared_ptr<HealthTally> tally)
      : client_(owner.client_),
        router_(std::move(router)),
        provider_(provider),
        health_(provider.config().health),
        tally_(std::move(tally)),
        timer_(owner.io_.get_executor()) {}

  static Task<void> run(std::shared_ptr<Check> self) {
    while (!self->stopped_) {
      bool asked = true;
      bool well = false;
      try {
        well = co_await self->ask();
      } catch (const std::bad_alloc&) {
        asked = false;  // that says nothing about the provider
      }
      if (self->stopped_) co_return;
      if (asked) self->judge(well, Clock::now());
      self->timer_.expires_after(self->health_.interval);
      co_await self->timer_.async_wait(net::as_tuple(net::deferred));
    }
  }

  void stop() {
    stopped_ = true;
    timer_.cancel();
  }

 private:
  Task<bool> ask() {
    http::Outgoing request = provider_.health_check(health_.path);
    request.connect_timeout = health_.timeout;
    request.head_due = Clock::now() + health_.timeout;
    http::OpenTimes times;
    auto answer = co_await client_.open(request, times);
    if (!answer) co_return false;
    const int status = (*answer)->head().status;
    http::ResponseStream::finish(std::move(*answer));
    co_return status >= 200 && status < 300;
  }

  void judge(bool well, TimePoint now) {
    const bool was_out = tally_->out();
    const bool out = tally_->add(well);
    const std::string& name = provider_.config().name;
    if (out) {
      mark_unhealthy(router_->upstreams(), name, now + health_.interval * kHeldFor + health_.timeout);
    } else if (well) {
      mark_healthy(router_->upstreams(), name, now);
    }
    if (out == was_out) return;
    if (out) {
      spdlog::warn("provider {}: {} health checks in a row have failed; its targets are out until one succeeds", name,
                   HealthTally::kMostFailures);
    } else {
      spdlog::info("provider {}: a health check has succeeded; its targets come back", name);
    }
  }

  http::Client& client_;
  std::shared_ptr<const routing::Router> router_;  // keeps the provider
  const provider::Provider& provider_;
  config::Health health_;
  std::shared_ptr<HealthTally> tally_;
  Timer timer_;
  bool stopped_ = false;
};

HealthChecks::~HealthChecks() { stop(); }

void HealthChecks::stop() {
  for (const auto& check : checks_) check->stop();
  checks_.clear();
}

void HealthChecks::configure(const std::shared_ptr<const routing::Router>& router) {
  stop();
  std::map<std::string, std::shared_ptr<HealthTally>> tallies;
  for (const provider::Provider* provider : router->providers()) {
    const config::Provider& config = provider->config();
    if (!config.on || config.health.path.empty() || !provider->origin()) continue;
    auto& known = tallies_[config.name];
    if (!known) known = std::make_shared<HealthTally>();
    tallies[config.name] = known;
    const auto& check = checks_.emplace_back(std::make_shared<Check>(*this, router, *provider, known));
    net::co_spawn(io_, Check::run(check), net::detached);
  }
  tallies_ = std::move(tallies);
}

std::string HealthChecks::render(observe::SeriesBudget& budget) const {
  if (tallies_.empty()) return {};
  constexpr observe::Family kFamily{"health checks", observe::SeriesKind::kHealth, 2};
  observe::SeriesGate gate(&budget);
  std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> counts;
  for (const auto& [name, tally] : tallies_) {
    auto& [passed, failed] = observe::place_of(counts, name, kFamily, gate);
    passed += tally->passed();
    failed += tally->failed();
  }
  auto checks = observe::family("sluice_health_checks_total", "Health checks of providers, by how they ended.",
                                observe::MetricType::Counter);
  for (const auto& [name, count] : counts) {
    observe::add_number(checks, {{"provider", name}, {"result", "ok"}}, static_cast<double>(count.first));
    observe::add_number(checks, {{"provider", name}, {"result", "failed"}}, static_cast<double>(count.second));
  }
  return observe::render_families({checks});
}

}  // namespace sluice::server
