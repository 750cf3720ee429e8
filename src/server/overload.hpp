#pragma once
// What protects the process from too much: memory pressure and event loops that stand still. Runs on the control
// thread; workers read `shedding`.

#include <atomic>
#include <boost/asio/basic_waitable_timer.hpp>
#include <functional>
#include <vector>

#include "server/memory.hpp"
#include "server/worker.hpp"
#include "sluice/config/config.hpp"

namespace sluice::server {

// Descriptors: how many clients can be served when each needs one for itself and one towards an upstream. Raises the
// soft limit to the hard one.
std::size_t connections_that_fit(unsigned workers);
std::size_t descriptor_limit();

// Loops that have not turned for a while. Time is counted in calls, so that a process that was stopped as a whole, or
// a machine that slept, is not mistaken for one that hangs.
class StillLoops {
 public:
  // `beats` of each loop, now. The index of one that did not change during the last `patience` calls, or -1.
  int look(const std::vector<std::uint64_t>& beats, std::uint64_t patience);

 private:
  struct Seen {
    std::uint64_t beats = 0;
    std::uint64_t unchanged = 0;
  };
  std::vector<Seen> seen_;
};

class Overload {
 public:
  using Workers = std::vector<std::unique_ptr<Worker>>;
  Overload(net::io_context& control, const Workers& workers);

  void configure(const config::Overload& settings);
  void start();  // harmless when it has been started

  // Whether new requests are to be refused. Any thread.
  const std::atomic<bool>& shedding() const { return shedding_; }
  const MemoryReading& memory() const { return memory_; }

 private:
  void tick();
  void watch_memory();
  void watch_loops();

  const Workers& workers_;
  bool ticking_ = false;
  config::Overload settings_;
  net::basic_waitable_timer<Clock, net::wait_traits<Clock>, Executor> timer_;
  MemoryMeter meter_{0};
  MemoryReading memory_;
  StillLoops still_;
  std::atomic<bool> shedding_ = false;
  TimePoint next_relief_{};
};

}  // namespace sluice::server
