// What an admission with eight takes and its settlement cost this side of Redis: the CPU column, with `in_flight` of
// them under way at once. Needs a server: REDIS_PORT=6379 micro_bench --benchmark_filter=shared_ledger. Without one,
// nothing is measured. What they cost the server: redis-cli info commandstats, evalsha.

#include <benchmark/benchmark.h>

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <cstdlib>
#include <deque>
#include <string>

#include "sluice/limit/redis_ledger.hpp"

namespace {

using namespace sluice;
using namespace sluice::limit;

WallTime wall_now() { return std::chrono::floor<milliseconds>(std::chrono::system_clock::now()); }

class SharedLedger {
 public:
  SharedLedger() {
    const char* port = std::getenv("REDIS_PORT");
    if (port == nullptr) return;
    redis::Settings settings;
    settings.endpoints = {{"127.0.0.1", static_cast<std::uint16_t>(std::atoi(port))}};
    settings.deadline = milliseconds(1000);
    client = std::move(redis::make_client(io, settings, {}).value());
    for (int i = 0; i < 1000 && !client->counts().connected; ++i) io.run_one_for(milliseconds(10));
    if (!client->counts().connected) return;
    ledger = make_redis_ledger(*memory, {.prefix = "bench", .deadline = milliseconds(1000)});
    ledger->attach(io, *client);
    add(Meter::kRequests, 2);
    add(Meter::kTokens, 2);
    add(Meter::kConcurrency, 2);
    add(Meter::kMoney, 2);
  }

  bool round(int count) {
    int left = count;
    bool good = true;
    for (int i = 0; i < count; ++i) {
      net::co_spawn(io, one(), [&](const std::exception_ptr& thrown, bool granted) {
        good = good && !thrown && granted;
        --left;
      });
    }
    while (left > 0 || ledger->counts().waiting > 0) io.run_one();
    return good;
  }

  net::io_context io;
  std::unique_ptr<MemoryLedger> memory = make_memory_ledger();
  std::unique_ptr<redis::Client> client;
  std::unique_ptr<RedisLedger> ledger;

 private:
  void add(Meter meter, int count) {
    for (int i = 0; i < count; ++i) {
      Limit& limit = limits_.emplace_back(Limit{.id = "group:acme/search|" + std::to_string(limits_.size()),
                                                .node = "group acme/search",
                                                .meter = meter,
                                                .most = 1'000'000'000'000});
      ledger->know(limit);
      takes_.push_back({.limit = &limit, .amount = meter == Meter::kMoney ? 1'000'000 : 1});
    }
  }
  Task<bool> one() {
    auto verdict = co_await ledger->admit(takes_, wall_now());
    if (!verdict || !std::holds_alternative<Grant>(*verdict)) co_return false;
    std::get<Grant>(*verdict).settle(std::array<std::int64_t, 8>{1, 1, 0, 0, 1, 1, 700'000, 700'000});
    co_return ledger->counts().local == 0;
  }

  std::deque<Limit> limits_;
  std::vector<Take> takes_;
};

void shared_ledger_admit_and_settle(benchmark::State& state) {
  SharedLedger shared;
  if (!shared.ledger) return state.SkipWithError("no REDIS_PORT");
  const int in_flight = static_cast<int>(state.range(0));
  for (auto _ : state) {
    if (!shared.round(in_flight)) return state.SkipWithError("not granted by Redis");
  }
  state.SetItemsProcessed(state.iterations() * in_flight);
  state.counters["cpu_us"] = benchmark::Counter(static_cast<double>(state.iterations() * in_flight) / 1e6,
                                                benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(shared_ledger_admit_and_settle)->ArgName("in_flight")->Arg(1)->Arg(8)->Arg(64);

}  // namespace
