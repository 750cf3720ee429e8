#pragma once
// What goes on over reloads: limits, the queue for slots, spend on disk, alerts, reports. Of the main thread; what is
// handed out may be used by any.

#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "server/redis_side.hpp"
#include "server/weekly_reports.hpp"
#include "sluice/budget/alerts.hpp"
#include "sluice/budget/spend_store.hpp"
#include "sluice/limit/memory_ledger.hpp"
#include "sluice/limit/waiting_room.hpp"
#include "sluice/server/snapshot.hpp"

namespace sluice::server {

struct BookCounts {
  limit::WaitCounts waits;
  std::optional<limit::RedisLedgerCounts> shared;  // nothing: no Redis
  redis::Counts redis;                             // of all clients; for whoever renders
  budget::AlertCounts alerts;
  budget::StoreCounts store;
  guard::RunCounts runs;
  guard::ToolLogCounts tool_calls;
  ReportCounts reports;
};

class Books {
 public:
  Books();
  Books(const Books&) = delete;
  Books& operator=(const Books&) = delete;

  // Where the books are kept: the first configuration decides for the life of the process.
  void choose(const config::Config& config);
  // Called on whatever thread reaches a threshold of a budget; set before the first configuration.
  void on_threshold(std::function<void(const budget::BudgetAlert&)> call) { told_ = std::move(call); }
  Shared shared() const { return {failures_, {ledger(), *room_}, upstreams_, cache_, agents_}; }
  limit::Ledger& ledger() const { return redis_ ? redis_->ledger() : static_cast<limit::Ledger&>(*local_); }
  // Each thread that asks, before its loop runs; and all of them when nothing is admitted any more.
  std::expected<void, std::string> join(Worker& worker);
  void leave(std::span<Worker* const> workers);
  // Webhooks go out on this loop, which outlives detach().
  void attach(net::io_context& io, http::Client& client);
  // Once nothing is admitted any more, and before any of those loops goes.
  void detach() {
    reports_.stop();
    alerts_.reset();
    redis_.reset();
  }

  // Opens what the configuration needs for the first time and hands on what it says. On an error, which is a sentence
  // for the operator, nothing has changed.
  std::expected<void, std::string> apply(const config::Config& config);
  void tick(TimePoint now);  // about each 50 ms, once the process serves
  // Everything has been settled: writes what is left.
  void finish();

  std::shared_ptr<budget::SpendStore> spend() const { return store_; }  // null: nothing is kept
  BookCounts counts() const;
  bool degraded() const { return redis_ && redis_->ledger().counts().local_only; }

 private:
  std::expected<void, std::string> open_store(const config::Config& config);
  void reached(const limit::Limit& limit, unsigned percent, Money used);

  std::unique_ptr<limit::MemoryLedger> local_;
  std::unique_ptr<RedisSide> redis_;
  std::optional<std::optional<config::Redis>> chosen_;
  std::vector<Worker*> joined_;  // with Redis
  std::unique_ptr<limit::WaitingRoom> room_;
  std::shared_ptr<auth::FailureLimits> failures_ = std::make_shared<auth::FailureLimits>();
  std::shared_ptr<routing::Upstreams> upstreams_ = routing::make_upstreams();
  void choose_cache(const config::Config& config);
  void attach_cache(Worker& worker);

  std::function<void(const budget::BudgetAlert&)> told_;
  std::shared_ptr<cache::Cache> cache_;  // null: nothing has been cached yet
  config::Cache cache_settings_;         // that it was made by
  guard::Books agents_;
  std::unique_ptr<budget::Alerts> alerts_;
  WeeklyReports reports_;
  std::shared_ptr<budget::SpendStore> store_;
  std::string store_path_;
  TimePoint swept_{};
};

}  // namespace sluice::server
