#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "guard/memory_runs.hpp"

namespace sluice::guard {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kStart{1000s};
constexpr CapAmounts kNone = {kNoCap, kNoCap, kNoCap, kNoCap, kNoCap, kNoCap, kNoCap};

CapAmounts only(Cap cap, std::int64_t most) {
  CapAmounts amounts = kNone;
  amounts[place_of(cap)] = most;
  return amounts;
}

Turn turn_of(const std::string& run, CapAmounts most = kNone, std::uint64_t request = 1) {
  return {.run = run_key("app", run), .most = most, .id = 7, .request = request};
}

std::int64_t used(const Standing& standing, Cap cap) { return standing.used[place_of(cap)]; }

TEST(RunKey, BelongsToItsOwner) {
  EXPECT_EQ(run_key("a", "b"), run_key("a", "b"));
  EXPECT_NE(run_key("a", "b"), run_key("b", "a"));
  EXPECT_NE(run_key("a", "bc"), run_key("ab", "c"));
  EXPECT_NE(run_key("", "1:a"), run_key("1:", "a"));
}

TEST(Caps, AreMetByTheNextRequestButToolCallsByWhatWasCalled) {
  for (std::size_t i = 0; i < kCaps; ++i) {
    const auto cap = static_cast<Cap>(i);
    CapAmounts amounts{};
    amounts[i] = 4;
    EXPECT_FALSE(met(amounts, only(cap, 5))) << to_string(cap);
    amounts[i] = 5;
    EXPECT_EQ(met(amounts, only(cap, 5)).has_value(), cap != Cap::kSameToolCall) << to_string(cap);
    amounts[i] = 6;
    const auto hit = met(amounts, only(cap, 5));
    ASSERT_TRUE(hit) << to_string(cap);
    EXPECT_EQ(hit->cap, cap);
    EXPECT_EQ(hit->limit, 5);
    EXPECT_EQ(hit->used, 6);
  }
  EXPECT_FALSE(met({9, 9, 9, 9, 9, 9, 9}, kNone));
}

TEST(Caps, AmountsReadAsTheirNamesSay) {
  EXPECT_EQ(cap_amount(Cap::kTurns, 3), "3");
  EXPECT_EQ(cap_amount(Cap::kCost, 10'000'000), "0.01");
  EXPECT_EQ(cap_amount(Cap::kDuration, 600'000), "600");
  EXPECT_EQ(cap_amount(Cap::kDuration, 1'050), "1.050");
  EXPECT_EQ(cap_amount(Cap::kDuration, 7), "0.007");
}

TEST(MemoryRuns, CountWhatIsUsed) {
  MemoryRuns runs(config::Guard{});
  const Turn turn = turn_of("r");
  Standing first = runs.begin(turn, kStart);
  EXPECT_TRUE(first.counted);
  EXPECT_EQ(first.used, CapAmounts{});
  const Standing beside = runs.begin(turn, kStart + 5ms);
  EXPECT_EQ(beside.used, (CapAmounts{1, 0, 0, 5, 1, 1, 0}));
  runs.end(turn, {.nanodollars = 30, .tokens = 4, .calls = {9, 9, 8}}, kStart + 6ms);
  runs.end(turn, {.nanodollars = 12, .tokens = 1, .calls = {9}}, kStart + 6ms);
  EXPECT_EQ(runs.begin(turn, kStart + 10ms).used, (CapAmounts{2, 42, 5, 10, 0, 2, 3}));
}

TEST(MemoryRuns, WhatIsRefusedIsNotCounted) {
  MemoryRuns runs(config::Guard{});
  const Turn turn = turn_of("r", only(Cap::kTurns, 1));
  EXPECT_TRUE(runs.begin(turn, kStart).counted);
  for (int i = 0; i < 3; ++i) {
    const Standing refused = runs.begin(turn, kStart);
    EXPECT_FALSE(refused.counted);
    EXPECT_EQ(used(refused, Cap::kTurns), 1);
    EXPECT_EQ(used(refused, Cap::kParallel), 1);
  }
  Turn observed = turn;
  observed.enforce = false;
  EXPECT_TRUE(runs.begin(observed, kStart).counted);
  EXPECT_EQ(used(runs.begin(turn, kStart), Cap::kTurns), 2);
}

TEST(MemoryRuns, WhatWasNoTurnIsTakenBack) {
  MemoryRuns runs(config::Guard{});
  const Turn turn = turn_of("r");
  runs.begin(turn, kStart);
  runs.end(turn, {.undone = true}, kStart);
  EXPECT_EQ(runs.begin(turn, kStart).used, CapAmounts{});
}

TEST(MemoryRuns, AreForgottenOnceSilent) {
  MemoryRuns runs(config::Guard{.expires = 10s});
  const Turn turn = turn_of("r");
  runs.begin(turn, kStart);
  EXPECT_EQ(used(runs.begin(turn, kStart + 1h), Cap::kTurns), 1) << "one is under way all the time";
  runs.end(turn, {}, kStart + 1h);
  runs.end(turn, {}, kStart + 1h);
  EXPECT_EQ(used(runs.begin(turn_of("r", only(Cap::kTurns, 2)), kStart + 1h + 9s), Cap::kTurns), 2);
  EXPECT_EQ(used(runs.begin(turn, kStart + 1h + 10s), Cap::kTurns), 0) << "what is refused keeps none alive";
}

TEST(MemoryRuns, AreBounded) {
  MemoryRuns runs(config::Guard{.expires = 10s, .most_runs = 640});
  for (int i = 0; i < 5000; ++i) {
    const Turn turn = turn_of(std::to_string(i));
    runs.begin(turn, kStart);
    runs.end(turn, {}, kStart);
  }
  EXPECT_LE(runs.runs(), 640U);
  EXPECT_GE(runs.evicted(), 5000U - 640U);
  const auto evicted = runs.evicted();
  runs.begin(turn_of("later"), kStart + 20s);
  EXPECT_EQ(runs.evicted(), evicted) << "those that are over are not";
}

TEST(MemoryRuns, TheBusyOnesStay) {
  MemoryRuns runs(config::Guard{.most_runs = 64 * 4});
  const Turn busy = turn_of("busy");
  for (int i = 0; i < 3000; ++i) {
    runs.begin(busy, kStart);
    runs.end(busy, {}, kStart);
    runs.begin(turn_of(std::to_string(i)), kStart);
  }
  EXPECT_EQ(used(runs.begin(busy, kStart), Cap::kTurns), 3000);
}

TEST(RunThreads, TogetherCountExactly) {
  MemoryRuns runs(config::Guard{});
  const Turn turn = turn_of("r", only(Cap::kTurns, 1000));
  std::atomic<int> counted = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) {
        if (!runs.begin(turn, kStart).counted) continue;
        ++counted;
        runs.end(turn, {.nanodollars = 1, .calls = {static_cast<std::uint64_t>(i)}}, kStart);
        runs.begin(turn_of(std::to_string(i % 7)), kStart);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(counted, 1000);
  EXPECT_EQ(used(runs.begin(turn, kStart), Cap::kCost), 1000);
}

TEST(Tally, RemembersTheLastOnes) {
  Tally tally;
  for (std::uint64_t what = 0; what < 64; ++what) EXPECT_EQ(tally.add(what), 1);
  EXPECT_EQ(tally.add(63), 2);
  EXPECT_EQ(tally.add(100), 1);
  EXPECT_EQ(tally.of(0), 0) << "the oldest made room";
  EXPECT_EQ(tally.of(1), 1);
  tally.take_back(63);
  EXPECT_EQ(tally.of(63), 1);
  tally.take_back(999);
}

}  // namespace
}  // namespace sluice::guard
