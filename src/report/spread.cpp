#include "report/spread.hpp"

#include <algorithm>
#include <cmath>

namespace sluice::report {
namespace {

const double kStep = std::log(1.01);
constexpr double kAlmost = 1 - 1e-9;  // what sums of weights may lack

std::uint32_t step_of(std::int64_t value) {
  return value <= 0 ? 0 : 1 + static_cast<std::uint32_t>(std::log(static_cast<double>(value)) / kStep);
}

// The middle of the step.
std::int64_t value_of(std::uint32_t step) {
  return step == 0 ? 0 : std::llround(std::exp((static_cast<double>(step) - 0.5) * kStep));
}

}  // namespace

void Spread::add(std::int64_t value, double weight) { add_to(step_of(value), weight); }

void Spread::operator+=(const Spread& other) {
  for (const Step& step : other.steps_) add_to(step.number, step.count);
}

void Spread::add_to(std::uint32_t step, double count) {
  auto at = std::ranges::lower_bound(steps_, step, {}, &Step::number);
  if (at == steps_.end() || at->number != step) at = steps_.insert(at, {step, 0});
  at->count += count;
  count_ += count;
}

std::int64_t Spread::percentile(double percent) const {
  const double wanted = count_ * percent / 100;
  double seen = 0;
  for (const Step& step : steps_) {
    seen += step.count;
    if (seen >= wanted * kAlmost) return value_of(step.number);
  }
  return 0;
}

}  // namespace sluice::report
