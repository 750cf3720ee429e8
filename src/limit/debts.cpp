#include "limit/debts.hpp"

#include <algorithm>
#include <limits>

namespace sluice::limit {
namespace {

constexpr int kSlots = 20;

std::int64_t sum(std::int64_t a, std::int64_t b) {
  std::int64_t both = 0;
  return __builtin_add_overflow(a, b, &both) ? std::numeric_limits<std::int64_t>::max() : both;
}

}  // namespace

void Debts::add(Spending spending, TimePoint now) {
  if (spending.amount <= 0 || spending.limit->kind() == Kind::kSlots) return;
  if (spending.limit->kind() == Kind::kWindow) {
    Recent& recent = windows_[spending.limit.get()];
    if (!recent.limit) recent.limit = std::move(spending.limit);
    add_recent(recent, spending.amount, now);
    if (windows_.size() >= sweep_at_) sweep(now);
    return;
  }
  Spending& sum_of = budgets_[{spending.limit.get(), spending.term.from}];
  spending.amount = sum(spending.amount, sum_of.amount);
  sum_of = std::move(spending);
}

bool Debts::is_old(const Part& part, milliseconds window, TimePoint now) {
  return now - part.first > window + window / kSlots;
}

void Debts::forget_old(Recent& recent, TimePoint now) {
  std::erase_if(recent.amounts, [&](const Part& part) { return is_old(part, recent.limit->window(), now); });
}

void Debts::sweep(TimePoint now) {
  std::erase_if(windows_, [now](const auto& entry) {
    const Recent& recent = entry.second;
    return recent.amounts.empty() || is_old(recent.amounts.back(), recent.limit->window(), now);
  });
  sweep_at_ = std::max<std::size_t>(2 * windows_.size(), 1024);
}

void Debts::add_recent(Recent& recent, std::int64_t amount, TimePoint now) {
  forget_old(recent, now);
  auto& amounts = recent.amounts;
  const milliseconds window = recent.limit->window();
  if (!amounts.empty() && now - amounts.back().first < window / kSlots) {
    amounts.back().second = sum(amounts.back().second, amount);
  } else {
    amounts.emplace_back(now, amount);
  }
}

std::vector<Spending> Debts::collect(TimePoint now) {
  std::vector<Spending> all;
  for (auto& [key, spending] : std::exchange(budgets_, {})) all.push_back(std::move(spending));
  for (auto& [key, recent] : std::exchange(windows_, {})) {
    forget_old(recent, now);
    std::int64_t amount = 0;
    for (const auto& [from, part] : recent.amounts) amount = sum(amount, part);
    if (amount > 0) all.push_back({.limit = recent.limit, .term = {}, .amount = amount});
  }
  return all;
}

}  // namespace sluice::limit
