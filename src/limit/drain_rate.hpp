#pragma once
// How fast a queue drains: the rate of admissions over the last ten seconds or so in which somebody waited. Time when
// nobody waited does not count, since then nobody could be admitted from the queue. Pure; not thread-safe.

#include <chrono>
#include <optional>

#include "sluice/core/clock.hpp"

namespace sluice::limit {

class DrainRate {
 public:
  static constexpr std::chrono::seconds kMemory{10};  // what is older counts for a third and less

  void wait_begins(TimePoint now);
  void wait_ends(TimePoint now);
  void admitted(TimePoint now);

  // Nothing while too little was seen: fewer than four admissions in less than a second of waiting. Where admissions
  // are rarer than the memory is long, the time since the last one speaks.
  std::optional<double> per_second(TimePoint now) const;
  bool forgotten(TimePoint now) const;  // nothing is left that could be told

 private:
  using Seconds = std::chrono::duration<double>;
  void advance(TimePoint now);

  TimePoint last_{};
  bool waiting_ = false;
  double admissions_ = 0;  // both fade alike, so their quotient is right from the first moment on
  Seconds watched_{0};
  Seconds since_admission_{0};  // of waiting; does not fade
};

}  // namespace sluice::limit
