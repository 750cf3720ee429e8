#pragma once
// How long a target takes to its first token: a moving average that believes a slow answer at once and a fast one only
// by and by. Lock-free; any thread. Of samples that come in the same instant one may be lost.

#include <atomic>
#include <cstdint>
#include <optional>

#include "sluice/core/clock.hpp"

namespace sluice::routing {

// What a further request would meet: the time of one times all that would be under way.
constexpr double load_score(double latency, std::uint32_t in_flight) { return latency * (1.0 + in_flight); }

struct PeakEwmaSettings {
  milliseconds time_constant = std::chrono::seconds(10);  // in which a peak falls to a third
  milliseconds forget = std::chrono::minutes(2);          // without a sample nothing is known any more
};

class PeakEwma {
 public:
  explicit PeakEwma(const PeakEwmaSettings& settings = {}) { adopt(settings); }

  void add(nanoseconds sample, TimePoint now);
  // In milliseconds. It fades while no sample comes, so that a target that was slow is tried again, but to no less than
  // an eighth, so that where requests are rare the slow one stays the slow one. Nothing: no sample, or long ago.
  std::optional<double> value(TimePoint now) const;
  void adopt(const PeakEwmaSettings& settings);

 private:
  double faded(double age) const;  // e^(-age / time constant); age in ticks

  std::atomic<std::uint64_t> word_{0};    // the value as a float, and the tick of its last change; 0: no sample
  std::atomic<double> time_constant_{1};  // both in ticks
  std::atomic<double> forget_{1};
};

}  // namespace sluice::routing
