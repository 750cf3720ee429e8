#include "memory_harness.hpp"

namespace sluice::limit {
namespace {

std::unique_ptr<LedgerHarness> make_memory_harness() { return std::make_unique<MemoryHarness>(); }
INSTANTIATE_TEST_SUITE_P(Memory, LedgerSuite, testing::Values(&make_memory_harness));

}  // namespace
}  // namespace sluice::limit
