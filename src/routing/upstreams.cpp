#include "routing/upstreams_state.hpp"

namespace sluice::routing {
namespace {

template <class Names, class Place>
std::string_view name_in(const Names& names, Place place) {
  return names[static_cast<std::size_t>(place)];
}

TargetStanding standing_of(const TargetView& view, TimePoint now) {
  TargetStanding standing{.provider = view.provider,
                          .model = view.model,
                          .state = name_in(kBreakerStateNames, view.breaker.state),
                          .ejected_for = name_in(kEjectedForNames, view.breaker.reason),
                          .out_for = {},
                          .consecutive_faults = view.breaker.consecutive_faults,
                          .window_requests = view.breaker.window.good + view.breaker.window.faults,
                          .window_faults = view.breaker.window.faults,
                          .ejections = view.breaker.ejections,
                          .share = view.breaker.ramp,
                          .first_token_ms = view.latency,
                          .in_flight = view.in_flight};
  if (view.breaker.state == BreakerState::kOpen && view.breaker.until > now) {
    standing.out_for = std::chrono::ceil<milliseconds>(view.breaker.until - now);
  }
  return standing;
}

}  // namespace

std::shared_ptr<Upstreams> make_upstreams() { return std::make_shared<Upstreams>(); }

void mark_unhealthy(Upstreams& upstreams, std::string_view provider, TimePoint until) {
  upstreams.board.mark_unhealthy(provider, until);
}

void mark_healthy(Upstreams& upstreams, std::string_view provider, TimePoint now) {
  upstreams.board.mark_healthy(provider, now);
}

std::vector<TargetStanding> targets_of(const Upstreams& upstreams, TimePoint now) {
  std::vector<TargetStanding> all;
  for (const auto& state : upstreams.board.targets()) all.push_back(standing_of(state->view(now), now));
  return all;
}

RetryStanding retries_of(const Upstreams& upstreams) {
  return {.spent = upstreams.retries.spent(), .refused = upstreams.retries.refused()};
}

}  // namespace sluice::routing
