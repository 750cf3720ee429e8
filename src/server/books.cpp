#include "server/books.hpp"

#include <spdlog/spdlog.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

#include "admission/pricing.hpp"
#include "limit/calendar.hpp"

namespace sluice::server {
namespace {

// What a killed process held stays held for so long: a row that does not change is not written again, and requests may
// last as long as timeouts.total by default.
constexpr auto kLease = std::chrono::minutes(10);
constexpr auto kSweep = std::chrono::seconds(1);

void tell(bool problem, const std::string& text) {
  spdlog::log(problem ? spdlog::level::warn : spdlog::level::info, "{}", text);
}

// Spend is worth keeping once something costs.
bool keeps_spend(const config::Config& config) { return !config.state.path.empty() && admission::has_prices(config); }

}  // namespace

Books::Books()
    : local_(limit::make_memory_ledger({.on_threshold = [this](const limit::Limit& limit, unsigned percent,
                                                               Money used) { reached(limit, percent, used); }})),
      room_(limit::make_waiting_room({})),
      reports_(tell, [this](budget::WebhookMessage message) {
        if (alerts_) alerts_->send(std::move(message));
      }) {}

void Books::choose(const config::Config& config) {
  if (chosen_) {
    if (*chosen_ != config.redis) spdlog::warn("redis takes effect at the next start only");
    agents_.runs->configure(config.guard);
    agents_.tools->configure(config.guard);
    return choose_cache(config);
  }
  chosen_ = config.redis;
  agents_ = {std::make_shared<guard::Runs>(config), std::make_shared<guard::ToolLog>(config.guard)};
  choose_cache(config);
  if (!config.redis) return;
  redis_ = std::make_unique<RedisSide>(
      config, *local_,
      [this](const limit::Limit& limit, unsigned percent, Money used) { reached(limit, percent, used); });
}

void Books::choose_cache(const config::Config& config) {
  if (!config::caches(config)) return;
  if (!cache_) {
    config::Config with_redis = config;
    with_redis.redis = *chosen_;
    cache_ = std::make_shared<cache::Cache>(with_redis);
    cache_settings_ = config.cache;
    for (Worker* worker : joined_) attach_cache(*worker);
  }
  if (config.cache.memory != cache_settings_.memory || config.cache.secret != cache_settings_.secret) {
    spdlog::warn("cache.memory and cache.secret take effect at the next start only");
  }
}

// The first one also keeps up with what other replicas purge.
void Books::attach_cache(Worker& worker) {
  net::post(worker.io(), [this, cache = cache_, &worker] {
    cache->attach(*worker.redis());
    if (&worker != joined_.front()) return;
    net::co_spawn(worker.io(), cache->keep_in_step(), net::detached);
    const auto look = [cache = cache.get()] { cache->look_now(); };
    redis_->listen(worker, cache->channel(), {.published = look, .subscribed = look});
  });
}

std::expected<void, std::string> Books::join(Worker& worker) {
  if (!redis_) return {};
  if (auto joined = redis_->join(worker); !joined) return joined;
  joined_.push_back(&worker);
  net::post(worker.io(), [runs = agents_.runs, &worker] { runs->attach(*worker.redis()); });
  if (cache_) attach_cache(worker);
  return {};
}

void Books::leave(std::span<Worker* const> workers) {
  if (redis_) redis_->leave(workers);
}

void Books::attach(net::io_context& io, http::Client& client) {
  alerts_ = std::make_unique<budget::Alerts>(io, client, tell);
}

std::expected<void, std::string> Books::apply(const config::Config& config) {
  if (auto opened = open_store(config); !opened) return opened;
  if (alerts_) {
    if (auto good = alerts_->configure(config.alerts); !good) return good;
  }
  room_->configure(config.admission.queue);
  reports_.configure(config);
  return {};
}

std::expected<void, std::string> Books::open_store(const config::Config& config) {
  if (store_ && config.state.path != store_path_) spdlog::warn("state.path takes effect at the next start only");
  if (store_ || !keeps_spend(config)) return {};
  auto opened = budget::SpendStore::open(config.state.path, {.tell = tell});
  if (!opened) return std::unexpected(opened.error());
  if (redis_) {  // that has the budgets; here is kept for reports what this replica has spent
    (*opened)->begin(nullptr);
  } else {
    auto rows = (*opened)->budgets();
    if (!rows) return std::unexpected(rows.error());
    local_->restore(*rows, limit::wall_now());
    (*opened)->begin([ledger = local_.get()] { return ledger->changed_budgets(limit::wall_now(), kLease); });
  }
  store_ = std::move(*opened);
  store_path_ = config.state.path;
  return {};
}

void Books::reached(const limit::Limit& limit, unsigned percent, Money used) {
  budget::BudgetAlert alert{.budget = limit.id,
                            .node = limit.node,
                            .percent = percent,
                            .limit = Money::nanodollars(limit.most),
                            .used = used,
                            .period = limit.period,
                            .period_start = limit::period_start(limit.period, limit::wall_now())};
  if (told_) told_(alert);
  if (alerts_) alerts_->raise(std::move(alert));
}

void Books::tick(TimePoint now) {
  room_->tick(now);
  reports_.tick(now);
  if ((store_ && !redis_) || now < swept_ + kSweep) return;
  swept_ = now;
  local_->changed_budgets(limit::wall_now(), kLease);  // nobody else asks, and it clears away what is idle
}

void Books::finish() {
  if (store_ && !store_->finish()) spdlog::error("the books of spend could not be written in time");
}

BookCounts Books::counts() const {
  BookCounts counts;
  counts.waits = room_->counts();
  if (redis_) counts.shared = redis_->ledger().counts();
  if (alerts_) counts.alerts = alerts_->counts();
  if (store_) counts.store = store_->counts();
  if (agents_.runs) counts.runs = agents_.runs->counts();
  if (agents_.tools) counts.tool_calls = agents_.tools->counts();
  counts.reports = reports_.counts();
  return counts;
}

}  // namespace sluice::server
