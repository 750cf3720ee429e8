#include "routing/cool_down.hpp"

#include <algorithm>
#include <cstdint>

namespace sluice::routing {
namespace {

constexpr unsigned kMostDoublings = 20;
constexpr milliseconds kCentury = std::chrono::hours(24 * 365 * 100);

}  // namespace

TimePoint later(TimePoint now, milliseconds span) { return span >= kCentury ? kNever : now + span; }

void CoolDown::begin(const CoolDownSettings& settings, std::optional<milliseconds> told, TimePoint now) {
  TimePoint until = until_.load(std::memory_order_relaxed);
  if (told && *told > milliseconds(0)) {
    const TimePoint wanted = later(now, std::min(*told, settings.longest_told));
    while (until < wanted && !until_.compare_exchange_weak(until, wanted, std::memory_order_relaxed)) {
    }
    return;
  }
  if (now < until) return;
  const unsigned before = std::min(silent_.load(std::memory_order_relaxed), kMostDoublings);
  const milliseconds wait = std::min(settings.first * (std::int64_t{1} << before), settings.longest);
  // Whoever is slower than another thread finds a rest begun.
  if (!until_.compare_exchange_strong(until, later(now, wait), std::memory_order_relaxed)) return;
  silent_.store(before + 1, std::memory_order_relaxed);
}

void CoolDown::worked(TimePoint now) {
  if (silent_.load(std::memory_order_relaxed) == 0 || now < until()) return;
  silent_.store(0, std::memory_order_relaxed);
}

}  // namespace sluice::routing
