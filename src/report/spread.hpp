#pragma once
// How a great many numbers are spread, in a little memory: counts per step of one per cent, so that a percentile is
// right within that. Only steps that some number fell on take room. Of one thread.

#include <cstdint>
#include <vector>

namespace sluice::report {

class Spread {
 public:
  // Negative counts as 0.
  void add(std::int64_t value);
  void operator+=(const Spread& other);
  std::uint64_t count() const { return count_; }
  // The least value that so many per cent of all do not exceed; 0 if there are none.
  std::int64_t percentile(double percent) const;

 private:
  struct Step {
    std::uint32_t number = 0;  // 0 is for 0
    std::uint64_t count = 0;
  };
  void add_to(std::uint32_t step, std::uint64_t count);

  std::vector<Step> steps_;  // in order
  std::uint64_t count_ = 0;
};

}  // namespace sluice::report
