#pragma once
// Work that would hold up the event loop, done beside it. For pure computation on data that the awaiting frame owns:
// the frame stays until the work is over, even when the task is cancelled meanwhile.

#include <atomic>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "sluice/core/async.hpp"

namespace sluice {

// Runs on a thread of low priority that all workers share; what waits there waits in order. Any thread.
void run_aside(std::move_only_function<void()> work);

// Awaits `work()`. Its exceptions come back here. A task that is cancelled before its work began skips it and ends as
// cancelled.
template <class Work>
Task<std::invoke_result_t<Work>> aside(Work work) {
  struct Outcome {
    std::optional<std::invoke_result_t<Work>> made;
    std::exception_ptr thrown;
  };
  auto initiate = [](auto handler, Work what) {
    auto skip = std::make_shared<std::atomic<bool>>(false);
    if (auto slot = net::get_associated_cancellation_slot(handler); slot.is_connected()) {
      slot.assign([skip](net::cancellation_type) { *skip = true; });
    }
    auto home = net::make_work_guard(net::get_associated_executor(handler));
    run_aside([skip, what = std::move(what), handler = std::move(handler), home = std::move(home)]() mutable {
      Outcome outcome;
      try {
        if (!*skip) outcome.made.emplace(what());
      } catch (...) {
        outcome.thrown = std::current_exception();
      }
      // The guard goes along: once the task is resumed, its loop may be gone.
      auto executor = home.get_executor();
      net::post(executor, [home = std::move(home), handler = std::move(handler),
                           outcome = std::move(outcome)]() mutable { std::move(handler)(std::move(outcome)); });
    });
  };
  auto outcome =
      co_await net::async_initiate<const net::deferred_t, void(Outcome)>(initiate, net::deferred, std::move(work));
  if (outcome.thrown) std::rethrow_exception(outcome.thrown);
  if (!outcome.made) throw boost::system::system_error(net::error::operation_aborted);
  co_return std::move(*outcome.made);
}

}  // namespace sluice
