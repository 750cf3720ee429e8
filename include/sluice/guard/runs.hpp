#pragma once
// What runs of agents have used up: in this process, or in Redis, where all replicas count together. While Redis does
// not answer, each replica counts for itself.
//
// Any thread. In this process runs are spread over shards by their keys, each with a lock that is held for less than a
// microsecond: what all workers share cannot be without one, and two of them meet at a shard rarely.

#include <array>
#include <atomic>
#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/config/config.hpp"
#include "sluice/core/async.hpp"
#include "sluice/core/run_caps.hpp"
#include "sluice/redis/client.hpp"

namespace sluice::guard {

// Whose run it is and what it is called, in 128 bits.
struct RunKey {
  std::array<std::uint8_t, 16> bytes{};
  auto operator<=>(const RunKey&) const = default;
};
RunKey run_key(std::string_view owner, std::string_view run_id);

// One request of a run.
struct Turn {
  RunKey run;
  CapAmounts most{};          // kNoCap: no cap
  std::uint64_t id = 0;       // of this request alone
  std::uint64_t request = 0;  // what it asks: equal for equal requests
  bool enforce = true;        // false: it is counted whatever it meets
};

// What the run had used before the turn.
struct Standing {
  CapAmounts used{};
  bool counted = false;  // the turn: it met no cap, or none that is enforced
  bool shared = false;   // by Redis, which hears of its end, too
};

struct TurnEnd {
  std::int64_t nanodollars = 0;
  std::int64_t tokens = 0;
  bool undone = false;                    // refused by this gateway: it was no turn
  std::vector<std::uint64_t> calls = {};  // of tools, that the answer asks for: equal for equal arguments
};

// The first cap that is met by a run that has used this.
std::optional<CapHit> met(const CapAmounts& used, const CapAmounts& most);

struct RunCounts {
  std::uint64_t runs = 0;       // in this process
  std::uint64_t evicted = 0;    // to make room
  std::uint64_t unshared = 0;   // turns that Redis should have counted, and did not
  std::uint64_t lost_ends = 0;  // of turns, that Redis did not take
};

class MemoryRuns;
class RedisRuns;

class Runs : public std::enable_shared_from_this<Runs> {
 public:
  explicit Runs(const config::Config& config);
  ~Runs();
  Runs(const Runs&) = delete;
  Runs& operator=(const Runs&) = delete;

  void configure(const config::Guard& guard);
  // This thread's Redis, which outlives its loop.
  void attach(redis::Client& client);

  // Atomic: of turns at the same time no more are counted than the caps allow.
  Task<Standing> begin(Turn turn);
  // Of a turn that was counted; once. With Redis it goes on by itself on `executor`, and is tried again for some time.
  void end(const Turn& turn, TurnEnd end, bool shared, const Executor& executor);
  RunCounts counts() const;

 private:
  Task<void> end_in_redis(Turn turn, TurnEnd end);
  redis::Client* client() const;

  std::unique_ptr<MemoryRuns> memory_;
  std::unique_ptr<RedisRuns> redis_;  // null: none is configured
  std::atomic<std::uint64_t> unshared_ = 0;
  std::atomic<std::uint64_t> lost_ends_ = 0;
};

}  // namespace sluice::guard
