#pragma once
// How many attempts went well and how many did not, over the last seconds. Lock-free; any thread.
//
// Ten slots, each one word that holds its own time and both counts, so that a slot is never half renewed. What happened
// in the slot that is being left falls out as a whole: the sums cover nine to ten tenths of the window. A slot counts
// to a million of each kind and no further. It tells times apart up to 1.6 million windows, half a year of ten seconds.

#include <array>
#include <atomic>
#include <cstdint>

#include "sluice/core/clock.hpp"

namespace sluice::routing {

class OutcomeWindow {
 public:
  struct Sums {
    std::uint64_t good = 0;
    std::uint64_t faults = 0;
    std::uint64_t all() const { return good + faults; }
    unsigned fault_percent() const { return all() == 0 ? 0 : static_cast<unsigned>(faults * 100 / all()); }
  };

  explicit OutcomeWindow(nanoseconds window) { resize(window); }

  void add_good(TimePoint now) { add(kOneGood, now); }
  void add_fault(TimePoint now) { add(kOneFault, now); }
  Sums sums(TimePoint now) const;
  // Forgets everything. What other threads add meanwhile may be kept or lost.
  void clear();
  // Forgets everything if that is another window than before. At least ten nanoseconds.
  void resize(nanoseconds window);

 private:
  static constexpr std::size_t kSlots = 10;
  static constexpr std::uint64_t kOneFault = 1;
  static constexpr std::uint64_t kOneGood = std::uint64_t{1} << 20;

  void add(std::uint64_t one, TimePoint now);
  std::uint64_t tick(TimePoint now) const;

  std::array<std::atomic<std::uint64_t>, kSlots> slots_{};  // the tick's low 24 bits, 20 bits good, 20 bits faults
  std::atomic<nanoseconds::rep> width_{1};
};

}  // namespace sluice::routing
