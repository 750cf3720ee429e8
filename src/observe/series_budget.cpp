#include "sluice/observe/series_budget.hpp"

#include <algorithm>

#include "observe/families.hpp"

namespace sluice::observe {

SeriesBudget::SeriesBudget(std::size_t max_series, Tell tell) : tell_(std::move(tell)) {
  const std::size_t shared = max_series - std::min(max_series, kKeptBack);
  for (Part& part : parts_) part.most = shared / 8;
  of(SeriesKind::kHistogram).most = shared / 2;
}

bool SeriesBudget::admit(SeriesKind kind, std::string_view id, std::size_t series) {
  Part& part = of(kind);
  if (part.full.load(std::memory_order_acquire)) return part.known.contains(id);
  {
    const std::lock_guard lock(mutex_);
    if (part.known.contains(id)) return true;
    if (part.full.load(std::memory_order_relaxed)) return false;
    if (part.used + series <= part.most) {
      part.known.emplace(id);
      part.used += series;
      return true;
    }
    part.full.store(true, std::memory_order_release);
  }
  if (tell_) tell_(kind);
  return false;
}

bool SeriesGate::admit(SeriesKind kind, std::string_view id, std::size_t series) {
  if (budget_ == nullptr || budget_->admit(kind, id, series)) return true;
  ++refused_[static_cast<std::size_t>(kind)];
  return false;
}

void SeriesGate::merge(const SeriesGate& other) {
  for (std::size_t i = 0; i < kSeriesKinds; ++i) refused_[i] += other.refused_[i];
}

std::string render_series_budget(const SeriesBudget& budget) {
  auto used = gauge("sluice_metrics_series", "Series that names of the configuration have, by what they are of.");
  auto most = gauge("sluice_metrics_max_series", "How many they may have; what comes beyond is counted as other.");
  for (std::size_t i = 0; i < kSeriesKinds; ++i) {
    const auto kind = static_cast<SeriesKind>(i);
    add_number(used, {{"kind", std::string(kSeriesKindNames[i])}}, static_cast<double>(budget.used(kind)));
    add_number(most, {{"kind", std::string(kSeriesKindNames[i])}}, static_cast<double>(budget.most(kind)));
  }
  return render_families({used, most});
}

}  // namespace sluice::observe
