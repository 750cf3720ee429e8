#pragma once
// A call that has to be made by a certain time. Asking for a later time than was asked for before costs nothing, and
// nothing is ever taken back: the call may come without need, and looks for itself at what is due.

#include <boost/asio/basic_waitable_timer.hpp>
#include <functional>
#include <memory>

#include "sluice/core/async.hpp"
#include "sluice/core/clock.hpp"

namespace sluice::redis {

using Timer = net::basic_waitable_timer<Clock, net::wait_traits<Clock>, Executor>;

class Alarm {
 public:
  Alarm(net::io_context& io, std::function<void()> ring);
  ~Alarm();
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;

  void ring_by(TimePoint due);  // kNever asks for nothing

 private:
  struct State;
  std::shared_ptr<State> state_;  // outlives this with a ring that is under way
};

}  // namespace sluice::redis
