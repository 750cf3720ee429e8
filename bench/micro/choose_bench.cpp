// What it costs a request to have a choice: the order of the targets, and one attempt that goes well.

#include <benchmark/benchmark.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "routing/retry_budget.hpp"
#include "routing/target_state.hpp"

namespace {

using namespace sluice;
using namespace sluice::routing;

std::vector<std::unique_ptr<TargetState>> targets(std::int64_t count) {
  std::vector<std::unique_ptr<TargetState>> made;
  for (std::int64_t i = 0; i < count; ++i) {
    made.push_back(std::make_unique<TargetState>("provider", std::to_string(i), TargetSettings{}));
    made.back()->begin(Clock::now())->answered(milliseconds(100 + 10 * i), Clock::now());
  }
  return made;
}

void choose_a_target(benchmark::State& state) {
  const auto strategy = static_cast<Strategy>(state.range(0));
  const bool latency = strategy == Strategy::kLowestLatency || strategy == Strategy::kLowestCost;
  const auto made = targets(state.range(1));
  boost::container::small_vector<Candidate, 64> candidates;
  Draw draw;
  const TimePoint now = Clock::now();
  for (auto _ : state) {
    candidates.clear();
    for (const auto& target : made) candidates.push_back(target->candidate(now, latency));
    for (Candidate& candidate : candidates) candidate.weight = 5;
    ++draw.turn;
    draw.random = draw.turn * 0x9e3779b97f4a7c15U;
    draw.key = draw.random;
    benchmark::DoNotOptimize(choose(candidates, strategy, draw));
  }
}
BENCHMARK(choose_a_target)->ArgNames({"strategy", "targets"})->ArgsProduct({{0, 1, 2, 3, 4, 5}, {1, 3, 16, 50}});

// Two threads share all words of the one target.
void attempt_that_goes_well(benchmark::State& state) {
  static TargetState target("provider", "model", {});
  static RetryBudget budget;
  const TimePoint now = Clock::now();
  for (auto _ : state) {
    budget.earn(now);
    auto attempt = target.begin(now);
    attempt->answered(milliseconds(100), now);
    attempt->ended(Outcome::kGood, now);
  }
}
BENCHMARK(attempt_that_goes_well)->Threads(1)->Threads(2);

}  // namespace
