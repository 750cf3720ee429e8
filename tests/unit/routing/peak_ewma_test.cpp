#include "routing/peak_ewma.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <thread>
#include <vector>

namespace sluice::routing {
namespace {

using namespace std::chrono_literals;
constexpr TimePoint kStart{1h};

TEST(PeakEwma, KnowsNothingWithoutSamples) { EXPECT_EQ(PeakEwma().value(kStart), std::nullopt); }

TEST(PeakEwma, BelievesASlowAnswerAtOnce) {
  PeakEwma average;
  average.add(100ms, kStart);
  EXPECT_NEAR(*average.value(kStart), 100, 0.01);
  average.add(2s, kStart);
  EXPECT_NEAR(*average.value(kStart), 2000, 0.1);
}

TEST(PeakEwma, BelievesFastAnswersByAndBy) {
  PeakEwma average;
  average.add(1s, kStart);
  average.add(100ms, kStart);
  EXPECT_NEAR(*average.value(kStart), 1000, 1);
  average.add(100ms, kStart + 10s);
  EXPECT_NEAR(*average.value(kStart + 10s), 100 + 900 / std::exp(1.0), 1);
  average.add(100ms, kStart + 100s);
  EXPECT_NEAR(*average.value(kStart + 100s), 100, 1);
}

TEST(PeakEwma, FadesAlikeHoweverOftenSamplesCome) {
  PeakEwma average;
  average.add(1s, kStart);
  for (auto passed = 1ms; passed <= 10s; passed += 1ms) average.add(100ms, kStart + passed);
  EXPECT_NEAR(*average.value(kStart + 10s), 100 + 900 / std::exp(1.0), 10);
}

TEST(PeakEwma, FadesWithoutSamplesToAnEighthAndIsForgottenAtLast) {
  PeakEwma average;
  average.add(800ms, kStart);
  EXPECT_NEAR(*average.value(kStart + 10s), 800 / std::exp(1.0), 1);
  EXPECT_NEAR(*average.value(kStart + 60s), 100, 0.1);
  EXPECT_EQ(average.value(kStart + 2min), std::nullopt);
  average.add(50ms, kStart + 10min);
  EXPECT_NEAR(*average.value(kStart + 10min), 50, 0.1);
}

TEST(PeakEwma, AThreadThatIsLateSeesNoFutureThatHasFaded) {
  PeakEwma average;
  average.add(100ms, kStart);
  EXPECT_NEAR(*average.value(kStart - 5s), 100, 0.01);
  average.add(0ns, kStart - 5s);
  EXPECT_NEAR(*average.value(kStart), 100, 0.01);
}

TEST(PeakEwma, AnAnswerWithoutDelayIsASampleToo) {
  PeakEwma average;
  average.add(0ns, kStart);
  EXPECT_TRUE(average.value(kStart).has_value());
}

TEST(PeakEwma, TheLoadIsWhatOneMoreWouldMeet) {
  EXPECT_EQ(load_score(100, 0), 100);
  EXPECT_EQ(load_score(100, 3), 400);
}

TEST(PeakEwmaThreads, ValuesLieAmongTheSamples) {
  PeakEwma average;
  average.add(100ms, kStart);
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 20'000; ++round) {
        average.add(100ms + (round % 10) * 10ms, kStart + i * 3ms + round * 1ms);
        const double value = *average.value(kStart + round * 1ms);
        EXPECT_TRUE(value > 12 && value < 191) << value;
      }
    });
  }
}

}  // namespace
}  // namespace sluice::routing
