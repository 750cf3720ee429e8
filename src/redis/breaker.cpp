#include "redis/breaker.hpp"

#include <utility>

namespace sluice::redis {
namespace {

// A probe is a PING. It is answered as ever when memory is full, writes are stopped or a command is forbidden: then
// only a command shows whether that is over, and until one has, nobody is told so.
bool probe_proves(Failure failure) {
  using enum Failure;
  return failure != kOom && failure != kMisconf && failure != kNoPerm && failure != kClusterDown &&
         failure != kMasterDown;
}

}  // namespace

Breaker::News Breaker::succeeded() {
  in_a_row_ = 0;
  if (open_) return News::kNone;  // sent before it opened; the probe decides
  on_trial_ = false;
  return available();
}

Breaker::News Breaker::failed(Failure failure) {
  if (open_ || failure == Failure::kOpen || failure == Failure::kFull) return News::kNone;
  last_ = failure;
  ++in_a_row_;
  if (!on_trial_ && in_a_row_ < failures_to_open_) return News::kNone;
  return open_for(failure);
}

Breaker::News Breaker::unreachable(Failure failure) {
  if (open_) return News::kNone;
  return open_for(failure);
}

Breaker::News Breaker::probed() {
  if (!open_) return News::kNone;
  open_ = false;
  on_trial_ = true;
  in_a_row_ = 0;
  return probe_proves(last_) ? available() : News::kNone;
}

Breaker::News Breaker::open_for(Failure failure) {
  open_ = true;
  on_trial_ = false;
  last_ = failure;
  ++opened_;
  return std::exchange(told_, true) ? News::kNone : News::kUnavailable;
}

Breaker::News Breaker::available() { return std::exchange(told_, false) ? News::kAvailable : News::kNone; }

}  // namespace sluice::redis
