#pragma once
// Whether calls go to Redis at all. Pure: no clock, no network. What changes is returned as news, once per change.

#include <cstdint>

#include "sluice/redis/counts.hpp"

namespace sluice::redis {

class Breaker {
 public:
  enum class News : std::uint8_t { kNone, kUnavailable, kAvailable };

  explicit Breaker(unsigned failures_to_open) : failures_to_open_(failures_to_open) {}

  bool open() const { return open_; }
  // Calls go again, but none has succeeded yet.
  bool on_trial() const { return on_trial_; }
  std::uint64_t opened() const { return opened_; }

  // A command got its reply, or failed. What was not sent on the breaker's own account is neither.
  News succeeded();
  News failed(Failure failure);
  // No connection could be made: nothing can succeed, so it opens whatever was counted before.
  News unreachable(Failure failure);
  // The background probe was answered: calls go again. The first of them decides: if it fails, calls stop at once.
  News probed();

 private:
  News open_for(Failure failure);
  News available();

  unsigned failures_to_open_;
  unsigned in_a_row_ = 0;
  bool open_ = false;
  bool on_trial_ = false;
  bool told_ = false;  // that it is unavailable
  Failure last_ = Failure::kClosed;
  std::uint64_t opened_ = 0;
};

}  // namespace sluice::redis
