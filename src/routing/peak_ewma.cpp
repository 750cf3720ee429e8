#include "routing/peak_ewma.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace sluice::routing {
namespace {

// Differences of 32 bits of these reach more than a year.
using Ticks = std::chrono::duration<std::int64_t, std::ratio<1, 64>>;
using Fractional = std::chrono::duration<double, Ticks::period>;
using Ms = std::chrono::duration<double, std::milli>;

constexpr double kLeastPart = 1.0 / 8;
constexpr double kShortest = 1e-3;  // a value is never zero, so neither is its word

struct Point {
  float value = 0;
  std::uint32_t tick = 0;
};

std::uint32_t tick_of(TimePoint now) {
  return static_cast<std::uint32_t>(std::chrono::floor<Ticks>(now.time_since_epoch()).count());
}
Point unpack(std::uint64_t word) {
  return {std::bit_cast<float>(static_cast<std::uint32_t>(word >> 32)), static_cast<std::uint32_t>(word)};
}
std::uint64_t pack(Point point) { return std::uint64_t{std::bit_cast<std::uint32_t>(point.value)} << 32 | point.tick; }

// A thread's `now` may lie a little before that of the last sample.
double age_of(Point point, TimePoint now) { return std::max(0, static_cast<std::int32_t>(tick_of(now) - point.tick)); }

}  // namespace

void PeakEwma::adopt(const PeakEwmaSettings& settings) {
  time_constant_.store(std::max(1.0, Fractional(settings.time_constant).count()), std::memory_order_relaxed);
  forget_.store(Fractional(settings.forget).count(), std::memory_order_relaxed);
}

double PeakEwma::faded(double age) const { return std::exp(-age / time_constant_.load(std::memory_order_relaxed)); }

void PeakEwma::add(nanoseconds sample, TimePoint now) {
  const double ms = std::max(kShortest, Ms(sample).count());
  std::uint64_t word = word_.load(std::memory_order_relaxed);
  const Point old = unpack(word);
  double next = ms;
  if (word != 0 && ms < static_cast<double>(old.value)) {
    const double kept = faded(age_of(old, now));
    next = static_cast<double>(old.value) * kept + ms * (1 - kept);
  }
  // Between ticks nothing fades; the tick of the value stays, lest samples that come faster than ticks keep it up.
  const bool same = word != 0 && age_of(old, now) == 0 && static_cast<double>(old.value) >= ms;
  if (same) return;
  word_.compare_exchange_strong(word, pack({static_cast<float>(next), tick_of(now)}), std::memory_order_relaxed);
}

std::optional<double> PeakEwma::value(TimePoint now) const {
  const std::uint64_t word = word_.load(std::memory_order_relaxed);
  if (word == 0) return std::nullopt;
  const Point point = unpack(word);
  const double age = age_of(point, now);
  if (age >= forget_.load(std::memory_order_relaxed)) return std::nullopt;
  return static_cast<double>(point.value) * std::max(kLeastPart, faded(age));
}

}  // namespace sluice::routing
