#include "observe/bounds.hpp"
#include "sluice/observe/metrics.hpp"

namespace sluice::observe {

std::span<const double> first_token_bounds() { return kFirstTokenBounds; }

Totals Metrics::totals() const {
  Totals all;
  all.errors = errors_;
  all.first_token.counts.resize(kFirstTokenBounds.size() + 1);
  for (const auto& [key, series] : series_) {
    for (const auto& [what, count] : series.requests) all.requests[static_cast<std::size_t>(what.first)] += count;
    all.first_token.merge(series.measures[static_cast<std::size_t>(Measure::kFirstToken)]);
    all.input += series.input;
    all.output += series.output;
    all.cost += series.cost;
  }
  for (const auto& [route, saved] : saved_) all.saved += saved.cost;
  return all;
}

}  // namespace sluice::observe
