// What a request costs in allocations. Not under the thread sanitizer: it has its own operator new.
#if !__has_feature(thread_sanitizer)

#include "support/allocations.hpp"
#include "memory_harness.hpp"

namespace sluice::limit {
namespace {

std::size_t since(std::size_t before) { return support::allocations() - before; }

TEST(Allocations, AreThoseOfTheGrantAlone) {
  MemoryHarness harness;
  std::vector<Limit> limits(8);
  std::vector<Take> takes;
  for (std::size_t i = 0; i < limits.size(); ++i) {
    const Meter meters[] = {Meter::kRequests, Meter::kTokens, Meter::kMoney, Meter::kConcurrency};
    limits[i] = {.id = "limit" + std::to_string(i), .node = "n", .meter = meters[i % 4], .most = 1'000'000};
    harness.memory->know(limits[i]);
    takes.push_back({.limit = &limits[i], .amount = 100});
  }
  const std::vector<std::int64_t> used{100, 250, 30, 1, 100, 40, 300, 1};
  for (int round = 0; round < 3; ++round) {
    std::size_t before = support::allocations();
    Verdict verdict = harness.admit(takes);
    EXPECT_LE(since(before), 3u);
    before = support::allocations();
    std::get<Grant>(verdict).settle(used);
    EXPECT_EQ(since(before), 0u);
    harness.advance(std::chrono::hours(24));
  }
}

}  // namespace
}  // namespace sluice::limit

#endif
