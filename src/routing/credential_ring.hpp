#pragma once
// The credentials of one provider, taken in turn. Lock-free; any thread. The states may be shared with the ring of
// another configuration.

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "routing/credential_state.hpp"

namespace sluice::routing {

// Either a credential, or when the first one becomes usable and what keeps it.
struct CredentialPick {
  std::optional<std::size_t> index{};
  TimePoint usable_at = kNever;
  Unusable why = Unusable::kNothing;
};

class CredentialRing {
 public:
  // One state per credential, in their order. A provider without credentials has one state all the same, for its rate
  // limits.
  explicit CredentialRing(std::vector<std::shared_ptr<CredentialState>> states,
                          const CredentialSettings& settings = {});

  // In turn among those that are usable for a request that needs about so many tokens, which are then taken as sent.
  CredentialPick pick(TimePoint now, std::int64_t tokens_needed);
  // Whether pick() would find one; takes nothing.
  bool usable(TimePoint now, std::int64_t tokens_needed) const;

  std::size_t size() const { return states_.size(); }
  const CredentialState& state(std::size_t index) const { return *states_[index]; }

  // What came of an attempt with that credential; see CredentialState.
  void heard(std::size_t index, const RateLimits& limits, TimePoint now) { states_[index]->heard(limits, now); }
  void worked(std::size_t index, TimePoint now) { states_[index]->worked(now); }
  void rate_limited(std::size_t index, std::optional<milliseconds> told, TimePoint now) {
    states_[index]->rate_limited(settings_, told, now);
  }
  void rejected(std::size_t index, TimePoint now) { states_[index]->rejected(settings_, now); }

 private:
  // The first that can be taken, from the usable one of that number on.
  std::optional<std::size_t> take_from(std::size_t number, std::int64_t tokens, TimePoint now);

  std::vector<std::shared_ptr<CredentialState>> states_;
  CredentialSettings settings_;
  std::atomic<std::size_t> turn_{0};
};

}  // namespace sluice::routing
