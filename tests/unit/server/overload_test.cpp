#include "server/overload.hpp"

#include <gtest/gtest.h>

namespace sluice::server {
namespace {

TEST(StillLoops, ALoopThatTurnsIsNeverStill) {
  StillLoops still;
  for (std::uint64_t beat = 1; beat < 100; ++beat) EXPECT_EQ(still.look({beat, 2 * beat}, 3), -1);
}

TEST(StillLoops, TellsWhichLoopHasStoodForSoManyLooks) {
  StillLoops still;
  EXPECT_EQ(still.look({1, 7}, 3), -1);
  EXPECT_EQ(still.look({2, 7}, 3), -1);
  EXPECT_EQ(still.look({3, 7}, 3), -1);
  EXPECT_EQ(still.look({4, 7}, 3), 1);
}

TEST(StillLoops, OneBeatIsEnoughToStartOver) {
  StillLoops still;
  still.look({7}, 3);
  still.look({7}, 3);
  still.look({7}, 3);
  EXPECT_EQ(still.look({8}, 3), -1);
  EXPECT_EQ(still.look({8}, 3), -1);
}

TEST(ConnectionSlots, NoMoreAreTakenThanThereAre) {
  ConnectionSlots slots(2);
  auto one = slots.take();
  auto two = slots.take();
  EXPECT_TRUE(one);
  EXPECT_TRUE(two);
  EXPECT_FALSE(slots.take());
  EXPECT_FALSE(slots.take()) << "a refusal takes nothing";
  one = {};
  EXPECT_TRUE(slots.take());
}

TEST(ConnectionSlots, ASlotThatMovesIsGivenBackOnce) {
  ConnectionSlots slots(1);
  {
    auto one = slots.take();
    auto moved = std::move(one);
    EXPECT_FALSE(slots.take());
  }
  auto again = slots.take();
  EXPECT_TRUE(again);
  EXPECT_FALSE(slots.take());
}

TEST(ConnectionSlots, ASmallerBoundHoldsForThoseWhoComeLater) {
  ConnectionSlots slots(2);
  auto one = slots.take(), two = slots.take();
  slots.set_most(1);
  one = {};
  EXPECT_FALSE(slots.take());
  two = {};
  EXPECT_TRUE(slots.take());
}

TEST(Descriptors, AClientNeedsTwo) {
  const std::size_t fit = connections_that_fit(2);
  EXPECT_GE(fit, 8U);
  EXPECT_LT(fit * 2, descriptor_limit());
}

}  // namespace
}  // namespace sluice::server
