#include "server/core_dumps.hpp"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>

namespace sluice::server {
namespace {

rlim_t core_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_CORE, &limit);
  return limit.rlim_cur;
}

TEST(CoreDumps, F50AreOffWhateverTheSystemAllowsAndComeBackOnRequest) {
  ASSERT_EQ(::prctl(PR_GET_DUMPABLE), 1);
  const rlim_t before = core_limit();
  allow_core_dumps(false);
  EXPECT_EQ(::prctl(PR_GET_DUMPABLE), 0) << "neither cores nor debuggers of the same user";
  EXPECT_EQ(core_limit(), 0U);
  allow_core_dumps(true);
  EXPECT_EQ(::prctl(PR_GET_DUMPABLE), 1);
  EXPECT_EQ(core_limit(), before);
}

}  // namespace
}  // namespace sluice::server
