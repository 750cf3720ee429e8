// Three targets in a simulated clock: requests come at a steady rate, go where choose() sends them, and on a fault to
// the next target as far as the budget lets them.

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <queue>
#include <random>
#include <vector>

#include "routing/retry_budget.hpp"
#include "routing/target_board.hpp"

namespace sluice::routing {
namespace {

using namespace std::chrono_literals;
constexpr TimePoint kStart{1h};

class World {
 public:
  // How likely an attempt that ends then is to end well.
  using Health = std::function<double(TimePoint)>;

  World(Strategy strategy, std::vector<Health> healths) : strategy_(strategy), healths_(std::move(healths)) {
    for (std::size_t i = 0; i < healths_.size(); ++i) states_.push_back(board_.of("up", std::to_string(i), {}));
    taken_.resize(healths_.size());
  }

  void run(TimePoint from, TimePoint to, milliseconds between = 10ms) {
    for (TimePoint at = from; at < to; at += between) {
      happen_until(at);
      request(at);
    }
    happen_until(to + 1h);
  }

  double success() const { return static_cast<double>(good_) / static_cast<double>(requests_); }
  bool within_budget() const { return static_cast<double>(attempts_) <= 1.2 * static_cast<double>(requests_) + 3; }
  std::uint64_t attempts() const { return attempts_; }
  std::uint64_t requests() const { return requests_; }
  std::uint64_t taken(std::size_t target) const { return taken_[target]; }
  TargetView view(std::size_t target, TimePoint now) const { return states_[target]->view(now); }

 private:
  struct Request {
    Order order;
    std::size_t next = 0;
    bool tried = false;
    std::optional<TargetState::Attempt> attempt;
  };
  struct Event {
    TimePoint at;
    std::function<void()> what;
    bool operator>(const Event& other) const { return at > other.at; }
  };

  void happen_until(TimePoint to) {
    while (!events_.empty() && events_.top().at <= to) {
      const auto what = events_.top().what;
      events_.pop();
      what();
    }
  }

  void request(TimePoint now) {
    ++requests_;
    budget_.earn(now);
    std::vector<Candidate> candidates;
    for (const auto& state : states_) candidates.push_back(state->candidate(now));
    auto one = std::make_shared<Request>();
    one->order = choose(candidates, strategy_, {.turn = requests_, .random = random_(), .key = random_()});
    go_on(one, now);
  }

  void go_on(const std::shared_ptr<Request>& one, TimePoint now) {
    while (one->next < one->order.size()) {
      const std::size_t target = one->order[one->next++];
      one->attempt.reset();
      if (auto attempt = states_[target]->begin(now)) one->attempt.emplace(std::move(*attempt));
      if (!one->attempt) continue;
      if (one->tried && !budget_.try_spend(now)) return;
      one->tried = true;
      return start(one, target, now);
    }
  }

  void start(const std::shared_ptr<Request>& one, std::size_t target, TimePoint now) {
    ++attempts_;
    ++taken_[target];
    const bool good = std::uniform_real_distribution(0.0, 1.0)(random_) < healths_[target](now);
    const auto takes = good ? 200ms : 50ms;
    const TimePoint end = now + takes;
    events_.push({end, [this, one, good, takes, end] {
                    if (good) one->attempt->answered(takes, end);
                    one->attempt->ended(good ? Outcome::kGood : Outcome::kFault, end);
                    good_ += good ? 1 : 0;
                    if (!good) go_on(one, end);
                  }});
  }

  Strategy strategy_;
  std::vector<Health> healths_;
  TargetBoard board_;
  std::vector<std::shared_ptr<TargetState>> states_;
  RetryBudget budget_;
  std::mt19937_64 random_{11};
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  std::uint64_t requests_ = 0;
  std::uint64_t attempts_ = 0;
  std::uint64_t good_ = 0;
  std::vector<std::uint64_t> taken_;
};

World::Health steady(double health) {
  return [health](TimePoint) { return health; };
}
World::Health down_between(TimePoint from, TimePoint to) {
  return [from, to](TimePoint now) { return now >= from && now < to ? 0.0 : 1.0; };
}

class Outage : public ::testing::TestWithParam<Strategy> {};
INSTANTIATE_TEST_SUITE_P(Strategies, Outage,
                         ::testing::Values(Strategy::kOrdered, Strategy::kWeighted, Strategy::kLeastBusy,
                                           Strategy::kLowestLatency, Strategy::kLowestCost, Strategy::kSticky));

TEST_P(Outage, F41OfOneOfThreeIsNotNoticed) {
  World world(GetParam(), {down_between(kStart + 1min, kStart + 6min), steady(1), steady(1)});
  world.run(kStart, kStart + 10min);
  EXPECT_GE(world.success(), 0.999);
  EXPECT_TRUE(world.within_budget()) << world.attempts() << " for " << world.requests();
  EXPECT_LE(world.attempts(), world.requests() + 30) << "a handful until it is ejected, and the probes";
}

TEST_P(Outage, F41FlappingOfOneOfThreeIsHardlyNoticed) {
  World world(GetParam(), {steady(0.5), steady(1), steady(1)});
  world.run(kStart, kStart + 10min);
  EXPECT_GE(world.success(), 0.999);
  EXPECT_TRUE(world.within_budget()) << world.attempts() << " for " << world.requests();
}

TEST_P(Outage, F41OneDownAndOneFlappingLeaveOne) {
  World world(GetParam(), {down_between(kStart + 1min, kStart + 6min), steady(0.5), steady(1)});
  world.run(kStart, kStart + 10min);
  EXPECT_GE(world.success(), 0.99);
  EXPECT_TRUE(world.within_budget()) << world.attempts() << " for " << world.requests();
}

TEST_P(Outage, F40OfAllThreeIsNotMultiplied) {
  const auto down = down_between(kStart, kStart + 10min);
  World world(GetParam(), {down, down, down});
  world.run(kStart, kStart + 10min);
  EXPECT_EQ(world.success(), 0);
  EXPECT_TRUE(world.within_budget());
  EXPECT_LE(world.attempts(), 100U) << "once all are ejected, probes alone go out";
}

TEST_P(Outage, F40IsOverSoonAfterItIsOver) {
  const auto down = down_between(kStart, kStart + 20s);
  World world(GetParam(), {down, down, down});
  world.run(kStart, kStart + 10min);
  EXPECT_GE(world.success(), 0.9) << "30 of 600 seconds, and one more look";
}

TEST(OutageRecovery, F41ATargetThatComesBackTakesItsShareSlowly) {
  World world(Strategy::kWeighted, {down_between(kStart, kStart + 20s), steady(1), steady(1)});
  TimePoint now = kStart;
  std::uint64_t before = 0;
  std::vector<std::uint64_t> taken;  // by the first target, in each ten seconds
  for (int i = 0; i < 9; ++i, now += 10s) {
    world.run(now, now + 10s);
    taken.push_back(world.taken(0) - before);
    before = world.taken(0);
  }
  EXPECT_LE(taken[1] + taken[2], 1U) << "ejected";
  EXPECT_GT(taken[3], 20U);
  EXPECT_LT(taken[3], 180U) << "of 333";
  EXPECT_GT(taken[4], taken[3]);
  EXPECT_GT(taken[5], taken[4]);
  EXPECT_NEAR(static_cast<double>(taken[7]), 333, 20);
}

}  // namespace
}  // namespace sluice::routing
