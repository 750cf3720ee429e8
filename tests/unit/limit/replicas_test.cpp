// Three replicas on one Redis: what is admitted in all never exceeds a limit, and what was used is charged once,
// whatever happens to requests, replies and replicas. How many seeds and requests: SLUICE_SCALE multiplies the seeds,
// SLUICE_REQUESTS is how many requests each has.

#include <algorithm>
#include <array>
#include <atomic>
#include <deque>
#include <random>

#include "limit/courier.hpp"
#include "lossy_relay.hpp"
#include "replica.hpp"

namespace sluice::limit {
namespace {

using namespace std::chrono_literals;

unsigned requests() { return from_environment("SLUICE_REQUESTS", 2000); }

// A sum that never exceeds what is really on the books: raised after something was granted, lowered before it is given
// back.
class Witness {
 public:
  void raise(std::int64_t by) {
    const std::int64_t now = sum_.fetch_add(by) + by;
    std::int64_t most = most_;
    while (now > most && !most_.compare_exchange_weak(most, now)) {
    }
  }
  void lower(std::int64_t by) { sum_ -= by; }
  std::int64_t most() const { return most_; }
  std::int64_t now() const { return sum_; }

 private:
  std::atomic<std::int64_t> sum_ = 0;
  std::atomic<std::int64_t> most_ = 0;
};

struct Seen {
  Witness requests, slots, money;
  std::atomic<std::int64_t> spent = 0;  // settled
  std::atomic<int> granted = 0, refused = 0, failed = 0, left = 0;
};

Limit limit_of(Meter meter, std::string id, std::int64_t most) {
  return {.id = std::move(id), .node = "group acme", .meter = meter, .most = most, .window = 3600s};
}

class Replicas : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (support::RedisServer::installed()) redis_server();
  }
  void SetUp() override {
    if (!support::RedisServer::installed()) GTEST_SKIP() << "no redis-server";
    options.prefix = fresh_prefix();
  }
  void restart(unsigned count, std::uint16_t port = redis_server().port()) {
    replicas.clear();
    options.prefix = fresh_prefix();
    start(count, port);
  }
  void start(unsigned count, std::uint16_t port = redis_server().port(), milliseconds deadline = 20s) {
    while (replicas.size() < count) {
      replicas.push_back(
          std::make_unique<Replica>(Replica::Setup{.port = port, .options = options, .deadline = deadline}));
    }
  }
  void all_shared() {
    for (const auto& replica : replicas) {
      for (const auto stop = Clock::now() + 60s; replica->ledger().counts().local_only;) {
        ASSERT_LT(Clock::now(), stop) << "limits are still kept without Redis";
        std::this_thread::sleep_for(1ms);
      }
    }
  }
  void all_settled() {
    for (const auto& replica : replicas) {
      for (const auto stop = Clock::now() + 60s; replica->ledger().counts().waiting > 0;) {
        ASSERT_LT(Clock::now(), stop) << "settlements are still waiting";
        std::this_thread::sleep_for(1ms);
      }
    }
  }

  RedisLedgerOptions options;
  std::vector<std::unique_ptr<Replica>> replicas;
};

// One request: takes, lasts a while, and settles, or is given up.
struct Plan {
  std::vector<Take> takes;  // requests, slots or money
  std::vector<std::int64_t> used;
  milliseconds lasts{0};
  bool leaves = false;
};

Task<void> serve(Replica& replica, Seen& seen, Plan plan) {
  auto verdict = co_await replica.ledger().admit(plan.takes, Replica::now());
  if (!verdict) {
    ++seen.failed;
    co_return;
  }
  if (std::holds_alternative<Refusal>(*verdict)) {
    ++seen.refused;
    co_return;
  }
  ++seen.granted;
  Grant& grant = replica.hold(std::move(std::get<Grant>(*verdict)));
  const auto witness = [&seen](const Take& take) -> Witness& {
    if (take.limit->meter == Meter::kMoney) return seen.money;
    return take.limit->meter == Meter::kConcurrency ? seen.slots : seen.requests;
  };
  for (const Take& take : plan.takes) witness(take).raise(take.amount);
  co_await pause(plan.lasts);
  for (std::size_t i = 0; i < plan.takes.size(); ++i) {
    const bool slot = plan.takes[i].limit->meter == Meter::kConcurrency;
    const std::int64_t kept = slot || plan.leaves ? 0 : plan.used[i];
    witness(plan.takes[i]).lower(plan.takes[i].amount - kept);
    if (plan.takes[i].limit->meter == Meter::kMoney) seen.spent += kept;
  }
  if (plan.leaves) {
    ++seen.left;
  } else {
    grant.settle(plan.used);
  }
  replica.let_go(grant);
}

