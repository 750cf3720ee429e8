#pragma once
// Time-outs for thousands of connections at the cost of a store each: arming a timer later than it already stands is
// only remembered, and looked at when its slot comes up. Resolution is kTick; a timer never fires early.
// One wheel per worker thread; not thread-safe.

#include <array>
#include <bitset>
#include <cstddef>
#include <functional>

#include "sluice/core/clock.hpp"

namespace sluice {

class TimerWheel {
 public:
  static constexpr auto kTick = milliseconds(8);
  static constexpr std::size_t kSlots = 512;

  struct Link {
    Link* next = this;
    Link* previous = this;
    void unlink();
    void insert_before(Link& position);
    bool linked() const { return next != this; }
  };

  // Owned by whoever waits. `fire` is called with `owner` from run(), once per arming; it may arm, disarm or destroy
  // any timer, this one included.
  class Timer : private Link {
   public:
    Timer(TimerWheel& wheel, void (*fire)(void* owner), void* owner) : wheel_(wheel), fire_(fire), owner_(owner) {}
    ~Timer() { unlink(); }
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

    void arm(TimePoint due);  // kNever is the same as disarm()
    void disarm() { due_ = kNever; }
    TimePoint due() const { return due_; }

   private:
    friend class TimerWheel;
    TimerWheel& wheel_;
    void (*fire_)(void*);
    void* owner_;
    TimePoint due_ = kNever;
    TimePoint slot_due_ = kNever;  // when the slot it is linked into comes up
  };

  // `wake_at` is told whenever run() must be called earlier than was last asked for.
  explicit TimerWheel(TimePoint now, std::function<void(TimePoint)> wake_at = {});

  // Fires what is due and says when to call again (kNever: nothing is armed). What a callback throws comes out; the
  // timers behind it are due in the next call.
  TimePoint run(TimePoint now);

 private:
  struct Walk;
  void place(Timer& timer);
  TimePoint next_wake() const;
  long tick_of(TimePoint when) const;  // rounded up

  TimePoint origin_;
  long current_ = 0;         // last tick that was run
  TimePoint wake_ = kNever;  // what the driver was last told
  std::array<Link, kSlots> slots_;
  std::bitset<kSlots> used_;
  std::function<void(TimePoint)> wake_at_;
};

}  // namespace sluice
