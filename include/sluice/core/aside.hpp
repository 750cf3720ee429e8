#pragma once
// Work that would hold up the event loop, done beside it. For pure computation on data that the awaiting frame owns:
// the frame stays until the work is over, even when the task is cancelled meanwhile.

#include <atomic>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/system/system_error.hpp>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "sluice/core/async.hpp"
#include "sluice/core/reserve.hpp"

namespace sluice {

// Work and the task that awaits it, on its way to the side thread and back. Destroyed before it is back, it takes the
// task along.
class SideJob {
 public:
  virtual ~SideJob() = default;
  virtual void work() = 0;  // throws nothing

  std::atomic<bool> skip = false;
  std::move_only_function<void()> resume;
  std::optional<net::executor_work_guard<Executor>> home;  // keeps the loop that `resume` is called on
};

// Does the work on a thread of low priority that all workers share; what waits there waits in order. Any thread, after
// reserve_operation().
void run_aside(std::unique_ptr<SideJob> job);

// Awaits `work()`. Its exceptions come back here. A task that is cancelled before its work began skips it and ends as
// cancelled.
template <class Work>
Task<std::invoke_result_t<Work>> aside(Work work) {
  struct Job final : SideJob {
    explicit Job(Work what) : what(std::move(what)) {}
    void work() override {
      try {
        if (!skip) made.emplace(what());
      } catch (...) {
        thrown = std::current_exception();
      }
    }
    Work what;
    std::optional<std::invoke_result_t<Work>> made;
    std::exception_ptr thrown;
  };
  auto made = std::make_unique<Job>(std::move(work));
  Job& job = *made;  // it stays until this task sleeps again
  auto begin = [](auto handler, std::unique_ptr<SideJob> what) {
    if (auto slot = net::get_associated_cancellation_slot(handler); slot.is_connected()) {
      slot.assign([&skip = what->skip](net::cancellation_type) { skip = true; });
    }
    what->home.emplace(net::get_associated_executor(handler));
    what->resume = std::move(handler);
    run_aside(std::move(what));
  };
  reserve_operation();
  co_await net::async_initiate<const net::deferred_t, void()>(begin, net::deferred, std::move(made));
  if (job.thrown) std::rethrow_exception(job.thrown);
  if (!job.made) throw boost::system::system_error(net::error::operation_aborted);
  co_return std::move(*job.made);
}

}  // namespace sluice
