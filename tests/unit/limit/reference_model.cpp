#include "reference_model.hpp"

#include <algorithm>

#include "limit/calendar.hpp"

namespace sluice::limit {

LimitModel::Place LimitModel::book(std::int64_t amount, WallTime now) {
  if (limit_.meter == Meter::kConcurrency) {
    slots_ += amount;
    return {};
  }
  if (limit_.meter == Meter::kMoney) {
    const auto period = period_start(limit_.period, now);
    periods_[period].reserved += amount;
    return {.entry = 0, .period = period};
  }
  entries_.push_back({.at = now, .amount = amount});
  return {.entry = entries_.size() - 1};
}

void LimitModel::settle(Place place, std::int64_t taken, std::int64_t used, WallTime now) {
  if (limit_.meter == Meter::kConcurrency) {
    slots_ -= taken;
  } else if (limit_.meter == Meter::kMoney) {
    periods_[place.period].reserved -= taken;
    periods_[place.period].used += used;
  } else {
    entries_[place.entry].amount -= std::max<std::int64_t>(taken - used, 0);
    if (used > taken) entries_.push_back({.at = now, .amount = used - taken});
  }
}

Bounds LimitModel::counted(WallTime now) const {
  if (limit_.meter == Meter::kConcurrency) return {.least = slots_, .most = slots_};
  if (limit_.meter == Meter::kMoney) {
    const Standing standing = spent(now);
    return {.least = standing.used + standing.reserved, .most = standing.used + standing.reserved};
  }
  const auto late = std::chrono::ceil<milliseconds>(late_);
  return {.least = after(now - limit_.window), .most = after(now - limit_.window - late)};
}

std::int64_t LimitModel::counted_with(Place place) const {
  const Standing& standing = periods_.at(place.period);
  return standing.used + standing.reserved;
}

Standing LimitModel::spent(WallTime now) const {
  const auto found = periods_.find(period_start(limit_.period, now));
  return found == periods_.end() ? Standing{} : found->second;
}

std::optional<milliseconds> LimitModel::fits_within(std::int64_t amount, WallTime now) const {
  if (amount > limit_.most || limit_.meter == Meter::kConcurrency) return std::nullopt;
  if (limit_.meter == Meter::kMoney) {
    if (limit_.period == Period::kTotal) return std::nullopt;
    return period_end(limit_.period, now) - now;
  }
  const auto reach = limit_.window + std::chrono::ceil<milliseconds>(late_);
  for (const Entry& entry : entries_) {
    const WallTime gone = entry.at + reach;
    if (gone > now && after(entry.at) + amount <= limit_.most) return gone - now;
  }
  return milliseconds(0);
}

// Entries are in the order of their times.
std::int64_t LimitModel::after(WallTime oldest) const {
  std::int64_t sum = 0;
  for (auto entry = entries_.rbegin(); entry != entries_.rend() && entry->at > oldest; ++entry) sum += entry->amount;
  return sum;
}

}  // namespace sluice::limit
