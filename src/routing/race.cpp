#include "routing/race.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/this_coro.hpp>

namespace sluice::routing {

Race::Race(const Executor& executor) : track_(std::make_shared<Track>(executor)) {}

void Race::begin(std::size_t lane, Task<Result<void>> task) {
  track_->lanes[lane].runs = true;
  const auto executor = track_->bell.get_executor();
  auto over = [track = track_, lane](const std::exception_ptr& thrown, Result<void> result) {
    Lane& ended = track->lanes[lane];
    ended.runs = false;
    // What a cancelled task throws is its end.
    if (thrown) result = client_gone("cancelled");
    ended.result = std::move(result);
    ++track->over;
    track->bell.cancel();
  };
  net::co_spawn(executor, std::move(task),
                net::bind_cancellation_slot(track_->lanes[lane].cancel.slot(), std::move(over)));
}

Task<bool> Race::wait(TimePoint due) {
  const unsigned over = track_->over;
  while (track_->over == over && (runs(0) || runs(1)) && Clock::now() < due) {
    track_->bell.expires_at(due);
    co_await track_->bell.async_wait(net::as_tuple(net::deferred));
    const auto state = co_await net::this_coro::cancellation_state;
    if (state.cancelled() == net::cancellation_type::none) continue;
    // Else no task could be awaited any more.
    co_await net::this_coro::reset_cancellation_state(net::disable_cancellation());
    co_await end();
    co_return false;
  }
  co_return true;
}

Task<void> Race::end() {
  co_await net::this_coro::reset_cancellation_state(net::disable_cancellation());
  while (runs(0) || runs(1)) {
    const unsigned over = track_->over;
    for (Lane& lane : track_->lanes) {
      if (lane.runs) lane.cancel.emit(net::cancellation_type::terminal);
    }
    if (track_->over != over) continue;
    track_->bell.expires_at(kNever);
    co_await track_->bell.async_wait(net::as_tuple(net::deferred));
  }
  co_await net::this_coro::reset_cancellation_state(net::enable_terminal_cancellation());
}

}  // namespace sluice::routing
