#include "budget/spend_sums.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <tuple>

namespace sluice::budget {
namespace {

// Of two numbers that are not negative.
std::int64_t sum_of(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? std::numeric_limits<std::int64_t>::max() : sum;
}

std::int64_t not_negative(std::int64_t number) { return std::max<std::int64_t>(number, 0); }

SpendTotals totals_of(const SpendRow& row) {
  return {not_negative(row.requests), not_negative(row.input_tokens), not_negative(row.output_tokens),
          std::max(row.cost, Money())};
}

SpendRow row_of(const SpendName& name, const SpendTotals& totals) {
  SpendRow row{.hour = name.hour,
               .key = name.key,
               .group = name.group,
               .model = name.model,
               .provider = name.provider,
               .requests = totals.requests,
               .input_tokens = totals.input_tokens,
               .output_tokens = totals.output_tokens,
               .cost = totals.cost};
  return row;
}

bool dearer(const SpendRow& a, const SpendRow& b) {
  if (a.cost != b.cost) return a.cost > b.cost;
  return std::tie(a.key, a.group, a.model, a.provider) < std::tie(b.key, b.group, b.model, b.provider);
}

}  // namespace

SpendTotals& SpendTotals::operator+=(const SpendTotals& other) {
  requests = sum_of(requests, other.requests);
  input_tokens = sum_of(input_tokens, other.input_tokens);
  output_tokens = sum_of(output_tokens, other.output_tokens);
  cost += other.cost;
  return *this;
}

std::size_t SpendSums::Hash::operator()(const SpendName& name) const {
  const std::hash<std::string_view> text;
  std::size_t hash = static_cast<std::size_t>(name.hour.time_since_epoch().count());
  for (const std::string* part : {&name.key, &name.group, &name.model, &name.provider}) {
    hash = hash * 0x9e3779b97f4a7c15U + text(*part);
  }
  return hash;
}

bool SpendSums::add(SpendRow row, std::size_t most) {
  const SpendTotals totals = totals_of(row);
  SpendName name{std::chrono::floor<std::chrono::hours>(row.hour), std::move(row.key), std::move(row.group),
                 std::move(row.model), std::move(row.provider)};
  auto found = rows_.find(name);
  if (found == rows_.end()) {
    if (rows_.size() >= most) return false;
    found = rows_.emplace(std::move(name), SpendTotals()).first;
  }
  found->second += totals;
  return true;
}

std::size_t SpendSums::take(SpendSums& other, std::size_t most) {
  if (rows_.empty()) {
    rows_.swap(other.rows_);
    return 0;
  }
  std::size_t lost = 0;
  for (auto& [name, totals] : other.rows_) {
    if (const auto known = rows_.find(name); known != rows_.end()) {
      known->second += totals;
    } else if (rows_.size() < most) {
      rows_.emplace(name, totals);
    } else {
      ++lost;
    }
  }
  other.rows_.clear();
  return lost;
}

void SpendSummary::add(const SpendName& name, const SpendTotals& totals) {
  if (name.hour < query_.since || name.hour >= query_.until) return;
  sums_[name_in_report(name)] += totals;
}

SpendName SpendSummary::name_in_report(const SpendName& name) const {
  SpendName by;
  switch (query_.by) {
    case SpendBy::kKey:
      by.key = name.key;
      break;
    case SpendBy::kGroup:
      by.group = name.group;
      break;
    case SpendBy::kTeam:
      by.group = name.group.substr(0, name.group.find('/'));
      break;
    case SpendBy::kModel:
      by.model = name.model;
      break;
    case SpendBy::kProvider:
      by.provider = name.provider;
      break;
    case SpendBy::kHour:
      by.hour = name.hour;
      break;
    case SpendBy::kDay:
      by.hour = std::chrono::floor<std::chrono::days>(name.hour);
      break;
  }
  return by;
}

std::vector<SpendRow> SpendSummary::rows() const {
  std::vector<SpendRow> rows;
  rows.reserve(sums_.size());
  for (const auto& [name, totals] : sums_) rows.push_back(row_of(name, totals));
  if (query_.by == SpendBy::kHour || query_.by == SpendBy::kDay) {
    std::ranges::sort(rows, {}, &SpendRow::hour);
  } else {
    std::ranges::sort(rows, dearer);
  }
  return rows;
}

}  // namespace sluice::budget
