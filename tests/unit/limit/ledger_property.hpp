#pragma once
// A random course of events on a ledger, each step compared with the model.

#include <deque>
#include <optional>
#include <random>
#include <vector>

#include "ledger_suite.hpp"
#include "reference_model.hpp"

namespace sluice::limit {

class RandomCourse {
 public:
  RandomCourse(LedgerHarness& harness, unsigned seed);
  // One event.
  void step();
  // Ends what is open; looks whether all is given back.
  void finish();

  int granted() const { return granted_; }
  int refused() const { return refused_; }
  int waited() const { return waited_; }

 private:
  struct Open {
    Grant grant;
    std::vector<LimitModel*> models;
    std::vector<LimitModel::Place> places;
    std::vector<std::int64_t> taken;
  };

  void add(Limit limit);
  void add_limits();
  std::int64_t pick(std::int64_t least, std::int64_t most);
  bool chance(int percent) { return pick(1, 100) <= percent; }
  milliseconds time_step();

  void take();
  std::vector<Take> some_takes();
  void accept(const std::vector<Take>& takes, Grant grant);
  void refuse(const std::vector<Take>& takes, const Refusal& refusal);
  void wait_for(const Take& take, milliseconds retry_after);
  void settle();
  void drop(std::size_t index, std::span<const std::int64_t> used);
  void extend();
  void look();

  LimitModel& model_of(const Take& take);
  void check_booking(const Open& open, std::size_t index, Bounds before);
  void check_standing(const LimitModel& model, const Standing& standing);

  LedgerHarness& harness_;
  std::mt19937_64 random_;
  std::deque<Limit> limits_;
  std::deque<LimitModel> models_;
  std::vector<Open> open_;
  int granted_ = 0;
  int refused_ = 0;
  int waited_ = 0;
};

}  // namespace sluice::limit
