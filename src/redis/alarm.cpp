#include "redis/alarm.hpp"

#include <utility>

namespace sluice::redis {

struct Alarm::State : std::enable_shared_from_this<State> {
  State(net::io_context& io, std::function<void()> call) : timer(io), ring(std::move(call)) {}

  void arm(TimePoint when) {
    due = when;
    timer.expires_at(when);
    timer.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
      const auto self = weak.lock();
      if (error || !self) return;
      self->due = kNever;
      self->ring();
    });
  }

  Timer timer;
  TimePoint due = kNever;
  std::function<void()> ring;
};

Alarm::Alarm(net::io_context& io, std::function<void()> ring) : state_(std::make_shared<State>(io, std::move(ring))) {}

Alarm::~Alarm() = default;

void Alarm::ring_by(TimePoint due) {
  if (due < state_->due) state_->arm(due);
}

}  // namespace sluice::redis
