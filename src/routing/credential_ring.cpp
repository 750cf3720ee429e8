#include "routing/credential_ring.hpp"

#include <algorithm>

namespace sluice::routing {

CredentialRing::CredentialRing(std::vector<std::shared_ptr<CredentialState>> states, const CredentialSettings& settings)
    : states_(std::move(states)), settings_(settings) {}

bool CredentialRing::usable(TimePoint now, std::int64_t tokens_needed) const {
  return std::ranges::any_of(
      states_, [&](const auto& state) { return state->rest(tokens_needed, now).why == Unusable::kNothing; });
}

CredentialPick CredentialRing::pick(TimePoint now, std::int64_t tokens_needed) {
  CredentialPick pick;
  std::size_t usable = 0;
  for (const auto& state : states_) {
    const Rest rest = state->rest(tokens_needed, now);
    if (rest.why == Unusable::kNothing) ++usable;
    // `<=`: one that lasts for ever has a reason too.
    if (rest.why != Unusable::kNothing && rest.until <= pick.usable_at) {
      pick.usable_at = rest.until;
      pick.why = rest.why;
    }
  }
  if (usable == 0) return pick;
  const std::size_t turn = turn_.fetch_add(1, std::memory_order_relaxed);
  if (const auto index = take_from(turn % usable, tokens_needed, now)) return {.index = index, .usable_at = now};
  // Another thread has just gone to try the last one there was.
  return {.usable_at = later(now, settings_.trial), .why = Unusable::kQuarantined};
}

std::optional<std::size_t> CredentialRing::take_from(std::size_t number, std::int64_t tokens, TimePoint now) {
  // Twice around: the first `number` usable ones are passed over, and come last.
  for (std::size_t step = 0; step < 2 * states_.size(); ++step) {
    const std::size_t index = step % states_.size();
    CredentialState& state = *states_[index];
    if (state.rest(tokens, now).why != Unusable::kNothing) continue;
    if (number > 0) {
      --number;
    } else if (state.try_take(settings_, tokens, now)) {
      return index;
    }
  }
  return std::nullopt;
}

}  // namespace sluice::routing