std::int64_t pick(std::mt19937_64& random, std::int64_t least, std::int64_t most) {
  return std::uniform_int_distribution<std::int64_t>(least, most)(random);
}

Plan random_plan(std::mt19937_64& random, const std::array<const Limit*, 3>& limits) {
  Plan plan{.takes = {}, .used = {}, .lasts = milliseconds(pick(random, 0, 30)), .leaves = pick(random, 1, 5) == 1};
  const auto which = pick(random, 1, 7);  // of the three limits, a bit each
  for (std::size_t i = 0; i < limits.size(); ++i) {
    if ((which >> i & 1) == 0) continue;
    const std::int64_t amount = limits[i]->meter == Meter::kMoney ? pick(random, 0, 5'000'000) : 1;
    plan.takes.push_back({.limit = limits[i], .amount = amount});
    plan.used.push_back(limits[i]->meter == Meter::kMoney ? pick(random, 0, amount) : amount);
  }
  return plan;
}

// What one replica knows of the three limits.
using Limits = std::array<Limit, 3>;
Limits limits_for(Replica& replica, unsigned count) {
  Limits limits = {limit_of(Meter::kRequests, "r", count / 10), limit_of(Meter::kConcurrency, "c", 50),
                   limit_of(Meter::kMoney, "m", 250'000 * std::int64_t{count})};
  for (Limit& limit : limits) replica.ledger().know(limit);
  return limits;
}

// Several thousand requests at once, on all replicas.
class Rush {
 public:
  Rush(std::vector<std::unique_ptr<Replica>>& replicas, unsigned seed) : replicas_(replicas), random_(seed) {
    for (const auto& replica : replicas_) limits_.push_back(limits_for(*replica, requests()));
  }
  void begin() {
    for (unsigned i = 0; i < requests(); ++i) begin_one(i % replicas_.size());
  }
  void begin_one(std::size_t at) {
    const Limits& own = limits_[at];
    all_.push_back(
        replicas_[at]->start(serve(*replicas_[at], seen, random_plan(random_, {&own[0], &own[1], &own[2]}))));
  }
  void end() {
    for (auto& one : all_) one.get();
    all_.clear();
  }
  void expect_nothing_over() {
    EXPECT_LE(seen.requests.most(), limits_[0][0].most);
    EXPECT_LE(seen.slots.most(), limits_[0][1].most);
    EXPECT_LE(seen.money.most(), limits_[0][2].most);
  }
  void expect_all_charged_once() {
    EXPECT_EQ(replicas_[0]->look(limits_[0][0]).used, seen.requests.now());
    const Standing money = replicas_.back()->look(limits_.back()[2]);
    EXPECT_EQ(money.used, seen.spent);
    EXPECT_EQ(money.reserved, 0);
  }
  void expect_no_slot_left() { EXPECT_EQ(replicas_.back()->look(limits_.back()[1]).reserved, 0); }
  const Limits& limits(std::size_t at) const { return limits_[at]; }

  Seen seen;

 private:
  std::vector<std::unique_ptr<Replica>>& replicas_;
  std::mt19937_64 random_;
  std::deque<Limits> limits_;  // stay where they are
  std::vector<std::future<void>> all_;
};

TEST_F(Replicas, F58F59NeverAdmitMoreThanALimitInAll) {
  int granted = 0;
  int refused = 0;
  for (unsigned seed = 1; seed <= scale() && !HasFailure(); ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    restart(3);
    Rush rush(replicas, seed);
    rush.begin();
    rush.end();
    all_settled();
    EXPECT_EQ(rush.seen.failed, 0);
    rush.expect_nothing_over();
    rush.expect_all_charged_once();
    rush.expect_no_slot_left();
    for (const auto& replica : replicas) EXPECT_EQ(replica->ledger().counts().local, 0u);
    granted += rush.seen.granted;
    refused += rush.seen.refused;
  }
  RecordProperty("granted", granted);
  RecordProperty("refused", refused);
  EXPECT_GT(granted, 100);
  EXPECT_GT(refused, 100);
}

// Requests of one and the same window of a second, as seen from outside: sent after it began, answered before it ended.
struct Moments {
  std::mutex mutex;
  std::vector<std::pair<TimePoint, TimePoint>> granted;
};

Task<void> keep_asking(Replica& replica, const Limit& limit, Moments& moments, TimePoint until) {
  while (Clock::now() < until) {
    const TimePoint sent = Clock::now();
    auto verdict = co_await replica.ledger().admit({{&limit, 1}}, Replica::now());
    const TimePoint answered = Clock::now();
    if (!verdict) co_return;
    if (auto* grant = std::get_if<Grant>(&*verdict)) {
      grant->settle(std::array<std::int64_t, 1>{1});
      const std::lock_guard lock(moments.mutex);
      moments.granted.emplace_back(sent, answered);
    } else {
      co_await pause(1ms);
    }
  }
}

TEST_F(Replicas, NeverAdmitMoreThanALimitInAnyWindow) {
  start(3);
  Moments moments;
  std::deque<Limit> limits;
  std::vector<std::future<void>> all;
  const TimePoint until = Clock::now() + 2500ms * scale();
  for (const auto& replica : replicas) {
    limits.push_back(limit_of(Meter::kRequests, "r", 100));
    limits.back().window = 1s;
    replica->ledger().know(limits.back());
    for (int i = 0; i < 20; ++i) all.push_back(replica->start(keep_asking(*replica, limits.back(), moments, until)));
  }
  for (auto& one : all) one.get();
  auto& granted = moments.granted;
  std::ranges::sort(granted);
  for (std::size_t i = 0; i < granted.size(); ++i) {
    int within = 0;
    for (std::size_t j = i; j < granted.size() && granted[j].first - granted[i].first < 1s; ++j) {
      within += granted[j].second - granted[i].first < 1s ? 1 : 0;
    }
    ASSERT_LE(within, 100) << "from grant " << i << " of " << granted.size();
  }
  // A window is over after 21 slots of 50 ms: nearly all of the limit is given out each time.
  EXPECT_GE(granted.size(), 200u);
}

// F62: the end of a month under load. Each replica's clock of the test is one and the same.
TEST_F(Replicas, F62LoseNoSpendWhenAMonthEnds) {
  const auto begun = Clock::now();
  const WallTime end_of_month = std::chrono::sys_days(std::chrono::year(2027) / 2 / 1);
  options.clock = [begun, end_of_month] {
    return end_of_month - 150ms + std::chrono::floor<milliseconds>(Clock::now() - begun);
  };
  start(3);
  Rush rush(replicas, 1);
  for (unsigned i = 0; i < requests() / 2 || Clock::now() - begun < 300ms; ++i) {
    rush.begin_one(i % 3);
    if (i % 100 == 0) std::this_thread::sleep_for(1ms);
  }
  rush.end();
  all_settled();
  EXPECT_EQ(rush.seen.failed, 0);
  const auto spent_in = [this](const char* month) {
    const std::string key = "{" + options.prefix + "}:b:m:" + month;
    EXPECT_EQ(redis_server().command({"HGET", key, "reserved"}), "0") << month;
    return std::stoll(redis_server().command({"HGET", key, "spent"}));
  };
  const auto before = spent_in("2027-01-01");
  const auto after = spent_in("2027-02-01");
  EXPECT_GT(before, 0);
  EXPECT_GT(after, 0);
  EXPECT_EQ(before + after, rush.seen.spent);
}

// F60.
TEST_F(Replicas, F60ChargeOnceWhenRepliesAreLost) {
  int repeated = 0;
  for (unsigned seed = 1; seed <= scale() && !HasFailure(); ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    LossyRelay relay(redis_server().port(), 20, seed);
    restart(3, relay.port());
    Rush rush(replicas, seed);
    for (unsigned i = 0; i < requests(); ++i) {
      rush.begin_one(i % 3);
      if (i % 20 == 0) std::this_thread::sleep_for(1ms);
    }
    rush.end();
    all_settled();
    relay.stop_losing();
    EXPECT_GT(relay.losses(), 0);
    std::uint64_t local = 0;
    for (const auto& replica : replicas) {
      const auto counts = replica->ledger().counts();
      local += counts.local;
      repeated += static_cast<int>(counts.repeated);
      EXPECT_EQ(counts.lost, 0u);
      EXPECT_EQ(counts.script_errors, 0u) << replica->log().back();
    }
    // Whoever lost two replies in a row was decided by the replica's share.
    if (local == 0) rush.expect_nothing_over();
    rush.expect_all_charged_once();
    rush.expect_no_slot_left();
  }
  RecordProperty("repeated", repeated);
  EXPECT_GT(repeated, 0);
}

Task<void> take_and_hold(Replica& replica, std::vector<Take> takes, std::atomic<int>& granted) {
  auto verdict = co_await replica.ledger().admit(std::move(takes), Replica::now());
  if (!verdict || !std::holds_alternative<Grant>(*verdict)) co_return;
  replica.hold(std::move(std::get<Grant>(*verdict)));
  ++granted;
}

// F61. A lease is a second; those of the replicas that live on are renewed.
TEST_F(Replicas, F61GiveBackWhatADeadReplicaHeldWhenItsLeasesEnd) {
  options.lease = 1s;
  start(3);
  std::vector<Limits> limits;
  for (const auto& replica : replicas) limits.push_back(limits_for(*replica, 12'000));
  for (Limits& own : limits) own[1].most = 600;
  std::atomic<int> granted = 0;
  std::vector<std::future<void>> all;
  for (int i = 0; i < 600; ++i) {
    const std::size_t at = i < 500 ? 0 : 1;
    all.push_back(
        replicas[at]->start(take_and_hold(*replicas[at], {{&limits[at][1], 1}, {&limits[at][2], 1'000'000}}, granted)));
  }
  for (auto& one : all) one.get();
  ASSERT_EQ(granted, 600);
  const auto refused = replicas[2]->admit({{&limits[2][1], 1}});
  ASSERT_TRUE(refused && std::holds_alternative<Refusal>(*refused));

  replicas[0].reset();
  const TimePoint died = Clock::now();
  EXPECT_TRUE(redis_server().wait_for({"PING"}, "PONG"));
  while (replicas[2]->look(limits[2][1]).reserved != 100 && Clock::now() - died < 20s) std::this_thread::sleep_for(5ms);
  RecordProperty("back_after_ms", static_cast<int>(std::chrono::floor<milliseconds>(Clock::now() - died).count()));
  EXPECT_EQ(replicas[2]->look(limits[2][2]).reserved, 100'000'000);
  // Three leases later the others still hold what is theirs.
  while (Clock::now() - died < 3s) std::this_thread::sleep_for(10ms);
  EXPECT_EQ(replicas[2]->look(limits[2][1]).reserved, 100);
  EXPECT_EQ(replicas[2]->look(limits[2][2]).reserved, 100'000'000);
  replicas[1].reset();
  while (replicas[2]->look(limits[2][1]).reserved != 0 && Clock::now() - died < 40s) std::this_thread::sleep_for(5ms);
  EXPECT_EQ(replicas[2]->look(limits[2][2]).reserved, 0);
  EXPECT_EQ(replicas[2]->look(limits[2][2]).used, 0);
}

// Decided by shares meanwhile, told afterwards, and exact again from then on.
TEST_F(Replicas, F53ChargeEverythingOnceWhenRedisWasFrozenUnderLoad) {
  support::RedisServer server;
  for (unsigned seed = 1; seed <= scale() && !HasFailure(); ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    replicas.clear();
    options.prefix = fresh_prefix();
    options.replicas = 3;
    start(3, server.port(), 250ms);
    Rush rush(replicas, seed);
    for (unsigned i = 0; i < requests(); ++i) {
      rush.begin_one(i % 3);
      if (i == requests() / 3) server.freeze();
      if (i % 20 == 0) std::this_thread::sleep_for(1ms);
    }
    rush.end();
    server.thaw();
    all_shared();
    all_settled();
    rush.expect_all_charged_once();
    rush.expect_no_slot_left();
    std::uint64_t local = 0;
    for (const auto& replica : replicas) {
      EXPECT_EQ(replica->ledger().counts().lost, 0u);
      local += replica->ledger().counts().local;
    }
    EXPECT_GT(local, 0u);
    rush.begin();
    rush.end();
    all_settled();
    rush.expect_all_charged_once();
    rush.expect_no_slot_left();
  }
}

// F56.
TEST_F(Replicas, F56BeginAnewWhenAllIsFlushed) {
  start(3);
  Rush rush(replicas, 1);
  for (unsigned i = 0; i < requests(); ++i) {
    rush.begin_one(i % 3);
    if (i % 200 == 100) redis_server().command({"FLUSHALL"});
    if (i % 20 == 0) std::this_thread::sleep_for(1ms);
  }
  rush.end();
  all_settled();
  EXPECT_EQ(rush.seen.failed, 0);
  rush.expect_no_slot_left();
  const Standing money = replicas[0]->look(rush.limits(0)[2]);
  EXPECT_EQ(money.reserved, 0);
  EXPECT_LE(money.used, rush.seen.spent);
  for (const auto& replica : replicas) EXPECT_EQ(replica->ledger().counts().script_errors, 0u);
  // Nothing is blocked by what was flushed.
  redis_server().command({"FLUSHALL"});
  const auto verdict = replicas[0]->admit({{&rush.limits(0)[0], rush.limits(0)[0].most}, {&rush.limits(0)[1], 1}});
  EXPECT_TRUE(verdict && std::holds_alternative<Grant>(*verdict));
  replicas[0]->post([&] { const auto dropped = std::move(const_cast<Result<Verdict>&>(verdict)); });
}

TEST_F(Replicas, KnowHowManyTheyAre) {
  options.lease = 1s;
  start(3);
  const auto all_see = [this](unsigned count) {
    for (const auto stop = Clock::now() + 20s; Clock::now() < stop; std::this_thread::sleep_for(5ms)) {
      if (std::ranges::all_of(replicas,
                              [&](const auto& replica) { return replica->ledger().counts().replicas == count; }))
        return true;
    }
    return false;
  };
  EXPECT_TRUE(all_see(3));
  replicas.back()->run(replicas.back()->ledger().finish(Clock::now() + 1s));
  replicas.pop_back();
  EXPECT_EQ(redis_server().command({"ZCARD", "{" + options.prefix + "}:replicas"}), "2");
  EXPECT_TRUE(all_see(2));
}

TEST_F(Replicas, TellEachThresholdOnce) {
  std::mutex mutex;
  std::vector<unsigned> told;
  options.on_threshold = [&](const Limit& limit, unsigned percent, Money) {
    const std::lock_guard lock(mutex);
    EXPECT_EQ(limit.id, "m");
    told.push_back(percent);
  };
  start(3);
  std::deque<Limit> limits;
  for (const auto& replica : replicas) {
    limits.push_back(limit_of(Meter::kMoney, "m", 1000));
    limits.back().alert_percent = {50, 80, 100};
    replica->ledger().know(limits.back());
  }
  for (int i = 0; i < 100; ++i) {
    Replica& replica = *replicas[static_cast<std::size_t>(i) % 3];
    auto verdict = replica.admit({{&limits[static_cast<std::size_t>(i) % 3], 10}});
    ASSERT_TRUE(verdict && std::holds_alternative<Grant>(*verdict));
    replica.post([&] { std::get<Grant>(*verdict).settle(std::array<std::int64_t, 1>{10}); });
    all_settled();
  }
  EXPECT_EQ(told, (std::vector<unsigned>{50, 80, 100}));
}

}  // namespace
}  // namespace sluice::limit
