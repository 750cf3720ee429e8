#include "routing/target_state.hpp"

#include "routing/stable_hash.hpp"

namespace sluice::routing {

TargetState::TargetState(std::string provider, std::string model, const TargetSettings& settings)
    : provider_(std::move(provider)),
      model_(std::move(model)),
      identity_(stable_hash(provider_, model_)),
      breaker_(settings.breaker),
      latency_(settings.latency) {}

void TargetState::adopt(const TargetSettings& settings) {
  breaker_.adopt(settings.breaker);
  latency_.adopt(settings.latency);
}

std::optional<TargetState::Attempt> TargetState::begin(TimePoint now) {
  auto pass = breaker_.try_pass(now);
  if (!pass) return std::nullopt;
  in_flight_.fetch_add(1, std::memory_order_relaxed);
  return Attempt(*this, std::move(*pass));
}

Candidate TargetState::candidate(TimePoint now, bool with_latency) const {
  Candidate candidate;
  candidate.ramp = breaker_.ramp(now);
  if (with_latency) candidate.latency = latency_.value(now);
  candidate.in_flight = in_flight_.load(std::memory_order_relaxed);
  candidate.identity = identity_;
  candidate.available = breaker_.admits(now);
  return candidate;
}

TargetView TargetState::view(TimePoint now) const {
  TargetView view{
      .provider = provider_, .model = model_, .breaker = breaker_.view(now), .latency = latency_.value(now)};
  view.in_flight = in_flight_.load(std::memory_order_relaxed);
  for (std::size_t i = 0; i < ended_.size(); ++i) view.ended[i] = ended_[i].load(std::memory_order_relaxed);
  return view;
}

void TargetState::end(AttemptEnd end) {
  in_flight_.fetch_sub(1, std::memory_order_relaxed);
  ended_[static_cast<std::size_t>(end)].fetch_add(1, std::memory_order_relaxed);
}

TargetState::Attempt::~Attempt() {
  if (state_ != nullptr) state_->end(AttemptEnd::kAborted);
}

void TargetState::Attempt::answered(nanoseconds since_begin, TimePoint now) {
  pass_.answered(now);
  if (state_ == nullptr) return;
  state_->latency_.add(since_begin, now);
  state_->spread_.add(since_begin);
}

void TargetState::Attempt::waited(nanoseconds since_begin, TimePoint now) {
  if (state_ == nullptr) return;
  state_->latency_.add(since_begin, now);
  state_->spread_.add(since_begin);
}

void TargetState::Attempt::ended(Outcome outcome, TimePoint now) {
  pass_.ended(outcome, now);
  if (state_ != nullptr) std::exchange(state_, nullptr)->end(static_cast<AttemptEnd>(outcome));
}

}  // namespace sluice::routing
