#include "limit/drain_rate.hpp"

#include <algorithm>
#include <cmath>

namespace sluice::limit {
namespace {

constexpr double kFew = 3.5;  // four that have hardly faded
constexpr std::chrono::duration<double> kShort{1};
constexpr std::chrono::duration<double> kInstant{1e-3};  // several admissions may share one

}  // namespace

// Threads bring their own `now`, so it may lie a little before the last one.
void DrainRate::advance(TimePoint now) {
  const Seconds passed = std::max(Seconds(0), Seconds(now - last_));
  last_ = std::max(last_, now);
  const double kept = std::exp(-passed / Seconds(kMemory));
  admissions_ *= kept;
  watched_ *= kept;
  if (!waiting_) return;
  watched_ += Seconds(kMemory) * (1 - kept);
  since_admission_ += passed;
}

void DrainRate::wait_begins(TimePoint now) {
  advance(now);
  waiting_ = true;
}

void DrainRate::wait_ends(TimePoint now) {
  advance(now);
  waiting_ = false;
}

void DrainRate::admitted(TimePoint now) {
  advance(now);
  admissions_ += 1;
  since_admission_ = Seconds(0);
}

std::optional<double> DrainRate::per_second(TimePoint now) const {
  DrainRate then = *this;
  then.advance(now);
  if (then.admissions_ < kFew && then.watched_ < kShort) return std::nullopt;
  if (then.admissions_ >= 1) return then.admissions_ / std::max(then.watched_, kInstant).count();
  return 1 / std::max(then.watched_, then.since_admission_).count();
}

bool DrainRate::forgotten(TimePoint now) const { return !waiting_ && !per_second(now); }

}  // namespace sluice::limit
