#pragma once
// How a great many numbers are spread, in a little memory: counts per step of one per cent, so that a percentile is
// right within that. Only steps that some number fell on take room. Of one thread.

#include <cstdint>
#include <vector>

namespace sluice::report {

class Spread {
 public:
  // Negative counts as 0. `weight`: so often.
  void add(std::int64_t value, double weight = 1);
  void operator+=(const Spread& other);
  bool empty() const { return steps_.empty(); }
  // The least value that so many per cent of all do not exceed; 0 if there are none.
  std::int64_t percentile(double percent) const;

 private:
  struct Step {
    std::uint32_t number = 0;  // 0 is for 0
    double count = 0;
  };
  void add_to(std::uint32_t step, double count);

  std::vector<Step> steps_;  // in order
  double count_ = 0;
};

}  // namespace sluice::report
