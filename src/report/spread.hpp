#pragma once
// How a great many numbers are spread, in a little memory: counts per step of one per cent, so that a percentile is
// right within that. Of one thread.

#include <cstdint>
#include <vector>

namespace sluice::report {

class Spread {
 public:
  // Negative counts as 0. `weight`: so often.
  void add(std::int64_t value, double weight = 1);
  bool empty() const { return steps_.empty(); }
  // The least value that so many per cent of all do not exceed; 0 if there are none.
  std::int64_t percentile(double percent) const;

 private:
  std::vector<double> steps_;  // the first one for 0
  double count_ = 0;
};

}  // namespace sluice::report
