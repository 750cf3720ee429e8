#pragma once
// Watches one event loop from within: how late it comes to a timer, and that it still turns.

#include <atomic>
#include <boost/asio/basic_waitable_timer.hpp>
#include <functional>

#include "sluice/core/async.hpp"
#include "sluice/core/clock.hpp"
#include "sluice/observe/metrics.hpp"

namespace sluice::server {

class LoopLag {
 public:
  static constexpr auto kInterval = milliseconds(100);

  // `on_beat` is called once in each interval; it may throw.
  LoopLag(net::io_context& io, observe::Metrics& metrics, std::function<void()> on_beat)
      : timer_(io.get_executor()), metrics_(metrics), on_beat_(std::move(on_beat)) {}
  // On the loop's thread, or before it runs. Throws std::bad_alloc; no harm if it beats already.
  void start();
  bool beating() const { return beating_; }  // on the loop's thread

  std::uint64_t beats() const { return beats_; }  // any thread: grows as long as the loop turns

 private:
  net::basic_waitable_timer<Clock, net::wait_traits<Clock>, Executor> timer_;
  observe::Metrics& metrics_;
  std::function<void()> on_beat_;
  bool beating_ = false;
  std::atomic<std::uint64_t> beats_ = 0;
};

}  // namespace sluice::server
