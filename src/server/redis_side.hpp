#pragma once
// The process's side of a Redis that replicas share: one ledger, and a client for each thread that asks it.

#include <expected>
#include <memory>
#include <span>
#include <string>

#include "server/worker.hpp"
#include "sluice/limit/redis_ledger.hpp"
#include "sluice/redis/subscriber.hpp"

namespace sluice::server {

class RedisSide {
 public:
  // `local` keeps the limits while Redis is away.
  RedisSide(const config::Config& config, limit::MemoryLedger& local, limit::OnThreshold on_threshold);

  limit::RedisLedger& ledger() { return *ledger_; }
  // Before the worker's loop runs. The error is a sentence for the operator; that no server answers is none.
  std::expected<void, std::string> join(Worker& worker);
  // On the worker's thread: what is published on that channel is heard there.
  void listen(Worker& worker, std::string channel, redis::Hearer hearer);
  // Once nothing is admitted any more and while the loops still run: what was used is told to Redis, for a second.
  void leave(std::span<Worker* const> workers);

 private:
  config::Redis config_;
  std::size_t value_bytes_;  // the largest that is kept there
  std::unique_ptr<limit::RedisLedger> ledger_;
  std::unique_ptr<redis::Subscriber> subscriber_;
};

}  // namespace sluice::server
