#pragma once
// Runs in Redis, one script for a beginning and one for an end, so that both are atomic. Belongs to no thread; the
// client is the calling one's.

#include <atomic>
#include <optional>
#include <string>

#include "sluice/guard/runs.hpp"

namespace sluice::guard {

class RedisRuns {
 public:
  RedisRuns(const config::Redis& redis, const config::Guard& guard);
  void configure(const config::Guard& guard);

  // Nothing: Redis does not say.
  Task<std::optional<Standing>> begin(redis::Client& client, Turn turn, TimePoint due) const;
  // False: it is not known whether it took it. To be told again changes nothing.
  Task<bool> end(redis::Client& client, Turn turn, TurnEnd end, TimePoint due) const;
  milliseconds deadline() const { return deadline_; }

 private:
  std::string key(const RunKey& run, std::string_view what) const;

  std::string prefix_;
  milliseconds deadline_;
  std::atomic<std::int64_t> expires_ms_ = 0;
  std::atomic<std::int64_t> longest_call_ms_ = 0;
};

}  // namespace sluice::guard
