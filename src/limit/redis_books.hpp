#pragma once
// What all workers of a process share of the shared ledger. Any thread.

#include <atomic>
#include <string>
#include <string_view>

#include "limit/courier.hpp"
#include "limit/script_calls.hpp"
#include "limit/shared_limit.hpp"
#include "sluice/limit/redis_ledger.hpp"

namespace sluice::limit {

class RedisBooks {
 public:
  RedisBooks(MemoryLedger& shares, RedisLedgerOptions options);

  const RedisLedgerOptions options;
  const ScriptCalls calls;
  const std::string replica;  // the name of this process on the shared books
  SharedLimits limits;
  MemoryLedger& shares;  // keeps this replica's shares while Redis is away
  std::atomic<unsigned> workers{0};

  unsigned replicas() const { return replicas_.load(std::memory_order_relaxed); }
  void saw_replicas(std::int64_t alive);

  // A worker begins or ends to keep its limits without Redis; the first and the last of them are logged.
  void went_local();
  void came_back();

  void lost(Courier::Loss loss, std::string_view why);
  void script_error(std::string_view what);

  struct Tally {
    std::atomic<std::uint64_t> shared{0}, local{0}, unanswered{0}, unavailable{0}, settled{0}, repeated{0}, lost{0},
        script_errors{0};
    std::atomic<std::int64_t> waiting{0};
  };
  Tally tally;
  RedisLedgerCounts counts() const;

 private:
  void log(std::string_view line) const;
  // At most one of a kind in a while.
  bool may_log(std::atomic<TimePoint>& last) const;

  std::atomic<unsigned> replicas_;
  std::atomic<unsigned> local_workers_{0};
  std::atomic<TimePoint> loss_logged_{TimePoint::min()};
  std::atomic<TimePoint> error_logged_{TimePoint::min()};
};

}  // namespace sluice::limit
