#include "sluice/core/timer_wheel.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <new>
#include <optional>
#include <random>
#include <vector>

namespace sluice {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kStart{1'000'000s};
constexpr auto kTick = TimerWheel::kTick;
constexpr auto kTurn = kTick * static_cast<long>(TimerWheel::kSlots);

// Counts its own firings.
struct Counting {
  explicit Counting(TimerWheel& wheel) : timer(wheel, &Counting::on_fire, this) {}
  static void on_fire(void* self) { ++static_cast<Counting*>(self)->fired; }
  int fired = 0;
  TimerWheel::Timer timer;
};

// Runs the wheel as its driver does: at the times it asked for and at no other, up to `until`.
struct Driven {
  TimerWheel wheel{kStart, [this](TimePoint when) { asked.push_back(when), wake = std::min(wake, when); }};
  TimePoint wake = kNever;
  TimePoint now = kStart;
  std::vector<TimePoint> asked;

  void run_until(TimePoint until) {
    while (wake <= until) {
      now = std::max(now, wake);
      wake = wheel.run(now);
    }
    now = until;
  }
};

TEST(TimerWheel, NeverFiresBeforeItsTime) {
  for (auto offset : {1ns, 999'999ns, nanoseconds(1ms), nanoseconds(8ms), nanoseconds(8ms + 1ns), nanoseconds(3s)}) {
    TimerWheel wheel(kStart);
    Counting one(wheel);
    one.timer.arm(kStart + offset);
    wheel.run(kStart + offset - 1ns);
    EXPECT_EQ(one.fired, 0) << offset.count();
  }
}

TEST(TimerWheel, F74WhatIsBehindACallbackThatThrowsFiresInTheNextRun) {
  TimerWheel wheel(kStart);
  Counting before(wheel), after(wheel), disarmed(wheel);
  TimerWheel::Timer throwing(wheel, [](void*) { throw std::bad_alloc(); }, nullptr);
  before.timer.arm(kStart + kTick);
  throwing.arm(kStart + kTick);
  after.timer.arm(kStart + kTick);
  disarmed.timer.arm(kStart + kTick);
  disarmed.timer.disarm();
  EXPECT_THROW(wheel.run(kStart + kTick), std::bad_alloc);
  EXPECT_EQ(before.fired, 1);
  EXPECT_EQ(after.fired, 0);
  EXPECT_EQ(wheel.run(kStart + 2 * kTick), kNever);
  EXPECT_EQ(before.fired, 1);
  EXPECT_EQ(after.fired, 1);
  EXPECT_EQ(disarmed.fired, 0);
}

TEST(TimerWheel, FiresWithinOneTickOfItsTime) {
  for (auto offset : {1ns, nanoseconds(7ms), nanoseconds(8ms), nanoseconds(8ms + 1ns), nanoseconds(1s)}) {
    TimerWheel wheel(kStart);
    Counting one(wheel);
    one.timer.arm(kStart + offset);
    wheel.run(kStart + offset + kTick);
    EXPECT_EQ(one.fired, 1) << offset.count();
  }
}

TEST(TimerWheel, FiresOncePerArming) {
  TimerWheel wheel(kStart);
  Counting one(wheel);
  one.timer.arm(kStart + 20ms);
  for (int i = 0; i < 2000; ++i) wheel.run(kStart + 8ms * i);
  EXPECT_EQ(one.fired, 1);
  EXPECT_EQ(one.timer.due(), kNever);
}

TEST(TimerWheel, ALaterRearmIsNotTheDriversBusinessAndIsExactToATick) {
  Driven driven;
  Counting one(driven.wheel);
  one.timer.arm(kStart + 100ms);
  const auto asked = driven.asked.size();
  for (int i = 1; i <= 50; ++i) one.timer.arm(kStart + 100ms + 10ms * i);
  EXPECT_EQ(driven.asked.size(), asked);
  driven.run_until(kStart + 600ms - 1ns);
  EXPECT_EQ(one.fired, 0);
  driven.run_until(kStart + 600ms + kTick);
  EXPECT_EQ(one.fired, 1);
}

TEST(TimerWheel, AnEarlierRearmFiresEarlier) {
  Driven driven;
  Counting one(driven.wheel);
  one.timer.arm(kStart + 2s);
  one.timer.arm(kStart + 40ms);
  driven.run_until(kStart + 40ms + kTick);
  EXPECT_EQ(one.fired, 1);
  driven.run_until(kStart + 3s);
  EXPECT_EQ(one.fired, 1);
}

TEST(TimerWheel, DisarmedTimersStaySilentAndCanBeArmedAgain) {
  Driven driven;
  Counting one(driven.wheel);
  one.timer.arm(kStart + 40ms);
  one.timer.disarm();
  driven.run_until(kStart + 20ms);
  one.timer.arm(kStart + 90ms);
  driven.run_until(kStart + 89ms);
  EXPECT_EQ(one.fired, 0);
  driven.run_until(kStart + 90ms + kTick);
  EXPECT_EQ(one.fired, 1);
  one.timer.arm(kStart + 200ms);
  one.timer.arm(kNever);
  driven.run_until(kStart + 1s);
  EXPECT_EQ(one.fired, 1);
}

TEST(TimerWheel, ATimerBeyondOneTurnOfTheWheelFiresAtItsTime) {
  for (auto offset : {kTurn - kTick, milliseconds(kTurn), kTurn + 1ms, 7 * kTurn + 3ms}) {
    Driven driven;
    Counting one(driven.wheel);
    one.timer.arm(kStart + offset);
    driven.run_until(kStart + offset - 1ns);
    EXPECT_EQ(one.fired, 0) << offset.count();
    driven.run_until(kStart + offset + kTick);
    EXPECT_EQ(one.fired, 1) << offset.count();
  }
}

TEST(TimerWheel, AWheelThatStoodStillFiresAllThatIsDueInOneRun) {
  TimerWheel wheel(kStart);
  std::vector<std::unique_ptr<Counting>> timers;
  for (int i = 0; i < 100; ++i) {
    timers.push_back(std::make_unique<Counting>(wheel));
    timers.back()->timer.arm(kStart + 97ms * i);
  }
  wheel.run(kStart + 60s);
  for (const auto& one : timers) EXPECT_EQ(one->fired, 1);
  EXPECT_EQ(wheel.run(kStart + 61s), kNever);
}

TEST(TimerWheel, ArmingAfterALongIdleTimeIsExactToATick) {
  Driven driven;
  Counting one(driven.wheel);
  driven.run_until(kStart + 1h);
  one.timer.arm(kStart + 1h + 50ms);
  driven.run_until(kStart + 1h + 50ms - 1ns);
  EXPECT_EQ(one.fired, 0);
  driven.run_until(kStart + 1h + 50ms + kTick);
  EXPECT_EQ(one.fired, 1);
}

TEST(TimerWheel, TheDriverIsToldOnlyOfEarlierWakes) {
  Driven driven;
  Counting first(driven.wheel), second(driven.wheel), third(driven.wheel);
  first.timer.arm(kStart + 1s);
  ASSERT_EQ(driven.asked.size(), 1U);
  EXPECT_GE(driven.asked.back(), kStart + 1s);
  second.timer.arm(kStart + 2s);
  EXPECT_EQ(driven.asked.size(), 1U);
  third.timer.arm(kStart + 100ms);
  ASSERT_EQ(driven.asked.size(), 2U);
  EXPECT_LE(driven.asked.back(), kStart + 100ms + kTick);
}

TEST(TimerWheel, AnEmptyWheelNeedsNoRun) {
  TimerWheel wheel(kStart);
  EXPECT_EQ(wheel.run(kStart + 1s), kNever);
}

TEST(TimerWheel, ATimerMayBeDestroyedByItsOwnCallback) {
  struct Suicidal {
    explicit Suicidal(TimerWheel& wheel) : timer(wheel, &Suicidal::on_fire, this) {}
    static void on_fire(void* self) { delete static_cast<Suicidal*>(self); }
    TimerWheel::Timer timer;
  };
  TimerWheel wheel(kStart);
  Counting before(wheel), after(wheel);
  before.timer.arm(kStart + 30ms);
  (new Suicidal(wheel))->timer.arm(kStart + 30ms);
  after.timer.arm(kStart + 30ms);
  wheel.run(kStart + 100ms);
  EXPECT_EQ(before.fired, 1);
  EXPECT_EQ(after.fired, 1);
}

TEST(TimerWheel, ACallbackMayDestroyDisarmAndMoveOthersOfTheSameSlot) {
  struct Meddler {
    explicit Meddler(TimerWheel& wheel)
        : timer(wheel, &Meddler::on_fire, this), doomed(std::make_unique<Counting>(wheel)), off(wheel), moved(wheel) {}
    static void on_fire(void* self) {
      auto& me = *static_cast<Meddler*>(self);
      me.doomed.reset();
      me.off.timer.disarm();
      me.moved.timer.arm(kStart + 500ms);
    }
    TimerWheel::Timer timer;
    std::unique_ptr<Counting> doomed;
    Counting off, moved;
  };
  TimerWheel wheel(kStart);
  Meddler meddler(wheel);
  for (auto* timer : {&meddler.timer, &meddler.doomed->timer, &meddler.off.timer, &meddler.moved.timer}) {
    timer->arm(kStart + 30ms);
  }
  wheel.run(kStart + 40ms);
  EXPECT_EQ(meddler.off.fired, 0);
  EXPECT_EQ(meddler.moved.fired, 0);
  wheel.run(kStart + 500ms + kTick);
  EXPECT_EQ(meddler.off.fired, 0);
  EXPECT_EQ(meddler.moved.fired, 1);
}

TEST(TimerWheel, ATimerThatRearmsItselfTicksSteadily) {
  struct Ticking {
    explicit Ticking(Driven& d) : driven(d), timer(d.wheel, &Ticking::on_fire, this) {}
    static void on_fire(void* self) {
      auto& me = *static_cast<Ticking*>(self);
      ++me.fired;
      me.timer.arm(me.driven.now + 50ms);
    }
    Driven& driven;
    int fired = 0;
    TimerWheel::Timer timer;
  };
  Driven driven;
  Ticking ticking(driven);
  ticking.timer.arm(kStart + 50ms);
  driven.run_until(kStart + 10s);
  EXPECT_LE(ticking.fired, 200);
  EXPECT_GE(ticking.fired, 10'000 / 58);
}

// What the wheel promises, said the simple way: a list of due times.
struct Expected {
  TimePoint due = kNever;
  TimePoint latest = kNever;  // when it must have fired
  void arm(TimePoint when, TimePoint now) {
    due = when;
    const auto ticks = (std::max(when, now + 1ns) - kStart + kTick - 1ns) / kTick;
    latest = kStart + kTick * ticks;
  }
};

TEST(TimerWheel, AgreesWithAListOfDueTimesOverRandomSchedules) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    std::mt19937_64 random(seed);
    const auto pick = [&](long limit) { return static_cast<long>(random() % static_cast<unsigned long>(limit)); };
    Driven driven;
    std::vector<std::unique_ptr<Counting>> timers;
    std::vector<Expected> expected(40);
    for (int i = 0; i < 40; ++i) timers.push_back(std::make_unique<Counting>(driven.wheel));
    for (int step = 0; step < 600; ++step) {
      for (long n = pick(6); n > 0; --n) {
        const auto at = static_cast<std::size_t>(pick(40));
        const long scale = pick(4) == 0 ? 20'000'000'000 : 200'000'000;
        if (pick(5) == 0) {
          timers[at]->timer.disarm();
          expected[at] = {};
        } else {
          const auto due = driven.now + nanoseconds(pick(scale));
          timers[at]->timer.arm(due);
          expected[at].arm(due, driven.now);
        }
      }
      for (auto& one : timers) one->fired = 0;
      driven.run_until(driven.now + nanoseconds(pick(pick(10) == 0 ? 9'000'000'000 : 60'000'000)));
      for (std::size_t i = 0; i < timers.size(); ++i) {
        ASSERT_LE(timers[i]->fired, 1) << "seed " << seed << " step " << step;
        if (timers[i]->fired == 1) {
          ASSERT_LE(expected[i].due, driven.now) << "early: seed " << seed << " step " << step;
          expected[i] = {};
        }
        ASSERT_GT(expected[i].latest, driven.now) << "late: seed " << seed << " step " << step;
      }
    }
  }
}

}  // namespace
}  // namespace sluice
