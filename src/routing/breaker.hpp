#pragma once
// Whether a target may be tried. A target that fails too often is ejected for a time; then one attempt after another
// may probe it; when one of them is answered, it comes back, at first with a small share.
//
// Any thread. Asking, passing and good ends are relaxed atomics without a lock; faults and changes of state take a
// short one. What counts as a fault is the caller's judgement: what the upstream did wrong, never what the client did.

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>

#include "routing/outcome_window.hpp"
#include "sluice/config/routing.hpp"
#include "sluice/core/clock.hpp"

namespace sluice::routing {

// kNeutral says nothing about the upstream: a client's mistake, an attempt given up, a credential's rate limit.
enum class Outcome : std::uint8_t { kGood, kFault, kNeutral };

enum class BreakerState : std::uint8_t { kClosed, kOpen, kHalfOpen };
inline constexpr std::array<std::string_view, 3> kBreakerStateNames = {"closed", "open", "half_open"};

enum class EjectedFor : std::uint8_t { kNothing, kConsecutiveFaults, kErrorRate, kFailedProbe, kHealthCheck };
inline constexpr std::array<std::string_view, 5> kEjectedForNames = {"none", "consecutive_faults", "error_rate",
                                                                     "failed_probe", "health_check"};

// For display; the members need not be of the same instant.
struct BreakerView {
  BreakerState state = BreakerState::kClosed;
  EjectedFor reason = EjectedFor::kNothing;  // of the last ejection, unless closed
  TimePoint until{};                         // open: when it may be probed
  unsigned consecutive_faults = 0;
  OutcomeWindow::Sums window;
  unsigned ejections_in_a_row = 0;
  std::uint64_t ejections = 0;  // ever
  double ramp = 1;
};

class Breaker {
 public:
  // Leave to try once. When it is destroyed without an end it ends as kNeutral: a probe that is given up makes room for
  // the next. Used by one thread at a time; the breaker outlives it. What it tells of a time before the last change of
  // state has no effect, so attempts that were under way at an ejection neither prolong it nor end it.
  class Pass {
   public:
    Pass(Pass&& other) noexcept
        : breaker_(std::exchange(other.breaker_, nullptr)), era_(other.era_), probe_(other.probe_) {}
    Pass& operator=(Pass&&) = delete;
    ~Pass() {
      if (breaker_ != nullptr) breaker_->end(*this, Outcome::kNeutral, TimePoint{});
    }

    bool probe() const { return probe_; }
    // The upstream gives a good answer, which may take long yet: faults in a row are over, and a probe has succeeded.
    void answered(TimePoint now) {
      if (breaker_ != nullptr) breaker_->answer(*this, now);
    }
    // How it ended, once; kGood need not have been `answered` before.
    void ended(Outcome outcome, TimePoint now) {
      if (breaker_ != nullptr) std::exchange(breaker_, nullptr)->end(*this, outcome, now);
    }

   private:
    friend class Breaker;
    Pass(Breaker& breaker, std::uint32_t era, bool probe) : breaker_(&breaker), era_(era), probe_(probe) {}
    Breaker* breaker_;
    std::uint32_t era_;
    bool probe_;
  };

  explicit Breaker(const config::Breaker& settings = {});

  // Whether try_pass() would have let an attempt through just now.
  bool admits(TimePoint now) const;
  // When it may, at the earliest: `now`, or the end of the ejection.
  TimePoint admits_at(TimePoint now) const;
  // Nothing while it is ejected, and while another probe is under way.
  std::optional<Pass> try_pass(TimePoint now);
  // The part of its weight that it should have: 0 ejected, 1 to be probed, rising from 0.1 to 1 during slow start.
  double ramp(TimePoint now) const;
  BreakerView view(TimePoint now) const;
  // Whoever asks the upstream how it is, beside its requests: it is not well, and out until then unless it is marked
  // again; and it is well, which ends what the former began, with a slow start, and no other ejection.
  void mark_unhealthy(TimePoint until);
  void mark_healthy(TimePoint now);
  // Of a new configuration. The state stays; an ejection that has begun keeps its end.
  void adopt(const config::Breaker& settings);

 private:
  static bool is_open(std::uint32_t era) { return era % 2 != 0; }
  void answer(Pass& pass, TimePoint now);
  void end(Pass& pass, Outcome outcome, TimePoint now);
  void end_probe(Pass& pass, Outcome outcome, TimePoint now);
  void count_good(const Pass& pass, TimePoint now);
  void count_fault(const Pass& pass, TimePoint now);
  void close(Pass& pass, TimePoint now);
  void close(TimePoint now);
  void eject(EjectedFor reason, TimePoint now);

  std::atomic<std::uint32_t> era_{0};  // each change of state begins one: even closed, odd ejected or half-open
  std::atomic<bool> probing_{false};
  std::atomic<std::uint32_t> consecutive_{0};
  std::atomic<TimePoint> until_{TimePoint{}};
  std::atomic<TimePoint> closed_at_{TimePoint::min()};  // min: never was ejected
  std::atomic<milliseconds::rep> slow_start_;
  OutcomeWindow window_;

  mutable std::mutex mutex_;  // guards what follows, and changes of era_
  config::Breaker settings_;
  EjectedFor reason_ = EjectedFor::kNothing;
  unsigned in_a_row_ = 0;
  std::uint64_t ejections_ = 0;
};

}  // namespace sluice::routing
