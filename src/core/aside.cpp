#include "sluice/core/aside.hpp"

#include <sys/resource.h>

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

}  // namespace

void run_aside(std::move_only_function<void()> work) { net::post(side_thread(), std::move(work)); }

}  // namespace sluice
