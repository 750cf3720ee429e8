#pragma once
// What goes on over reloads: limits, the queue for slots, spend on disk, alerts. Of the main thread; what is handed out
// may be used by any.

#include <expected>
#include <memory>
#include <string>

#include "sluice/budget/alerts.hpp"
#include "sluice/budget/spend_store.hpp"
#include "sluice/limit/memory_ledger.hpp"
#include "sluice/limit/waiting_room.hpp"
#include "sluice/server/snapshot.hpp"

namespace sluice::server {

struct BookCounts {
  limit::WaitCounts waits;
  budget::AlertCounts alerts;
  budget::StoreCounts store;
};

class Books {
 public:
  Books();
  Books(const Books&) = delete;
  Books& operator=(const Books&) = delete;

  const Shared& shared() const { return shared_; }
  // Webhooks go out on this loop, which outlives detach().
  void attach(net::io_context& io, http::Client& client);
  void detach() { alerts_.reset(); }

  // Opens what the configuration needs for the first time and hands on what it says. On an error, which is a sentence
  // for the operator, nothing has changed.
  std::expected<void, std::string> apply(const config::Config& config);
  void tick(TimePoint now);  // about each 50 ms, once the process serves
  // Everything has been settled: writes what is left.
  void finish();

  std::shared_ptr<budget::SpendStore> spend() const { return store_; }  // null: nothing is kept
  BookCounts counts() const;

 private:
  std::expected<void, std::string> open_store(const config::Config& config);
  void reached(const limit::Limit& limit, unsigned percent, Money used);

  std::unique_ptr<limit::MemoryLedger> ledger_;
  std::unique_ptr<limit::WaitingRoom> room_;
  Shared shared_;
  std::unique_ptr<budget::Alerts> alerts_;
  std::shared_ptr<budget::SpendStore> store_;
  std::string store_path_;
  TimePoint swept_{};
};

}  // namespace sluice::server
