#pragma once
// Idle upstream connections of one worker, newest first.

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "http/transport.hpp"
#include "sluice/core/timer_wheel.hpp"
#include "sluice/http/client.hpp"

namespace sluice::http {

class Pool {
 public:
  explicit Pool(TimerWheel& timers) : sweep_(timers, &Pool::on_sweep, this) {}

  // A connection that is open, silent and young enough; null if there is none.
  std::unique_ptr<Transport> take(const Origin& origin);
  void put(const Origin& origin, std::unique_ptr<Transport> connection);

 private:
  struct Idle {
    std::unique_ptr<Transport> connection;
    TimePoint until;
  };
  static void on_sweep(void* self);

  std::unordered_map<std::string, std::vector<Idle>> idle_;
  TimerWheel::Timer sweep_;
};

}  // namespace sluice::http
