#include "limit/budget_share.hpp"

#include <algorithm>
#include <limits>

namespace sluice::limit {
namespace {

constexpr std::int64_t kFull = std::numeric_limits<std::int64_t>::max();

std::int64_t sum(std::int64_t a, std::int64_t b) {
  std::int64_t both = 0;
  return __builtin_add_overflow(a, b, &both) ? kFull : std::max<std::int64_t>(both, 0);
}

}  // namespace

void BudgetShare::saw(const Term& term, std::int64_t used) {
  const std::lock_guard lock(mutex_);
  if (known_ && term.from < term_.from) return;
  move_to(term);
  known_ = true;
  used_ = std::max<std::int64_t>(used, 0);
}

BudgetShare::Taken BudgetShare::take(const Terms& terms, std::int64_t amount, bool in_any_case) {
  const std::lock_guard lock(mutex_);
  if (terms.term.from > term_.from) move_to(terms.term);
  const std::int64_t left = known_ && terms.most > used_ ? terms.most - used_ : 0;
  const std::int64_t share = left / static_cast<std::int64_t>(std::max(terms.replicas, 1U));
  Taken taken{.within = sum(outstanding_, amount) <= share, .seen = used_, .outstanding = outstanding_};
  if (taken.within || in_any_case) taken.outstanding = outstanding_ = sum(outstanding_, amount);
  return taken;
}

void BudgetShare::change(const Term& term, std::int64_t by) {
  const std::lock_guard lock(mutex_);
  if (term == term_) outstanding_ = sum(outstanding_, by);
}

void BudgetShare::move_to(const Term& term) {
  if (term == term_) return;
  term_ = term;
  used_ = outstanding_ = 0;
}

}  // namespace sluice::limit
