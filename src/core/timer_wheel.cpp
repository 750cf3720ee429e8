#include "sluice/core/timer_wheel.hpp"

#include <algorithm>

namespace sluice {

void TimerWheel::Link::unlink() {
  next->previous = previous;
  previous->next = next;
  next = previous = this;
}

void TimerWheel::Link::insert_before(Link& position) {
  previous = position.previous;
  next = &position;
  previous->next = this;
  position.previous = this;
}

void TimerWheel::Timer::arm(TimePoint due) {
  due_ = due;
  if (due == kNever || (linked() && slot_due_ <= due)) return;
  unlink();
  wheel_.place(*this);
  if (slot_due_ < wheel_.wake_ && wheel_.wake_at_) {
    wheel_.wake_ = slot_due_;
    wheel_.wake_at_(slot_due_);
  }
}

TimerWheel::TimerWheel(TimePoint now, std::function<void(TimePoint)> wake_at)
    : origin_(now), wake_at_(std::move(wake_at)) {}

long TimerWheel::tick_of(TimePoint when) const {
  auto since = std::chrono::ceil<milliseconds>(when - origin_).count();
  return static_cast<long>((since + kTick.count() - 1) / kTick.count());
}

void TimerWheel::place(Timer& timer) {
  // What lies beyond one turn of the wheel waits in the last slot and is placed again from there.
  long tick = std::clamp(tick_of(timer.due_), current_ + 1, current_ + static_cast<long>(kSlots) - 1);
  auto slot = static_cast<std::size_t>(tick) % kSlots;
  timer.slot_due_ = origin_ + kTick * tick;
  timer.insert_before(slots_[slot]);
  used_.set(slot);
}

// The timers of one slot: what is placed again during the walk must not be walked again, and what a callback that
// throws leaves behind is for the next turn.
struct TimerWheel::Walk {
  TimerWheel& wheel;
  Link due;
  ~Walk() {
    while (due.linked()) {
      auto& timer = static_cast<Timer&>(*due.next);
      timer.unlink();
      if (timer.due_ != kNever) wheel.place(timer);
    }
  }
};

TimePoint TimerWheel::run(TimePoint now) {
  long until = static_cast<long>((now - origin_) / kTick);
  long first = std::max(current_ + 1, until - static_cast<long>(kSlots) + 1);
  for (long tick = first; tick <= until; ++tick) {
    auto slot = static_cast<std::size_t>(tick) % kSlots;
    current_ = tick;
    if (!used_.test(slot)) continue;
    used_.reset(slot);
    Walk walk{*this, {}};
    while (slots_[slot].linked()) {
      Link* link = slots_[slot].next;
      link->unlink();
      link->insert_before(walk.due);
    }
    while (walk.due.linked()) {
      auto& timer = static_cast<Timer&>(*walk.due.next);
      timer.unlink();
      if (timer.due_ == kNever) continue;
      if (timer.due_ > now) {
        place(timer);
        continue;
      }
      timer.due_ = kNever;
      timer.fire_(timer.owner_);
    }
  }
  current_ = std::max(current_, until);
  return wake_ = next_wake();
}

TimePoint TimerWheel::next_wake() const {
  if (used_.none()) return kNever;
  for (long tick = current_ + 1; tick < current_ + static_cast<long>(kSlots); ++tick) {
    if (used_.test(static_cast<std::size_t>(tick) % kSlots)) return origin_ + kTick * tick;
  }
  return kNever;
}

}  // namespace sluice
