#include "sluice/limit/ledger.hpp"

namespace sluice::limit {

Grant::~Grant() {
  if (ledger_ != nullptr) settle({});
}

void Grant::swap(Grant& other) noexcept {
  std::swap(ledger_, other.ledger_);
  takes_.swap(other.takes_);
  standings_.swap(other.standings_);
  std::swap(observed_, other.observed_);
  places_.swap(other.places_);
  lease_.swap(other.lease_);
}

// What is not said was not used.
void Grant::settle(std::span<const std::int64_t> used) {
  if (Ledger* ledger = std::exchange(ledger_, nullptr)) ledger->settle(*this, used);
}

bool Grant::extend(Money amount) { return ledger_ != nullptr && ledger_->extend(*this, amount); }

Grant Ledger::grant_of(std::vector<Take> takes) {
  Grant grant;
  grant.ledger_ = this;
  grant.takes_ = std::move(takes);
  return grant;
}

}  // namespace sluice::limit
