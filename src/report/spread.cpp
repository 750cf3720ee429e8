#include "report/spread.hpp"

#include <algorithm>
#include <cmath>

namespace sluice::report {
namespace {

const double kStep = std::log(1.01);

std::size_t step_of(std::int64_t value) {
  return value <= 0 ? 0 : 1 + static_cast<std::size_t>(std::log(static_cast<double>(value)) / kStep);
}

// The middle of the step.
std::int64_t value_of(std::size_t step) {
  return step == 0 ? 0 : std::llround(std::exp((static_cast<double>(step) - 0.5) * kStep));
}

}  // namespace

void Spread::add(std::int64_t value) {
  const std::size_t step = step_of(value);
  if (steps_.size() <= step) steps_.resize(step + 1);
  ++steps_[step];
  ++count_;
}

std::int64_t Spread::percentile(double percent) const {
  const auto wanted = static_cast<std::uint64_t>(std::ceil(static_cast<double>(count_) * percent / 100));
  std::uint64_t seen = 0;
  for (std::size_t step = 0; step < steps_.size(); ++step) {
    seen += steps_[step];
    if (seen >= std::max<std::uint64_t>(wanted, 1)) return value_of(step);
  }
  return 0;
}

}  // namespace sluice::report
