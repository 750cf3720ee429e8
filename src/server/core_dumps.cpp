#include "server/core_dumps.hpp"

#include <sys/prctl.h>
#include <sys/resource.h>

namespace sluice::server {

// The size limit alone would not do: it does not hold for a core that goes to a handler (core(5)).
void allow_core_dumps(bool allowed) {
  static const int was_dumpable = ::prctl(PR_GET_DUMPABLE);
  static const rlimit was_limit = [] {
    rlimit limit{};
    ::getrlimit(RLIMIT_CORE, &limit);
    return limit;
  }();
  const rlimit limit{.rlim_cur = allowed ? was_limit.rlim_cur : 0, .rlim_max = was_limit.rlim_max};
  ::setrlimit(RLIMIT_CORE, &limit);
  ::prctl(PR_SET_DUMPABLE, allowed ? was_dumpable : 0);
}

}  // namespace sluice::server
