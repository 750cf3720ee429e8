// What the limits cost a request: all takes of it, and their settlement.

#include <benchmark/benchmark.h>

#include <array>
#include <string>

#include "sluice/limit/memory_ledger.hpp"

namespace {

using namespace sluice;
using namespace sluice::limit;

// Three nodes with two rates each, one budget, one limit of concurrency.
struct Books {
  Books() {
    const Meter meters[] = {Meter::kRequests, Meter::kTokens, Meter::kRequests, Meter::kTokens,
                            Meter::kRequests, Meter::kTokens, Meter::kMoney,    Meter::kConcurrency};
    for (std::size_t i = 0; i < limits.size(); ++i) {
      limits[i] = {.id = "limit" + std::to_string(i), .node = "n", .meter = meters[i], .most = 1'000'000'000'000};
      ledger->know(limits[i]);
      takes.push_back({.limit = &limits[i], .amount = meters[i] == Meter::kTokens ? 2000 : 1});
      used.push_back(meters[i] == Meter::kTokens ? 700 : 1);
    }
  }
  std::unique_ptr<MemoryLedger> ledger = make_memory_ledger();
  std::array<Limit, 8> limits;
  std::vector<Take> takes;
  std::vector<std::int64_t> used;
};

Books& books() {
  static Books books;
  return books;
}

WallTime now() { return std::chrono::floor<milliseconds>(std::chrono::system_clock::now()); }

void admit_and_settle(benchmark::State& state) {
  Books& of = books();
  const WallTime time = now();
  for (auto _ : state) {
    auto verdict = of.ledger->admit_now(of.takes, time);
    std::get<Grant>(*verdict).settle(of.used);
  }
}
BENCHMARK(admit_and_settle)->Threads(1)->Threads(2);

// The last of the eight is full.
void refuse(benchmark::State& state) {
  Books& of = books();
  Limit full = of.limits[7];
  full.most = 0;
  auto takes = of.takes;
  takes.back().limit = &full;
  const WallTime time = now();
  for (auto _ : state) benchmark::DoNotOptimize(of.ledger->admit_now(takes, time));
}
BENCHMARK(refuse);

// A user nobody has seen before, with a limit made for the occasion.
void first_request_of_a_user(benchmark::State& state) {
  auto ledger = make_memory_ledger();
  std::int64_t user = 0;
  const WallTime time = now();
  for (auto _ : state) {
    Limit limit{.id = "user:" + std::to_string(++user) + "|requests|60", .node = "user", .most = 10};
    limit.window = std::chrono::seconds(1);
    ledger->know(limit);
    auto verdict = ledger->admit_now({{&limit, 1}}, time);
    std::get<Grant>(*verdict).settle(std::array<std::int64_t, 1>{1});
  }
  state.counters["accounts"] = static_cast<double>(ledger->accounts());
}
BENCHMARK(first_request_of_a_user);

}  // namespace
