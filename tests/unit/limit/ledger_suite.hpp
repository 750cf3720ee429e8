#pragma once
// What every ledger keeps, however it is made: a suite to be instantiated per kind of ledger, e.g.
//   INSTANTIATE_TEST_SUITE_P(Memory, LedgerSuite, testing::Values(&make_memory_harness));
// Everything runs on one thread, at times the test decides on.

#include <gtest/gtest.h>

#include <memory>
#include <span>
#include <vector>

#include "sluice/limit/ledger.hpp"

namespace sluice::limit {

class LedgerHarness {
 public:
  virtual ~LedgerHarness() = default;
  virtual Ledger& ledger() = 0;
  virtual Verdict admit(const std::vector<Take>& takes) = 0;
  virtual Standing look(const Limit& limit) = 0;
  // Both clocks go on.
  virtual void advance(milliseconds by) = 0;
  virtual WallTime now() const = 0;
  // How much longer than a window this ledger may go on counting.
  virtual nanoseconds late(std::chrono::seconds window) const = 0;
  // extend() may be refused although there is room: this ledger would have to wait for the answer.
  virtual bool extends() const { return true; }
  // How many random courses are compared with the model.
  virtual unsigned courses() const { return 20; }
};
using LedgerFactory = std::unique_ptr<LedgerHarness> (*)();

class LedgerSuite : public testing::TestWithParam<LedgerFactory> {
 protected:
  Limit rate(std::int64_t most, std::chrono::seconds window = std::chrono::seconds(60));
  Limit slots(std::int64_t most);
  Limit budget(std::int64_t most, Period period = Period::kDay);

  // Expects a grant; an empty one otherwise.
  Grant granted(const std::vector<Take>& takes);
  // Expects a refusal.
  Refusal refused(const std::vector<Take>& takes);

  std::unique_ptr<LedgerHarness> harness = GetParam()();
  int made = 0;

 private:
  Limit known(Limit limit);
};

}  // namespace sluice::limit
