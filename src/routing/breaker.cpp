#include "routing/breaker.hpp"

#include <algorithm>

namespace sluice::routing {
namespace {

constexpr double kLeastRamp = 0.1;
constexpr unsigned kMostInARow = 1000;  // longer than that no ejection grows

}  // namespace

Breaker::Breaker(const config::Breaker& settings)
    : slow_start_(settings.slow_start.count()), window_(settings.window), settings_(settings) {}

void Breaker::adopt(const config::Breaker& settings) {
  const std::lock_guard lock(mutex_);
  settings_ = settings;
  slow_start_.store(settings.slow_start.count(), std::memory_order_relaxed);
  window_.resize(settings.window);
}

bool Breaker::admits(TimePoint now) const {
  if (!is_open(era_.load(std::memory_order_acquire))) return true;
  return now >= until_.load(std::memory_order_relaxed) && !probing_.load(std::memory_order_relaxed);
}

TimePoint Breaker::admits_at(TimePoint now) const {
  if (!is_open(era_.load(std::memory_order_acquire))) return now;
  return std::max(now, until_.load(std::memory_order_relaxed));
}

std::optional<Breaker::Pass> Breaker::try_pass(TimePoint now) {
  const std::uint32_t era = era_.load(std::memory_order_acquire);
  if (!is_open(era)) return Pass(*this, era, false);
  if (now < until_.load(std::memory_order_relaxed)) return std::nullopt;
  if (probing_.exchange(true, std::memory_order_acq_rel)) return std::nullopt;
  // The probe before may have decided meanwhile, and given this one up after that.
  const std::uint32_t current = era_.load(std::memory_order_acquire);
  if (current == era) return Pass(*this, era, true);
  probing_.store(false, std::memory_order_release);
  if (is_open(current)) return std::nullopt;
  return Pass(*this, current, false);
}

double Breaker::ramp(TimePoint now) const {
  if (is_open(era_.load(std::memory_order_acquire))) {
    // Whole when it may be probed: only one request goes there, and it should go soon.
    return now >= until_.load(std::memory_order_relaxed) ? 1 : 0;
  }
  const TimePoint closed_at = closed_at_.load(std::memory_order_relaxed);
  const milliseconds slow_start(slow_start_.load(std::memory_order_relaxed));
  if (closed_at == TimePoint::min() || now - closed_at >= slow_start) return 1;
  const std::chrono::duration<double> passed = std::max(nanoseconds(0), nanoseconds(now - closed_at));
  return kLeastRamp + (1 - kLeastRamp) * (passed / slow_start);
}

void Breaker::answer(Pass& pass, TimePoint now) {
  if (pass.era_ != era_.load(std::memory_order_relaxed)) return;
  if (pass.probe_) return close(pass, now);
  if (consecutive_.load(std::memory_order_relaxed) != 0) consecutive_.store(0, std::memory_order_relaxed);
}

void Breaker::end(Pass& pass, Outcome outcome, TimePoint now) {
  if (pass.probe_) return end_probe(pass, outcome, now);
  if (outcome == Outcome::kGood) count_good(pass, now);
  if (outcome == Outcome::kFault) count_fault(pass, now);
}

void Breaker::end_probe(Pass& pass, Outcome outcome, TimePoint now) {
  if (outcome == Outcome::kGood) {
    close(pass, now);
    return count_good(pass, now);
  }
  if (outcome == Outcome::kFault) {
    const std::lock_guard lock(mutex_);
    // A health check may have brought it back meanwhile.
    if (pass.era_ == era_.load(std::memory_order_relaxed)) eject(EjectedFor::kFailedProbe, now);
  }
  // After the state has changed: whoever takes the probe over sees that.
  probing_.store(false, std::memory_order_release);
}

void Breaker::count_good(const Pass& pass, TimePoint now) {
  if (pass.era_ != era_.load(std::memory_order_relaxed)) return;
  window_.add_good(now);
  if (consecutive_.load(std::memory_order_relaxed) != 0) consecutive_.store(0, std::memory_order_relaxed);
}

void Breaker::count_fault(const Pass& pass, TimePoint now) {
  const std::lock_guard lock(mutex_);
  if (pass.era_ != era_.load(std::memory_order_relaxed)) return;
  window_.add_fault(now);
  const unsigned in_a_row = consecutive_.fetch_add(1, std::memory_order_relaxed) + 1;
  const unsigned most = settings_.consecutive_failures;
  if (most != 0 && in_a_row >= most) return eject(EjectedFor::kConsecutiveFaults, now);
  const OutcomeWindow::Sums sums = window_.sums(now);
  const bool enough = settings_.error_percent != 0 && sums.all() >= settings_.least_requests;
  if (enough && sums.faults * 100 >= sums.all() * settings_.error_percent) eject(EjectedFor::kErrorRate, now);
}

void Breaker::close(Pass& pass, TimePoint now) {
  const std::lock_guard lock(mutex_);
  // A health check may have brought it back meanwhile.
  if (pass.era_ == era_.load(std::memory_order_relaxed)) close(now);
  pass.era_ = era_.load(std::memory_order_relaxed);
  pass.probe_ = false;
  probing_.store(false, std::memory_order_release);
}

// Under the lock, while it is open.
void Breaker::close(TimePoint now) {
  consecutive_.store(0, std::memory_order_relaxed);
  window_.clear();
  closed_at_.store(now, std::memory_order_relaxed);
  era_.fetch_add(1, std::memory_order_release);
}

void Breaker::mark_unhealthy(TimePoint until) {
  const std::lock_guard lock(mutex_);
  if (!is_open(era_.load(std::memory_order_relaxed))) {
    ++ejections_;
    until_.store(until, std::memory_order_relaxed);
    era_.fetch_add(1, std::memory_order_release);
  }
  reason_ = EjectedFor::kHealthCheck;
  until_.store(std::max(until, until_.load(std::memory_order_relaxed)), std::memory_order_relaxed);
}

void Breaker::mark_healthy(TimePoint now) {
  const std::lock_guard lock(mutex_);
  if (is_open(era_.load(std::memory_order_relaxed)) && reason_ == EjectedFor::kHealthCheck) close(now);
}

void Breaker::eject(EjectedFor reason, TimePoint now) {
  const milliseconds ejection = std::max(settings_.ejection, milliseconds(1));
  const bool again = reason == EjectedFor::kFailedProbe;
  if (!again && in_a_row_ != 0) {
    const auto healthy = (now - closed_at_.load(std::memory_order_relaxed)) / ejection;
    in_a_row_ -= static_cast<unsigned>(std::clamp<std::int64_t>(healthy, 0, in_a_row_));
  }
  in_a_row_ = std::min(in_a_row_ + 1, kMostInARow);
  ++ejections_;
  reason_ = reason;
  until_.store(now + std::min(ejection * in_a_row_, std::max(settings_.longest_ejection, milliseconds(1))),
               std::memory_order_relaxed);
  era_.fetch_add(again ? 2 : 1, std::memory_order_release);
}

BreakerView Breaker::view(TimePoint now) const {
  const std::lock_guard lock(mutex_);
  BreakerView view;
  view.consecutive_faults = consecutive_.load(std::memory_order_relaxed);
  view.window = window_.sums(now);
  view.ejections_in_a_row = in_a_row_;
  view.ejections = ejections_;
  view.ramp = ramp(now);
  if (!is_open(era_.load(std::memory_order_relaxed))) return view;
  view.reason = reason_;
  view.until = until_.load(std::memory_order_relaxed);
  view.state = now < view.until ? BreakerState::kOpen : BreakerState::kHalfOpen;
  return view;
}

}  // namespace sluice::routing
