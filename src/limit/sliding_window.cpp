#include "limit/sliding_window.hpp"

#include <algorithm>

namespace sluice::limit {

SlidingWindow::SlidingWindow(std::chrono::seconds window)
    : width_(nanoseconds(std::max(window, std::chrono::seconds(1))) / kSlots) {}

SlidingWindow::Mark SlidingWindow::mark_of(std::int64_t slot, std::int64_t position) {
  return static_cast<Mark>(slot) << 16 | static_cast<Mark>(position);
}
std::int64_t SlidingWindow::slot_of(Mark mark) { return static_cast<std::int64_t>(mark >> 16); }
std::int64_t SlidingWindow::position_of(Mark mark) { return static_cast<std::int64_t>(mark & 0xFFFF); }
std::int64_t SlidingWindow::position_before(Mark mark, std::int64_t slots) {
  const std::int64_t position = position_of(mark) - slots;
  return position < 0 ? position + kPositions : position;
}

SlidingWindow::Cell SlidingWindow::cell_of(std::int64_t position, std::int64_t amount) {
  return static_cast<Cell>(position) << 48 | static_cast<Cell>(amount);
}
std::int64_t SlidingWindow::amount_in(Cell cell) { return static_cast<std::int64_t>(cell & ((Cell{1} << 48) - 1)); }
std::int64_t SlidingWindow::standing_for(Cell cell) { return static_cast<std::int64_t>(cell >> 48); }
std::atomic<SlidingWindow::Cell>& SlidingWindow::cell_at(std::int64_t position) {
  return cells_[static_cast<std::size_t>(position % kCells)];
}

std::optional<SlidingWindow::Place> SlidingWindow::take(std::int64_t amount, std::int64_t most, TimePoint now) {
  const Mark mark = roll(now);
  std::int64_t used = used_.load();
  for (bool swept = false;;) {
    if (amount <= std::min(most, kMost) - used) {
      if (used_.compare_exchange_weak(used, used + amount)) return book(amount);
    } else if (swept) {
      return std::nullopt;
    } else {
      // Somebody may have moved the window on and not yet emptied its cells.
      sweep(mark);
      used = used_.load();
      swept = true;
    }
  }
}

SlidingWindow::Place SlidingWindow::add(std::int64_t amount, TimePoint now) {
  roll(now);
  used_.fetch_add(amount);
  return book(amount);
}

void SlidingWindow::give_back(std::int64_t amount, Place place) {
  const auto mark = static_cast<Mark>(place);
  // Positions come again, slots do not. It may leave the window only now, which the cell will show.
  if (slot_of(newest_.load()) - slot_of(mark) > kSlots) return;
  std::atomic<Cell>& cell = cell_at(position_of(mark));
  Cell seen = cell.load();
  while (standing_for(seen) == position_of(mark)) {
    const std::int64_t back = std::min(amount, amount_in(seen));
    if (cell.compare_exchange_weak(seen, seen - static_cast<Cell>(back))) {
      used_.fetch_sub(back);
      return;
    }
  }
}

std::int64_t SlidingWindow::used(TimePoint now) {
  roll(now);
  return used_.load();
}

// Mostly it is enough to look how long nobody has come.
bool SlidingWindow::empty(TimePoint now) {
  return now.time_since_epoch() >= (slot_of(newest_.load()) + kCells) * width_ || used(now) == 0;
}

std::optional<milliseconds> SlidingWindow::wait(std::int64_t amount, std::int64_t most, TimePoint now) {
  if (amount > std::min(most, kMost)) return std::nullopt;
  const Mark mark = roll(now);
  std::int64_t over = used_.load() - (std::min(most, kMost) - amount);
  for (std::int64_t slots = kSlots; slots > 0; --slots) {
    over -= amount_before(mark, slots);
    if (over <= 0) return leaves_in(mark, slots, now);
  }
  return leaves_in(mark, 0, now);
}

milliseconds SlidingWindow::empty_in(TimePoint now) {
  const Mark mark = roll(now);
  for (std::int64_t slots = 0; slots <= kSlots; ++slots) {
    if (amount_before(mark, slots) != 0) return leaves_in(mark, slots, now);
  }
  return milliseconds(0);
}

// Moves the window on to `now`, unless another thread has seen a later time already.
SlidingWindow::Mark SlidingWindow::roll(TimePoint now) {
  Mark mark = newest_.load();
  for (;;) {
    const nanoseconds behind = now.time_since_epoch() - slot_of(mark) * width_;
    if (behind < width_) return mark;
    const std::int64_t slots = behind / width_;
    const std::int64_t steps = std::min(slots, kCells);
    const Mark next = mark_of(slot_of(mark) + slots, (position_of(mark) + steps) % kPositions);
    if (!newest_.compare_exchange_weak(mark, next)) continue;
    sweep(next);
    return next;
  }
}

// Makes the cell stand for `position`, which lies in the window of `mark`. False: that is not the window any more.
bool SlidingWindow::refresh(Mark mark, std::int64_t position) {
  std::atomic<Cell>& cell = cell_at(position);
  Cell seen = cell.load();
  while (standing_for(seen) != position) {
    // Asked after the cell was read: no cell stands for a slot beyond the newest, so this one is old.
    if (newest_.load() != mark) return false;
    if (cell.compare_exchange_weak(seen, cell_of(position, 0))) {
      used_.fetch_sub(amount_in(seen));
      return true;
    }
  }
  return true;
}

void SlidingWindow::sweep(Mark mark) {
  for (std::int64_t slots = 0; slots <= kSlots; ++slots) {
    if (!refresh(mark, position_before(mark, slots))) return;
  }
}

// Puts what is in the total already into the newest slot.
SlidingWindow::Place SlidingWindow::book(std::int64_t amount) {
  for (;;) {
    const Mark mark = newest_.load();
    if (!refresh(mark, position_of(mark))) continue;
    std::atomic<Cell>& cell = cell_at(position_of(mark));
    Cell seen = cell.load();
    while (standing_for(seen) == position_of(mark)) {
      const std::int64_t put = std::min(amount, kMost - amount_in(seen));
      if (!cell.compare_exchange_weak(seen, seen + static_cast<Cell>(put))) continue;
      if (put < amount) used_.fetch_sub(amount - put);
      return static_cast<Place>(mark);
    }
  }
}

std::int64_t SlidingWindow::amount_before(Mark mark, std::int64_t slots) {
  const std::int64_t position = position_before(mark, slots);
  const Cell seen = cell_at(position).load();
  return standing_for(seen) == position ? amount_in(seen) : 0;
}

milliseconds SlidingWindow::leaves_in(Mark mark, std::int64_t slots_before, TimePoint now) const {
  const TimePoint end(width_ * (slot_of(mark) - slots_before + kCells));
  return std::max(std::chrono::ceil<milliseconds>(end - now), milliseconds(1));
}

}  // namespace sluice::limit
