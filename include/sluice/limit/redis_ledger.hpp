#pragma once
// The ledger that any number of replicas share through Redis. Each admission and each settlement is one Lua call: it
// decides on all takes at once, by Redis' clock, and carries an id of its own, so that repeating it after a lost reply
// charges once. Nothing is admitted over a limit while Redis answers. What each key holds: limit/lua/common.lua.
//
// Windows are counted as in memory, in slots of a twentieth. Slots of concurrency and reservations of money are leases:
// renewed while their request runs, and free again when their replica has been silent for `lease`. A settlement whose
// lease is not on the books any more (expired, FLUSHALL) adds what was spent and takes nothing back. Calendar periods
// follow Redis' clock; the caller's serves until that is known, and while Redis is away.
//
// While Redis is away nobody waits: each replica keeps its share, most / replicas rounded down, of each limit by itself
// (a share of 0 admits nothing); of each budget, its share of what was left when it was last seen. What was used is
// told to Redis when it is back, and what is still running is booked there, before Redis decides again.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "sluice/config/config.hpp"
#include "sluice/limit/memory_ledger.hpp"
#include "sluice/redis/client.hpp"

namespace sluice::limit {

struct RedisLedgerOptions {
  std::string prefix = "sluice";  // of all keys, as their hash tag; not empty, without }
  unsigned replicas = 1;          // how many share a limit at least; more if more have been seen alive
  config::RedisDown budgets_when_down = config::RedisDown::kClosed;
  milliseconds lease{30'000};
  milliseconds deadline{25};           // of an admission, repetitions included
  milliseconds remembered{180'000};    // an id and its result, in Redis
  milliseconds repeat_for{120'000};    // a settlement whose outcome is unknown; less than `remembered`
  std::size_t waiting_most = 100'000;  // settlements per worker that Redis has not taken yet; what comes beyond is lost
  OnThreshold on_threshold = nullptr;  // by the worker whose settlement reached it
  std::function<void(std::string_view)> log = nullptr;  // one line per change of state, and per kind of loss
  std::function<WallTime()> clock = nullptr;            // tests: instead of Redis' clock
};

struct RedisLedgerCounts {
  std::uint64_t shared = 0;         // admissions that Redis decided
  std::uint64_t local = 0;          // that were decided without it
  std::uint64_t unanswered = 0;     // of these: Redis had been asked, and did not answer in time
  std::uint64_t unavailable = 0;    // refused because a budget's local share was used up
  std::uint64_t settled = 0;        // settlements that Redis has taken
  std::uint64_t repeated = 0;       // of these: taken before, the reply was lost
  std::uint64_t lost = 0;           // that could not be delivered in time, or found no room
  std::uint64_t script_errors = 0;  // Redis answered something that no script of ours says
  std::uint64_t waiting = 0;        // settlements that are to be delivered; a level
  unsigned replicas = 0;            // by which limits are shared while Redis is away
  bool local_only = false;          // some worker keeps its limits without Redis
};

// Admissions wait, so admit_now() answers only while the calling worker keeps its limits without Redis; nothing also
// means that admit() will fail. A grant may end on any thread; sooner on the one it began on. extend() says no, except
// for grants that were made without Redis: what it would ask is on the shared books.
class RedisLedger : public Ledger {
 public:
  // The calling thread is a worker: it runs `io` and owns `client`. Both outlive the last grant made there; `client`
  // also every turn of `io`. Before the thread's first admission or look.
  virtual void attach(net::io_context& io, redis::Client& client) = 0;
  // On a worker's thread, when its last exchange is over: waits until all is settled, or until `due`. After the last
  // worker the other replicas no longer count this one. No admission may follow on this thread.
  virtual Task<void> finish(TimePoint due) = 0;
  virtual RedisLedgerCounts counts() const = 0;  // any thread
};

// `local` keeps the shares while Redis is away and must outlive what is returned; nothing else may use it.
std::unique_ptr<RedisLedger> make_redis_ledger(MemoryLedger& local, RedisLedgerOptions options);

}  // namespace sluice::limit
