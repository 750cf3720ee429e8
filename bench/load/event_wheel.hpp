#pragma once
// Which stream writes its next event when. A wheel of 100 µs ticks: adding and firing cost the same however many
// streams are open, and they wake the program only when one of them is due. Not for cancelling: a number whose owner
// is gone fires all the same and is then ignored.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <utility>
#include <vector>

#include "net.hpp"

namespace sluice::bench {

class EventWheel {
 public:
  explicit EventWheel(Time start) : start_(start) {}

  void add(std::uint64_t owner, Time due) {
    const std::int64_t tick = std::max(tick_of(due), now_ + 1);
    slots_[index(tick)].push_back({owner, due, tick});
    ++size_;
  }

  // Calls `fire(owner, due)` for each that is due at `now`; fire may add.
  template <typename Fire>
  void advance(Time now, Fire&& fire) {
    for (const std::int64_t last = tick_of(now); now_ < last;) {
      ++now_;
      if (size_ == 0) continue;
      fired_.swap(slots_[index(now_)]);
      size_ -= fired_.size();
      for (const Entry& entry : fired_) {
        if (entry.tick == now_) {
          fire(entry.owner, entry.due);
        } else {  // a later round
          slots_[index(entry.tick)].push_back(entry);
          ++size_;
        }
      }
      fired_.clear();
    }
  }

  // When to call advance() next: the end of the first tick that holds an entry, or a round from now.
  Time wake_at() const {
    std::int64_t tick = now_ + 1;
    if (size_ == 0) return time_of(now_ + kSlots * 10);
    while (tick < now_ + kSlots && slots_[index(tick)].empty()) ++tick;
    return time_of(tick);
  }

 private:
  static constexpr std::int64_t kSlots = 1024;
  static constexpr std::chrono::microseconds kTick{100};
  struct Entry {
    std::uint64_t owner;
    Time due;
    std::int64_t tick;
  };

  static std::size_t index(std::int64_t tick) { return static_cast<std::size_t>(tick % kSlots); }
  std::int64_t tick_of(Time time) const { return (time - start_) / kTick; }
  Time time_of(std::int64_t tick) const { return start_ + tick * kTick; }

  Time start_;
  std::int64_t now_ = 0;
  std::size_t size_ = 0;
  std::array<std::vector<Entry>, kSlots> slots_;
  std::vector<Entry> fired_;
};

}  // namespace sluice::bench
