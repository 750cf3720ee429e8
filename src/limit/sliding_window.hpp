#pragma once
// Counts what is taken within a window that slides, over all threads and without locks. The window is cut into kSlots
// slots. What is taken is booked in the slot of its time and stays counted until the whole of that slot is older than
// the window: never less than a window, never more than 1/20 of one longer. Hence used() is never below what was
// taken within the last window. Counts saturate at kMost per slot.
//
// One cell per slot, used in turn. A cell holds, in one word, an amount and which slot it stands for; whoever meets a
// cell whose slot has left the window empties it and lowers the total. So a correction that comes too late misses,
// instead of hitting the slot that came after. The total is raised before a cell is and lowered after it, so it is
// never below the sum of the cells; a thread that stops between the two makes others see too much, never too little.

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>

#include "sluice/core/clock.hpp"

namespace sluice::limit {

class SlidingWindow {
 public:
  static constexpr std::int64_t kSlots = 20;
  static constexpr std::int64_t kMost = (std::int64_t{1} << 47) - 1;
  using Place = std::int64_t;  // where something was booked

  explicit SlidingWindow(std::chrono::seconds window);

  // Books `amount` if that leaves no more than `most` counted. Amounts are 0 to kMost, here and below.
  std::optional<Place> take(std::int64_t amount, std::int64_t most, TimePoint now);
  // Books it whatever is counted.
  Place add(std::int64_t amount, TimePoint now);
  // Takes back some of what was booked there; does nothing once that has left the window.
  void give_back(std::int64_t amount, Place place);

  std::int64_t used(TimePoint now);
  // Nothing is counted.
  bool empty(TimePoint now);
  // When `amount` will fit if nothing else is taken; nothing: never.
  std::optional<milliseconds> wait(std::int64_t amount, std::int64_t most, TimePoint now);
  // When nothing will be counted if nothing else is taken.
  milliseconds empty_in(TimePoint now);

 private:
  // A slot can still be needed as long as it overlaps the window: the current one, and kSlots before it.
  static constexpr std::int64_t kCells = kSlots + 1;
  // The newest slot: its number since the clock's epoch << 16, and its position. Positions count slots too, modulo
  // kPositions and with each longer silence counted as kCells slots: so few bits tell a cell's slots apart however
  // long nobody came. Position modulo kCells is the cell.
  using Mark = std::uint64_t;
  using Cell = std::uint64_t;  // position << 48 | amount
  static constexpr std::int64_t kPositions = kCells * 3120;

  static Mark mark_of(std::int64_t slot, std::int64_t position);
  static std::int64_t slot_of(Mark mark);
  static std::int64_t position_of(Mark mark);
  static std::int64_t position_before(Mark mark, std::int64_t slots);
  static Cell cell_of(std::int64_t position, std::int64_t amount);
  static std::int64_t amount_in(Cell cell);
  static std::int64_t standing_for(Cell cell);
  std::atomic<Cell>& cell_at(std::int64_t position);

  Mark roll(TimePoint now);
  bool refresh(Mark mark, std::int64_t position);
  void sweep(Mark mark);
  Place book(std::int64_t amount);
  std::int64_t amount_before(Mark mark, std::int64_t slots);
  milliseconds leaves_in(Mark mark, std::int64_t slots_before, TimePoint now) const;

  const nanoseconds width_;  // of a slot
  std::atomic<std::int64_t> used_{0};
  std::atomic<Mark> newest_{0};
  std::array<std::atomic<Cell>, kCells> cells_{};
};

}  // namespace sluice::limit
