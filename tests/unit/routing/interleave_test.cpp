#include "routing/interleave.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace sluice::routing {
namespace {

using Weights = std::vector<std::uint32_t>;

std::size_t whose(const Weights& weights, std::uint64_t turn) {
  std::vector<double> due(weights.size());
  interleave(weights, turn, due);
  return static_cast<std::size_t>(std::ranges::min_element(due) - due.begin());
}

std::string turns(const Weights& weights, std::uint64_t count) {
  std::string text;
  for (std::uint64_t turn = 0; turn < count; ++turn) text += static_cast<char>('a' + whose(weights, turn));
  return text;
}

TEST(Interleave, EqualWeightsGoStrictlyRound) {
  EXPECT_EQ(turns({1, 1, 1}, 7), "abcabca");
  EXPECT_EQ(turns({10, 10, 10}, 7), "abcabca");
}

TEST(Interleave, MixesUnequalWeightsEvenly) {
  EXPECT_EQ(turns({5, 1, 1}, 14), "aaabacaaaabaca");
  EXPECT_EQ(turns({1, 3}, 8), turns({10, 30}, 8));
}

TEST(Interleave, EachHasItsWeightInEveryPeriodAndIsNeverFarFromIt) {
  for (const Weights& weights : {Weights{3, 1}, Weights{7, 2, 5}, Weights{1, 1, 98}, Weights{100, 30, 10, 1},
                                 Weights{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}, Weights{0, 4, 0, 1}}) {
    std::uint64_t sum = 0;
    for (const auto weight : weights) sum += weight;
    std::vector<double> had(weights.size());
    for (std::uint64_t turn = 0; turn < 2 * sum; ++turn) {
      ++had[whose(weights, turn)];
      for (std::size_t i = 0; i < weights.size(); ++i) {
        const double share = static_cast<double>((turn + 1) * weights[i]) / static_cast<double>(sum);
        ASSERT_LT(std::abs(had[i] - share), weights.size() < 5 ? 1.5 : 2.5) << i << " at " << turn;
      }
    }
    for (std::size_t i = 0; i < weights.size(); ++i) EXPECT_EQ(had[i], 2.0 * weights[i]);
  }
}

TEST(Interleave, NoWeightHasNoTurn) {
  EXPECT_EQ(turns({0, 1}, 3), "bbb");
  std::vector<double> due(2);
  interleave(Weights{0, 0}, 5, due);
  EXPECT_EQ(due[0], std::numeric_limits<double>::infinity());
}

TEST(Interleave, TakesTheLargestNumbers) {
  const Weights weights(100, kMostWeight);
  EXPECT_LT(whose(weights, std::numeric_limits<std::uint64_t>::max()), 100U);
  EXPECT_EQ(whose({4'000'000'000U, 0}, 17), 0U);
}

}  // namespace
}  // namespace sluice::routing
