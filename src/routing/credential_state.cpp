#include "routing/credential_state.hpp"

namespace sluice::routing {

Rest CredentialState::rest(std::int64_t tokens, TimePoint now) const {
  const TimePoint quarantined = quarantined_until_.load(std::memory_order_relaxed);
  if (now < quarantined) return {Unusable::kQuarantined, quarantined};
  if (const TimePoint until = cool_down_.until(); now < until) return {Unusable::kCoolingDown, until};
  if (const TimePoint until = requests_.waits_until(1, now); now < until) return {Unusable::kRequestsSpent, until};
  if (const TimePoint until = tokens_.waits_until(tokens, now); now < until) return {Unusable::kTokensSpent, until};
  return {};
}

bool CredentialState::try_take(const CredentialSettings& settings, std::int64_t tokens, TimePoint now) {
  TimePoint quarantined = quarantined_until_.load(std::memory_order_relaxed);
  if (quarantined != TimePoint{}) {
    const TimePoint next = later(now, settings.trial);
    if (now < quarantined || !quarantined_until_.compare_exchange_strong(quarantined, next, std::memory_order_relaxed))
      return false;
    on_trial_.store(true, std::memory_order_relaxed);
  }
  requests_.take(1, now);
  tokens_.take(tokens, now);
  return true;
}

void CredentialState::heard(const RateLimits& limits, TimePoint now) {
  requests_.told(limits.requests, now);
  tokens_.told(limits.tokens, now);
}

// An answer to what was sent before a quarantine does not end it; one that comes during a trial does, which may be a
// little early, and the next rejection puts that right.
void CredentialState::worked(TimePoint now) {
  cool_down_.worked(now);
  if (!on_trial_.load(std::memory_order_relaxed)) return;
  on_trial_.store(false, std::memory_order_relaxed);
  forgive();
}

void CredentialState::rate_limited(const CredentialSettings& settings, std::optional<milliseconds> told,
                                   TimePoint now) {
  cool_downs_.fetch_add(1, std::memory_order_relaxed);
  cool_down_.begin(settings.cool_down, told, now);
}

void CredentialState::rejected(const CredentialSettings& settings, TimePoint now) {
  rejections_.fetch_add(1, std::memory_order_relaxed);
  on_trial_.store(false, std::memory_order_relaxed);
  quarantined_until_.store(later(now, settings.quarantine), std::memory_order_relaxed);
}

}  // namespace sluice::routing
