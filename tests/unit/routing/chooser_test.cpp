#include "routing/chooser.hpp"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <random>
#include <vector>

#include "routing/stable_hash.hpp"

namespace sluice::routing {
namespace {

using Candidates = std::vector<Candidate>;
using Indices = std::vector<std::uint32_t>;

Indices order(const Candidates& candidates, Strategy strategy, const Draw& draw = {}) {
  const Order chosen = choose(candidates, strategy, draw);
  return {chosen.begin(), chosen.end()};
}

// How often each came first.
std::map<std::uint32_t, int> firsts(const Candidates& candidates, Strategy strategy, int times) {
  std::mt19937_64 random(7);
  std::map<std::uint32_t, int> first;
  for (int i = 0; i < times; ++i) {
    const Draw draw{.turn = static_cast<std::uint64_t>(i), .random = random(), .key = random()};
    ++first[choose(candidates, strategy, draw).front()];
  }
  return first;
}

constexpr Strategy kAll[] = {Strategy::kOrdered,       Strategy::kWeighted,   Strategy::kLeastBusy,
                             Strategy::kLowestLatency, Strategy::kLowestCost, Strategy::kSticky};

TEST(Chooser, TiersComeInOrderWhateverTheStrategy) {
  const Candidates candidates = {{.tier = 1, .latency = 1.0, .price = 1},
                                 {.tier = 0, .latency = 900.0, .in_flight = 50, .price = 9},
                                 {.tier = 2},
                                 {.tier = 0, .latency = 800.0, .in_flight = 50, .price = 9}};
  for (const Strategy strategy : kAll) {
    const Indices chosen = order(candidates, strategy);
    ASSERT_EQ(chosen.size(), 4U);
    EXPECT_EQ(chosen[0] + chosen[1], 4U);
    EXPECT_EQ(chosen[2], 0U);
    EXPECT_EQ(chosen[3], 2U);
  }
}

TEST(Chooser, LeavesOutWhatIsNotAvailable) {
  const Candidates candidates = {{.available = false}, {}, {.available = false}};
  for (const Strategy strategy : kAll) EXPECT_EQ(order(candidates, strategy), Indices{1});
  const Candidates none = {{.available = false}};
  for (const Strategy strategy : kAll) EXPECT_TRUE(order(none, strategy).empty());
  for (const Strategy strategy : kAll) EXPECT_TRUE(order({}, strategy).empty());
}

TEST(Chooser, OrderedIsAsTheyStand) {
  EXPECT_EQ(order({{.weight = 1}, {.weight = 9}, {}}, Strategy::kOrdered), (Indices{0, 1, 2}));
}

TEST(Chooser, WeightedTakesTurnsAndFallsBackToWhoeverIsNext) {
  const Candidates candidates = {{.weight = 2}, {.weight = 1}};
  Indices first;
  for (std::uint64_t turn = 0; turn < 6; ++turn) {
    const Indices chosen = order(candidates, Strategy::kWeighted, {.turn = turn});
    ASSERT_EQ(chosen.size(), 2U);
    first.push_back(chosen[0]);
  }
  EXPECT_EQ(firsts(candidates, Strategy::kWeighted, 300)[0], 200);
  EXPECT_EQ(first, (Indices{0, 0, 1, 0, 0, 1}));
  EXPECT_EQ(order({{.weight = 0}, {.weight = 1}}, Strategy::kWeighted), (Indices{1, 0}));
}

TEST(Chooser, SlowStartLowersAWeight) {
  const Candidates candidates = {{.weight = 1, .ramp = 0.1}, {.weight = 1}};
  EXPECT_EQ(firsts(candidates, Strategy::kWeighted, 1100)[0], 100);
  const Candidates half = {{.weight = 1, .ramp = 0.5}, {.weight = 1}};
  EXPECT_EQ(firsts(half, Strategy::kWeighted, 1500)[0], 500);
}

TEST(Chooser, SlowStartPassesOverAsOftenAsTheRampSays) {
  const Candidates candidates = {{.ramp = 0.3, .price = 1, .identity = 1}, {.price = 2, .identity = 2}};
  for (const Strategy strategy : {Strategy::kOrdered, Strategy::kLowestCost}) {
    EXPECT_NEAR(firsts(candidates, strategy, 10'000)[0], 3000, 200);
    EXPECT_EQ(order(candidates, strategy, {.random = ~0ULL}), (Indices{1, 0}));
  }
  EXPECT_NEAR(firsts(candidates, Strategy::kSticky, 10'000)[0], 1500, 150);
  EXPECT_EQ(order({{.ramp = 0.1}, {.ramp = 0.1}}, Strategy::kOrdered, {.random = ~0ULL}), (Indices{0, 1}));
}

TEST(Chooser, SlowStartMakesATargetLookBusier) {
  EXPECT_EQ(order({{.ramp = 0.1, .latency = 100.0}, {.latency = 300.0}}, Strategy::kLowestLatency), (Indices{1, 0}));
  EXPECT_EQ(order({{.ramp = 0.1}, {.in_flight = 5}}, Strategy::kLeastBusy), (Indices{1, 0}));
}

TEST(Chooser, LeastBusyMindsWeightsAndLetsEqualsGoRound) {
  EXPECT_EQ(order({{.in_flight = 3}, {.in_flight = 1}, {.in_flight = 2}}, Strategy::kLeastBusy), (Indices{1, 2, 0}));
  EXPECT_EQ(order({{.weight = 1, .in_flight = 1}, {.weight = 4, .in_flight = 3}}, Strategy::kLeastBusy),
            (Indices{1, 0}));
  EXPECT_EQ(firsts({{}, {}, {}}, Strategy::kLeastBusy, 300),
            (std::map<std::uint32_t, int>{{0, 100}, {1, 100}, {2, 100}}));
}

TEST(Chooser, LowestLatencyTakesTheBetterOfTwo) {
  const Candidates two = {{.latency = 900.0}, {.latency = 100.0}};
  EXPECT_EQ(firsts(two, Strategy::kLowestLatency, 100)[1], 100);
  const Candidates three = {{.latency = 900.0}, {.latency = 100.0}, {.latency = 200.0}};
  auto first = firsts(three, Strategy::kLowestLatency, 9000);
  EXPECT_EQ(first[0], 0) << "the worst of all is the worse of any two";
  EXPECT_NEAR(first[1], 6000, 200);
  EXPECT_NEAR(first[2], 3000, 200);
}

TEST(Chooser, LowestLatencyCountsWhatIsUnderWay) {
  EXPECT_EQ(order({{.latency = 100.0, .in_flight = 9}, {.latency = 300.0, .in_flight = 1}}, Strategy::kLowestLatency),
            (Indices{1, 0}));
}

TEST(Chooser, LowestLatencyTriesWhatIsNotKnownYet) {
  const Candidates candidates = {{.latency = 100.0, .in_flight = 1}, {}};
  EXPECT_EQ(order(candidates, Strategy::kLowestLatency), (Indices{1, 0}));
  const auto unknown = firsts({{}, {}}, Strategy::kLowestLatency, 1000);
  EXPECT_NEAR(unknown.at(0), 500, 80);
  const Candidates busy = {{.latency = 100.0, .in_flight = 1}, {.in_flight = 5}};
  EXPECT_EQ(order(busy, Strategy::kLowestLatency), (Indices{0, 1})) << "but not by everybody at once";
}

TEST(Chooser, LowestCostTakesTheFasterOfEquals) {
  const Candidates candidates = {
      {.latency = 1.0, .price = 9}, {.latency = 500.0, .price = 2}, {.latency = 100.0, .price = 2}};
  EXPECT_EQ(order(candidates, Strategy::kLowestCost), (Indices{2, 1, 0}));
}

class Sticky : public ::testing::Test {
 protected:
  static constexpr int kKeys = 20'000;
  static Candidates with(std::initializer_list<std::uint32_t> weights) {
    Candidates candidates;
    for (const auto weight : weights) {
      const std::string name = "provider-" + std::to_string(candidates.size());
      candidates.push_back({.weight = weight, .identity = stable_hash(name, "m")});
    }
    return candidates;
  }
  static std::uint32_t first(const Candidates& candidates, int user) {
    const std::uint64_t key = stable_hash("sticky", std::to_string(user));
    return choose(candidates, Strategy::kSticky, {.turn = 5, .random = 5, .key = key}).front();
  }
};

TEST_F(Sticky, SharesTheKeysByWeight) {
  const Candidates candidates = with({1, 2, 1, 0});
  std::array<int, 4> share{};
  for (int user = 0; user < kKeys; ++user) ++share.at(first(candidates, user));
  EXPECT_NEAR(share[0], kKeys / 4, 400);
  EXPECT_NEAR(share[1], kKeys / 2, 400);
  EXPECT_NEAR(share[2], kKeys / 4, 400);
  EXPECT_EQ(share[3], 0);
}

TEST_F(Sticky, ANewTargetMovesItsOwnShareOnly) {
  const Candidates before = with({1, 1, 1});
  const Candidates after = with({1, 1, 1, 1});
  int moved = 0;
  for (int user = 0; user < kKeys; ++user) {
    const auto now = first(after, user);
    if (now == first(before, user)) continue;
    ++moved;
    ASSERT_EQ(now, 3U);
  }
  EXPECT_NEAR(moved, kKeys / 4, 400);
}

TEST_F(Sticky, AnEjectedTargetMovesItsOwnShareOnlyToAll) {
  const Candidates before = with({1, 1, 1});
  Candidates after = before;
  after[1].available = false;
  std::array<int, 3> share{};
  for (int user = 0; user < kKeys; ++user) {
    const auto then = first(before, user);
    if (then == 1)
      ++share.at(first(after, user));
    else
      ASSERT_EQ(first(after, user), then);
  }
  EXPECT_NEAR(share[0], share[2], 500);
}

}  // namespace
}  // namespace sluice::routing
