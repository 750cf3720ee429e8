#pragma once
// A ledger in memory whose clocks stand still until they are moved. Its time may be read from any thread.

#include <atomic>
#include <memory>
#include <utility>

#include "../fakes.hpp"
#include "ledger_suite.hpp"
#include "sluice/limit/memory_ledger.hpp"

namespace sluice::limit {

// A Saturday, two days before the end of a month.
inline constexpr WallTime kSaturday = std::chrono::sys_days(std::chrono::year(2027) / 1 / 30) + std::chrono::hours(9);

class MemoryHarness final : public LedgerHarness {
 public:
  explicit MemoryHarness(OnThreshold on_threshold = nullptr, bool keep_changes = true)
      : memory(make_memory_ledger({.on_threshold = std::move(on_threshold),
                                   .keep_changes = keep_changes,
                                   .clock = [this] { return TimePoint(std::chrono::seconds(1000)) + elapsed(); }})) {}

  Ledger& ledger() override { return *memory; }
  Verdict admit(const std::vector<Take>& takes) override { return std::move(*memory->admit_now(takes, now())); }
  Standing look(const Limit& limit) override { return (*fakes::run(memory->look({&limit}, now())))[0]; }
  void advance(milliseconds by) override { elapsed_.fetch_add(by.count()); }
  WallTime now() const override { return kSaturday + elapsed(); }
  nanoseconds late(std::chrono::seconds window) const override { return nanoseconds(window) / 20; }

 private:
  milliseconds elapsed() const { return milliseconds(elapsed_.load()); }
  std::atomic<milliseconds::rep> elapsed_{0};

 public:
  const std::unique_ptr<MemoryLedger> memory;
};

}  // namespace sluice::limit
