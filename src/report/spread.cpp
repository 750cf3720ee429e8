#include "report/spread.hpp"

#include <algorithm>
#include <cmath>

namespace sluice::report {
namespace {

const double kStep = std::log(1.01);
constexpr double kAlmost = 1 - 1e-9;  // what sums of weights may lack

std::size_t step_of(std::int64_t value) {
  return value <= 0 ? 0 : 1 + static_cast<std::size_t>(std::log(static_cast<double>(value)) / kStep);
}

// The middle of the step.
std::int64_t value_of(std::size_t step) {
  return step == 0 ? 0 : std::llround(std::exp((static_cast<double>(step) - 0.5) * kStep));
}

}  // namespace

void Spread::add(std::int64_t value, double weight) {
  const std::size_t step = step_of(value);
  if (steps_.size() <= step) steps_.resize(step + 1);
  steps_[step] += weight;
  count_ += weight;
}

std::int64_t Spread::percentile(double percent) const {
  const double wanted = count_ * percent / 100;
  double seen = 0;
  for (std::size_t step = 0; step < steps_.size(); ++step) {
    seen += steps_[step];
    if (seen > 0 && seen >= wanted * kAlmost) return value_of(step);
  }
  return 0;
}

}  // namespace sluice::report
