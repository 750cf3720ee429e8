#include "routing/outcome_window.hpp"

#include <algorithm>

namespace sluice::routing {
namespace {

constexpr std::uint64_t kCountMask = (1U << 20) - 1;
constexpr unsigned kTickShift = 40;
constexpr std::uint64_t kTickMask = (1U << 24) - 1;

std::uint64_t tick_of(std::uint64_t word) { return word >> kTickShift; }
std::uint64_t good_of(std::uint64_t word) { return word >> 20 & kCountMask; }
std::uint64_t faults_of(std::uint64_t word) { return word & kCountMask; }

// Threads bring their own `now`: one that is late must not take away what the others have begun.
bool is_ahead(std::uint64_t word, std::uint64_t tick, std::uint64_t reach) {
  const std::uint64_t ahead = (tick_of(word) - tick) & kTickMask;
  return ahead != 0 && ahead <= reach;
}

}  // namespace

std::uint64_t OutcomeWindow::tick(TimePoint now) const {
  const auto ticks = now.time_since_epoch().count() / width_.load(std::memory_order_relaxed);
  return static_cast<std::uint64_t>(ticks);
}

void OutcomeWindow::add(std::uint64_t one, TimePoint now) {
  const std::uint64_t ticks = tick(now);
  const std::uint64_t current = ticks & kTickMask;
  auto& slot = slots_[ticks % kSlots];
  std::uint64_t word = slot.load(std::memory_order_relaxed);
  std::uint64_t next = 0;
  do {
    if (is_ahead(word, current, 2 * kSlots)) return;
    const bool fresh = tick_of(word) != current;
    const bool full = (one == kOneGood ? good_of(word) : faults_of(word)) == kCountMask;
    if (!fresh && full) return;
    next = fresh ? (current << kTickShift) + one : word + one;
  } while (!slot.compare_exchange_weak(word, next, std::memory_order_relaxed));
}

OutcomeWindow::Sums OutcomeWindow::sums(TimePoint now) const {
  const std::uint64_t current = tick(now);
  Sums sums;
  for (const auto& slot : slots_) {
    const std::uint64_t word = slot.load(std::memory_order_relaxed);
    if (((current - tick_of(word)) & kTickMask) >= kSlots) continue;
    sums.good += good_of(word);
    sums.faults += faults_of(word);
  }
  return sums;
}

void OutcomeWindow::clear() {
  for (auto& slot : slots_) slot.store(0, std::memory_order_relaxed);
}

void OutcomeWindow::resize(nanoseconds window) {
  const auto width = std::max<nanoseconds::rep>(1, window.count() / static_cast<nanoseconds::rep>(kSlots));
  if (width_.exchange(width, std::memory_order_relaxed) != width) clear();
}

}  // namespace sluice::routing
