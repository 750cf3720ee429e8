#include "sluice/core/aside.hpp"

#include <sys/resource.h>

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

namespace sluice {
namespace {

constexpr int kNiceness = 5;  // the event loops come first

// Never destroyed: it may be asked for until the process ends.
net::thread_pool& side_thread() {
  static auto* pool = [] {
    auto* made = new net::thread_pool(1);
    net::post(*made, [] { ::setpriority(PRIO_PROCESS, 0, kNiceness); });  // Linux: of the calling thread
    return made;
  }();
  return *pool;
}

void come_home(std::unique_ptr<SideJob> job) {
  reserve_operation_patiently();
  // The guard goes along: once the task is resumed, its loop may be gone.
  auto home = std::move(*job->home);
  auto executor = home.get_executor();
  net::post(executor, [home = std::move(home), done = std::move(job)] { done->resume(); });
}

}  // namespace

void run_aside(std::unique_ptr<SideJob> job) {
  net::post(side_thread(), [going = std::move(job)]() mutable {
    going->work();
    come_home(std::move(going));
  });
}

}  // namespace sluice
