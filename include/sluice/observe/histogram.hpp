#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace sluice::observe {

// Cumulative buckets are computed when rendering; `counts` has one more for what lies above the last bound.
struct Histogram {
  std::vector<std::uint64_t> counts;
  double sum = 0;
  std::uint64_t total = 0;
  void observe(double value, std::span<const double> bounds);
  void merge(const Histogram& other);
};

}  // namespace sluice::observe
