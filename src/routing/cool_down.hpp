#pragma once
// The rest that a credential takes after the provider said 429. Lock-free; any thread.

#include <atomic>
#include <optional>

#include "sluice/core/clock.hpp"

namespace sluice::routing {

struct CoolDownSettings {
  milliseconds first = std::chrono::seconds(1);       // when the provider did not say how long: doubled each time,
  milliseconds longest = std::chrono::seconds(60);    // up to this
  milliseconds longest_told = std::chrono::hours(1);  // of what a provider says, so much is believed
};

class CoolDown {
 public:
  // TimePoint{}: it never rested.
  TimePoint until() const { return until_.load(std::memory_order_relaxed); }
  // A 429 with the wait it spoke of, if any (zero is none). Never shortens a rest; several that come during one rest
  // without a word count as one.
  void begin(const CoolDownSettings& settings, std::optional<milliseconds> told, TimePoint now);
  // It was answered. While it rests that is news of before, and changes nothing.
  void worked(TimePoint now);

 private:
  std::atomic<TimePoint> until_{TimePoint{}};
  std::atomic<unsigned> silent_{0};  // rests in a row whose length nobody told
};

// `now + span` without overflow: kNever if that lies beyond a hundred years.
TimePoint later(TimePoint now, milliseconds span);

}  // namespace sluice::routing
