#include "limit/sliding_window.hpp"

#include <gtest/gtest.h>

#include <random>

namespace sluice::limit {
namespace {

using namespace std::chrono_literals;

constexpr auto kWindow = 60s;
constexpr auto kSlot = 3s;
constexpr TimePoint kStart{300'000s};  // where a slot begins

TEST(SlidingWindow, AdmitsUpToTheMost) {
  SlidingWindow window(kWindow);
  EXPECT_TRUE(window.take(7, 10, kStart));
  EXPECT_FALSE(window.take(4, 10, kStart));
  EXPECT_TRUE(window.take(3, 10, kStart));
  EXPECT_FALSE(window.take(1, 10, kStart));
  EXPECT_TRUE(window.take(0, 10, kStart));
  EXPECT_EQ(window.used(kStart), 10);
}

TEST(SlidingWindow, ForgetsASlotOnceAllOfItIsOlderThanTheWindow) {
  SlidingWindow early(kWindow);
  early.add(5, kStart);
  EXPECT_EQ(early.used(kStart + kWindow + kSlot - 1ns), 5);
  EXPECT_EQ(early.used(kStart + kWindow + kSlot), 0);
  SlidingWindow late(kWindow);
  late.add(5, kStart + kSlot - 1ns);
  EXPECT_EQ(late.used(kStart + kSlot - 1ns + kWindow), 5);
  EXPECT_EQ(late.used(kStart + kSlot + kWindow), 0);
}

TEST(SlidingWindow, SlidesSlotBySlot) {
  SlidingWindow window(kWindow);
  for (int slot = 0; slot < 21; ++slot) window.add(1, kStart + slot * kSlot);
  for (int slot = 21; slot < 42; ++slot) EXPECT_EQ(window.used(kStart + slot * kSlot), 41 - slot);
}

TEST(SlidingWindow, TakesBackFromTheSlotItWasBookedIn) {
  SlidingWindow window(kWindow);
  const auto place = window.add(10, kStart);
  window.add(1, kStart + 30s);
  window.give_back(6, place);
  EXPECT_EQ(window.used(kStart + 30s), 5);
  EXPECT_EQ(window.used(kStart + kWindow + kSlot), 1);
}

TEST(SlidingWindow, TakesNothingBackOfASlotThatHasLeft) {
  SlidingWindow window(kWindow);
  const auto place = window.add(10, kStart);
  // The same cell, a turn later.
  window.add(10, kStart + 21 * kSlot);
  window.give_back(6, place);
  EXPECT_EQ(window.used(kStart + 21 * kSlot), 10);
  window.give_back(60, window.add(3, kStart + 21 * kSlot));
  EXPECT_EQ(window.used(kStart + 21 * kSlot), 0);
}

TEST(SlidingWindow, TakesNothingBackHoweverManyTurnsLater) {
  SlidingWindow window(1s);
  const auto place = window.add(5, TimePoint(1000s));
  for (int slot = 1; slot <= 70'000; ++slot) {
    window.add(5, TimePoint(1000s) + slot * 50ms);
    window.give_back(5, slot > 20 ? place : window.add(5, TimePoint(1000s) + slot * 50ms));
    ASSERT_EQ(window.used(TimePoint(1000s) + slot * 50ms), 5 * std::min(slot + 1, 21)) << slot;
  }
}

TEST(SlidingWindow, KnowsWhenAnAmountWillFit) {
  SlidingWindow window(kWindow);
  window.add(4, kStart);
  window.add(4, kStart + 2 * kSlot);
  const TimePoint now = kStart + 2 * kSlot + 500us;
  EXPECT_EQ(window.wait(11, 10, now), std::nullopt);
  EXPECT_EQ(window.wait(3, 10, now), 57s);  // 56.9995 s
  EXPECT_EQ(window.wait(6, 10, now), 57s);
  EXPECT_EQ(window.wait(7, 10, now), 63s);
  EXPECT_EQ(window.wait(10, 10, now), 63s);
  EXPECT_EQ(window.empty_in(now), 63s);
  EXPECT_FALSE(window.take(7, 10, now + 63s - 1ms));
  EXPECT_TRUE(window.take(7, 10, now + 63s));
}

TEST(SlidingWindow, IsEmptyInNoTimeIfNothingIsCounted) {
  SlidingWindow window(kWindow);
  EXPECT_EQ(window.empty_in(kStart), 0ms);
  window.give_back(5, window.add(5, kStart));
  EXPECT_EQ(window.empty_in(kStart), 0ms);
}

TEST(SlidingWindow, ForgetsAfterASilenceOfAnyLength) {
  // Among them the lengths after which positions begin anew.
  for (const std::int64_t slots : {20L, 21L, 22L, 65'515L, 65'520L, 65'536L, 65'520L * 21, 1L << 32, 1L << 36}) {
    SlidingWindow window(1s);
    window.add(5, TimePoint(1000s));
    EXPECT_EQ(window.used(TimePoint(1000s) + slots * 50ms), slots <= 20 ? 5 : 0) << slots;
    EXPECT_TRUE(window.take(5, 10, TimePoint(1000s) + slots * 50ms));
    EXPECT_EQ(window.used(TimePoint(1000s) + slots * 50ms), slots <= 20 ? 10 : 5) << slots;
  }
}

TEST(SlidingWindow, ATimeThatHasPassedCountsAsNow) {
  SlidingWindow window(kWindow);
  window.add(1, kStart + 30s);
  window.add(2, kStart);
  EXPECT_EQ(window.used(kStart + 30s + kWindow), 3);
  EXPECT_EQ(window.used(kStart + 30s + kWindow + kSlot), 0);
}

TEST(SlidingWindow, SaturatesInsteadOfWrappingAround) {
  SlidingWindow window(kWindow);
  for (int i = 0; i < 5; ++i) window.add(SlidingWindow::kMost, kStart);
  EXPECT_EQ(window.used(kStart), SlidingWindow::kMost);
  const auto place = window.add(SlidingWindow::kMost, kStart + kSlot);
  EXPECT_EQ(window.used(kStart + kSlot), 2 * SlidingWindow::kMost);
  EXPECT_FALSE(window.take(1, std::numeric_limits<std::int64_t>::max(), kStart + kSlot));
  window.give_back(SlidingWindow::kMost, place);
  EXPECT_EQ(window.used(kStart + kSlot), SlidingWindow::kMost);
  EXPECT_EQ(window.used(kStart + kWindow + kSlot), 0);
}

// Long enough for positions to begin anew several times; every time against a plain log.
TEST(SlidingWindow, CountsLikeALogOverManyTurns) {
  struct Entry {
    std::int64_t slot;
    std::int64_t amount;
  };
  SlidingWindow window(1s);
  std::vector<Entry> log;
  std::mt19937 random(11);
  std::size_t oldest = 0;
  std::int64_t slot = 100;
  for (int i = 0; i < 300'000; ++i) {
    slot += random() % 4 == 0 ? 0 : 1;
    if (random() % 5000 == 0) slot += random() % 30;
    const auto amount = static_cast<std::int64_t>(random() % 10);
    window.add(amount, TimePoint(slot * 50ms + 7ms));
    log.push_back({slot, amount});
    while (log[oldest].slot + 21 <= slot) ++oldest;
    std::int64_t sum = 0;
    for (std::size_t entry = oldest; entry < log.size(); ++entry) sum += log[entry].amount;
    ASSERT_EQ(window.used(TimePoint(slot * 50ms + 8ms)), sum) << i;
  }
}

}  // namespace
}  // namespace sluice::limit
