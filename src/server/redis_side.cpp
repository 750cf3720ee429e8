#include "server/redis_side.hpp"

#include <spdlog/spdlog.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <future>

namespace sluice::server {
namespace {

constexpr auto kLeaveTime = std::chrono::seconds(1);
constexpr std::size_t kBesideValue = 64 * 1024;  // of a reply

redis::Settings settings_of(const config::Redis& config) {
  redis::Settings settings;
  for (const auto& [host, port] : config.endpoints) settings.endpoints.push_back({host, port});
  settings.sentinel_master = config.sentinel_master;
  settings.cluster = config.cluster;
  settings.cluster_key = "{" + config.prefix + "}";
  settings.tls = config.tls;
  settings.ca_file = config.ca_file;
  settings.tls_verify = config.tls_verify;
  settings.user = config.user;
  settings.password = config.password;
  settings.database = config.database;
  settings.deadline = config.deadline;
  settings.connect_timeout = config.connect_timeout;
  return settings;
}

limit::RedisLedgerOptions options_of(const config::Config& config, limit::OnThreshold on_threshold) {
  limit::RedisLedgerOptions options;
  options.prefix = config.redis->prefix;
  options.replicas = config.redis->replicas;
  options.budgets_when_down = config.redis->budgets_when_down;
  options.lease = config.admission.lease;
  options.deadline = config.redis->deadline;
  options.on_threshold = std::move(on_threshold);
  options.log = [](std::string_view line) { spdlog::warn("{}", line); };
  return options;
}

}  // namespace

RedisSide::RedisSide(const config::Config& config, limit::MemoryLedger& local, limit::OnThreshold on_threshold)
    : config_(*config.redis),
      value_bytes_(config::largest_cache_entry(config)),
      ledger_(limit::make_redis_ledger(local, options_of(config, std::move(on_threshold)))) {}

std::expected<void, std::string> RedisSide::join(Worker& worker) {
  auto settings = settings_of(config_);
  settings.reply_bytes = std::max(settings.reply_bytes, value_bytes_ + kBesideValue);
  auto client =
      redis::make_client(worker.io(), std::move(settings), [](std::string_view line) { spdlog::warn("{}", line); });
  if (!client) return std::unexpected("redis: " + client.error());
  worker.set_redis(std::move(*client));
  // The first thing its loop does.
  net::post(worker.io(), [this, &worker] { ledger_->attach(worker.io(), *worker.redis()); });
  return {};
}

void RedisSide::listen(Worker& worker, std::string channel, redis::Hearer hearer) {
  auto made = redis::make_subscriber(worker.io(), settings_of(config_), std::move(channel), std::move(hearer));
  if (made) {
    subscriber_ = std::move(*made);
  } else {
    spdlog::warn("redis: nobody listens to {}", made.error());
  }
}

void RedisSide::leave(std::span<Worker* const> workers) {
  const auto due = Clock::now() + kLeaveTime;
  std::vector<std::future<void>> leaving;
  for (Worker* worker : workers) {
    leaving.push_back(net::co_spawn(worker->io(), ledger_->finish(due), net::use_future));
  }
  for (auto& one : leaving) {
    if (one.wait_until(due + kLeaveTime) != std::future_status::ready)
      spdlog::warn("redis: not all was settled in time");
  }
}

}  // namespace sluice::server
