#include "routing/retry_budget.hpp"

#include <algorithm>

namespace sluice::routing {
namespace {

constexpr std::int64_t kAttempt = 100;

std::int64_t hundredths_of(const config::RetryBudget& settings) {
  return static_cast<std::int64_t>(settings.least) * kAttempt;
}

}  // namespace

RetryBudget::RetryBudget(const config::RetryBudget& settings)
    : balance_(hundredths_of(settings)),
      percent_(settings.percent),
      least_(hundredths_of(settings)),
      given_(hundredths_of(settings)) {}

void RetryBudget::adopt(const config::RetryBudget& settings) {
  percent_.store(settings.percent, std::memory_order_relaxed);
  const std::int64_t least = hundredths_of(settings);
  least_.store(least, std::memory_order_relaxed);
  std::int64_t given = given_.load(std::memory_order_relaxed);
  while (given < least && !given_.compare_exchange_weak(given, least, std::memory_order_relaxed)) {
  }
  if (given < least) balance_.fetch_add(least - given, std::memory_order_relaxed);
}

void RetryBudget::earn(TimePoint now) {
  earned_.add_good(now);
  balance_.fetch_add(percent_.load(std::memory_order_relaxed), std::memory_order_relaxed);
}

bool RetryBudget::try_spend(TimePoint now) {
  const auto requests = static_cast<std::int64_t>(earned_.sums(now).good);
  const std::int64_t most =
      least_.load(std::memory_order_relaxed) + requests * percent_.load(std::memory_order_relaxed);
  std::int64_t balance = balance_.load(std::memory_order_relaxed);
  std::int64_t kept = 0;
  do {
    kept = std::min(balance, most) - kAttempt;  // what is older has lapsed
    if (kept < 0) {
      refused_.fetch_add(1, std::memory_order_relaxed);
      return false;
    }
  } while (!balance_.compare_exchange_weak(balance, kept, std::memory_order_relaxed));
  spent_.fetch_add(1, std::memory_order_relaxed);
  return true;
}

}  // namespace sluice::routing
