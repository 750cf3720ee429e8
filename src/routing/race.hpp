#pragma once
// Two tasks at a time on the awaiting task's thread, each with an end of its own. Whoever leaves the race before they
// are over must have awaited end(), for they refer to his frame.

#include <array>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/wait_traits.hpp>
#include <memory>
#include <optional>

#include "sluice/core/async.hpp"
#include "sluice/core/clock.hpp"
#include "sluice/core/error.hpp"

namespace sluice::routing {

class Race {
 public:
  explicit Race(const Executor& executor);
  Race(const Race&) = delete;
  Race& operator=(const Race&) = delete;

  void begin(std::size_t lane, Task<Result<void>> task);
  bool runs(std::size_t lane) const { return track_->lanes[lane].runs; }
  // Nothing: not over yet, or never begun.
  const std::optional<Result<void>>& result(std::size_t lane) const { return track_->lanes[lane].result; }
  Result<void> take(std::size_t lane) { return std::move(*track_->lanes[lane].result); }

  // Until a lane that runs now is over, or `due`. False: the awaiting task was cancelled, and now all are over.
  Task<bool> wait(TimePoint due);
  // Cancels what still runs and sees it end. Is not cancelled itself.
  Task<void> end();

 private:
  struct Lane {
    net::cancellation_signal cancel;
    std::optional<Result<void>> result;
    bool runs = false;
  };
  struct Track {  // outlives the race where the loop is taken down under it
    explicit Track(const Executor& executor) : bell(executor) {}
    std::array<Lane, 2> lanes;
    net::basic_waitable_timer<Clock, net::wait_traits<Clock>, Executor> bell;
    unsigned over = 0;
  };
  std::shared_ptr<Track> track_;
};

}  // namespace sluice::routing
