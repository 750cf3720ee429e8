#include "redis_harness.hpp"

namespace sluice::limit {
namespace {

std::unique_ptr<LedgerHarness> make_redis_harness() { return std::make_unique<RedisHarness>(); }
INSTANTIATE_TEST_SUITE_P(Redis, LedgerSuite, testing::Values(&make_redis_harness));

}  // namespace
}  // namespace sluice::limit
