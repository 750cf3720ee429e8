#include "routing/outcome_window.hpp"

#include <gtest/gtest.h>

namespace sluice::routing {
namespace {

using namespace std::chrono_literals;
constexpr TimePoint kStart{1h};

TEST(OutcomeWindow, CountsBothKinds) {
  OutcomeWindow window(10s);
  for (int i = 0; i < 30; ++i) window.add_good(kStart + i * 100ms);
  for (int i = 0; i < 10; ++i) window.add_fault(kStart + i * 100ms);
  const auto sums = window.sums(kStart + 3s);
  EXPECT_EQ(sums.good, 30U);
  EXPECT_EQ(sums.faults, 10U);
  EXPECT_EQ(sums.fault_percent(), 25U);
}

TEST(OutcomeWindow, ForgetsWhatIsOlderThanItself) {
  OutcomeWindow window(10s);
  window.add_fault(kStart);
  window.add_good(kStart + 5s);
  EXPECT_EQ(window.sums(kStart + 9s).all(), 2U);
  EXPECT_EQ(window.sums(kStart + 10s).all(), 1U);
  EXPECT_EQ(window.sums(kStart + 15s).all(), 0U);
  window.add_good(kStart + 20s);
  EXPECT_EQ(window.sums(kStart + 20s).all(), 1U);
}

TEST(OutcomeWindow, KeepsTheNewerCountWhenAThreadIsLate) {
  OutcomeWindow window(10s);
  window.add_good(kStart + 10s);
  window.add_fault(kStart);
  EXPECT_EQ(window.sums(kStart + 10s).good, 1U);
  EXPECT_EQ(window.sums(kStart + 10s).faults, 0U);
}

TEST(OutcomeWindow, TakesASlotAnewHoweverLongItLay) {
  OutcomeWindow window(10ms);
  TimePoint now = kStart;
  for (const auto later : {10ms * (1 << 19), 10ms * (1 << 20), 10ms * (1 << 20)}) {
    window.add_good(now);
    now += later;
    window.add_fault(now);
    EXPECT_EQ(window.sums(now).faults, 1U);
    EXPECT_EQ(window.sums(now).good, 0U);
  }
}

TEST(OutcomeWindow, StopsCountingRatherThanOverflowing) {
  OutcomeWindow window(10s);
  for (int i = 0; i < (1 << 20) + 10; ++i) window.add_good(kStart);
  window.add_fault(kStart);
  EXPECT_EQ(window.sums(kStart).good, (1U << 20) - 1);
  EXPECT_EQ(window.sums(kStart).faults, 1U);
}

TEST(OutcomeWindow, KeepsItsCountsWhenItsLengthStays) {
  OutcomeWindow window(10s);
  window.add_good(kStart);
  window.resize(10s);
  EXPECT_EQ(window.sums(kStart).all(), 1U);
  window.resize(20s);
  EXPECT_EQ(window.sums(kStart).all(), 0U);
}

}  // namespace
}  // namespace sluice::routing
