#include "cache/lead.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

namespace sluice::cache {
namespace {

// Outlives the leader where the loop is taken down under it.
struct Run {
  explicit Run(const Executor& executor) : bell(executor, kNever) {}
  net::basic_waitable_timer<Clock, net::wait_traits<Clock>, Executor> bell;  // rings at the end
  net::cancellation_signal cancel;
  bool over = false;
  Result<void> result;
  std::exception_ptr thrown;

  void stop() {
    if (!over) cancel.emit(net::cancellation_type::terminal);
  }
};

void begin(const std::shared_ptr<Run>& run, Task<Result<void>> answer) {
  auto ended = [run](std::exception_ptr thrown, Result<void> result) {
    run->thrown = std::move(thrown);
    run->result = std::move(result);
    run->over = true;
    run->bell.cancel();
  };
  net::co_spawn(run->bell.get_executor(), std::move(answer),
                net::bind_cancellation_slot(run->cancel.slot(), std::move(ended)));
}

}  // namespace

Task<Result<void>> lead(Task<Result<void>> answer, Flight& flight, Tee& tee) {
  const auto executor = co_await net::this_coro::executor;
  auto run = std::make_shared<Run>(executor);
  flight.when_followed([run, executor] { net::post(executor, [run] { run->bell.cancel(); }); });
  begin(run, std::move(answer));
  bool left = false;
  while (!run->over) {
    co_await run->bell.async_wait(net::as_tuple(net::deferred));
    tee.followed();
    const auto state = co_await net::this_coro::cancellation_state;
    if (!left && state.cancelled() != net::cancellation_type::none) {
      left = true;
      tee.leave_client();
      // Else nothing could be awaited any more.
      co_await net::this_coro::reset_cancellation_state(net::disable_cancellation());
    }
    if (tee.client_has_left() && flight.desert()) run->stop();
  }
  if (left) co_await net::this_coro::reset_cancellation_state(net::enable_terminal_cancellation());
  if (left && !run->thrown && run->result) co_return client_gone("others got the answer");
  if (run->thrown && tee.client_has_left()) co_return client_gone("cancelled");
  if (run->thrown) std::rethrow_exception(run->thrown);
  co_return std::move(run->result);
}

}  // namespace sluice::cache
