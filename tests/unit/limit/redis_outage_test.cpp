// Redis is slow, away, or comes back with nothing: what one replica does meanwhile, and afterwards.

#include <array>
#include <atomic>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <deque>

#include "replica.hpp"

namespace sluice::limit {
namespace {

using namespace std::chrono_literals;
using Used = std::vector<std::int64_t>;

class RedisOutage : public testing::Test {
 protected:
  void SetUp() override {
    if (!support::RedisServer::installed()) GTEST_SKIP() << "no redis-server";
    server.emplace();
    options.replicas = 3;
  }
  void TearDown() override {
    if (!replica) return;
    replica->post([this] { grants.clear(); });
    replica.reset();
  }
  // With more patience than there is by default: a loaded machine stands still now and then.
  void start(milliseconds deadline = 250ms) {
    replica =
        std::make_unique<Replica>(Replica::Setup{.port = server->port(), .options = options, .deadline = deadline});
  }
  const Limit& know(Meter meter, std::int64_t most, Period period = Period::kMonth) {
    Limit& limit = limits.emplace_back(Limit{.id = "limit" + std::to_string(limits.size()),
                                             .node = "group acme",
                                             .meter = meter,
                                             .most = most,
                                             .window = 3600s,
                                             .period = period});
    replica->ledger().know(limit);
    return limit;
  }
  // A grant that is kept, or what came instead.
  std::string admit(std::vector<Take> takes) {
    auto verdict = replica->admit(std::move(takes));
    if (!verdict) return std::string(traits(verdict.error().kind).code);
    if (const auto* refusal = std::get_if<Refusal>(&*verdict)) return "refused " + std::to_string(refusal->index);
    grants.push_back(std::move(std::get<Grant>(*verdict)));
    return "granted";
  }
  int how_many(const std::vector<Take>& takes, int tries) {
    int granted = 0;
    for (int i = 0; i < tries; ++i) granted += admit(takes) == "granted" ? 1 : 0;
    return granted;
  }
  void settle_all(const Used& used) {
    replica->post([&] {
      for (Grant& grant : grants) grant.settle(used);
      grants.clear();
    });
  }
  template <class Condition>
  bool eventually(Condition condition) {
    for (const auto stop = Clock::now() + 30s; Clock::now() < stop; std::this_thread::sleep_for(2ms)) {
      if (condition()) return true;
    }
    return false;
  }
  RedisLedgerCounts counts() { return replica->ledger().counts(); }
  bool local(bool wanted) {
    return eventually([&] { return counts().local_only == wanted; });
  }
  bool settled() {
    return eventually([&] { return counts().waiting == 0; });
  }
  // What another replica would see.
  Standing look(const Limit& limit) {
    Standing standing;
    EXPECT_TRUE(eventually([&] {
      auto seen = replica->run(replica->ledger().look({&limit}, Replica::now()));
      if (seen) standing = (*seen)[0];
      return seen.has_value();
    }));
    return standing;
  }
  // Redis answers, and the ledger has seen it do so.
  void warm_up() {
    EXPECT_TRUE(eventually([&] { return replica->run(replica->ledger().look({}, Replica::now())).has_value(); }));
    EXPECT_TRUE(local(false));
  }

  std::optional<support::RedisServer> server;
  RedisLedgerOptions options;
  std::deque<Limit> limits;
  std::unique_ptr<Replica> replica;
  std::vector<Grant> grants;  // of the replica's thread
};

// F51.
TEST_F(RedisOutage, F51KeepsItsShareWhenThereIsNoRedisAtStart) {
  server->kill();
  start();
  const Limit& requests = know(Meter::kRequests, 10);
  const Limit& slots = know(Meter::kConcurrency, 7);
  EXPECT_EQ(how_many({{&requests, 1}}, 10), 3);
  EXPECT_EQ(how_many({{&slots, 1}}, 10), 2);
  EXPECT_TRUE(counts().local_only);
  ASSERT_FALSE(replica->log().empty());
  EXPECT_EQ(replica->log()[0], "limits: Redis is away; this replica keeps its share of every limit, 1 of 3, by itself");

  server->start();
  EXPECT_TRUE(local(false));
  EXPECT_EQ(replica->log().size(), 2u);
  EXPECT_EQ(replica->log().back(), "limits: Redis is back; limits are shared again");
  // What runs is on the shared books now.
  EXPECT_EQ(look(requests).used, 3);
  EXPECT_EQ(look(slots).reserved, 2);
  EXPECT_EQ(how_many({{&slots, 1}}, 10), 5);
  settle_all({1});
  EXPECT_TRUE(settled());
  EXPECT_EQ(look(requests).used, 3);
  EXPECT_EQ(look(slots).reserved, 0);
}

TEST_F(RedisOutage, AdmitsNothingOfALimitThatIsTooSmallToBeShared) {
  server->kill();
  start();
  const Limit& slots = know(Meter::kConcurrency, 2);
  EXPECT_TRUE(local(true));
  EXPECT_EQ(admit({{&slots, 1}}), "refused 0");
  EXPECT_TRUE(eventually([&] { return !replica->log().empty(); }));
}

TEST_F(RedisOutage, KeepsLimitsOfTheProcessApartFromThoseOfOtherReplicas) {
  start();
  Replica other({.port = server->port(), .options = options});
  Limit theirs{.id = "process|slots", .node = "process", .meter = Meter::kConcurrency, .most = 3};
  limits.push_back(theirs);
  other.ledger().know(theirs);
  replica->ledger().know(limits.back());
  warm_up();
  EXPECT_EQ(how_many({{&limits.back(), 1}}, 5), 3);
  auto verdict = other.admit({{&theirs, 1}});
  EXPECT_TRUE(verdict && std::holds_alternative<Grant>(*verdict));
  other.post([&] { verdict = Verdict(Refusal{}); });
  settle_all({});
  EXPECT_TRUE(settled());
  // Nor is it divided.
  server->kill();
  EXPECT_TRUE(local(true));
  EXPECT_EQ(how_many({{&limits.back(), 1}}, 5), 3);
}

// F53.
TEST_F(RedisOutage, F53LetsNoMoreThanFiveRequestsPayForAFrozenRedis) {
  start();
  const Limit& requests = know(Meter::kRequests, 3000);
  warm_up();
  server->freeze();
  for (int i = 0; i < 200; ++i) EXPECT_EQ(admit({{&requests, 1}}), "granted");
  EXPECT_LE(counts().unanswered, 5u);
  EXPECT_TRUE(counts().local_only);
  const auto logged = replica->log().size();
  for (int i = 0; i < 200; ++i) admit({{&requests, 1}});
  EXPECT_EQ(replica->log().size(), logged);

  settle_all({1});
  server->thaw();
  const TimePoint thawed = Clock::now();
  EXPECT_TRUE(local(false));
  RecordProperty("back_after_ms", static_cast<int>(std::chrono::floor<milliseconds>(Clock::now() - thawed).count()));
  EXPECT_TRUE(eventually([&] { return look(requests).used == 400; }));
  EXPECT_TRUE(settled());
  EXPECT_EQ(look(requests).used, 400);
}

// F52.
TEST_F(RedisOutage, F52SpendsItsShareOfWhatWasLeftAndNoMore) {
  start();
  const Limit& money = know(Meter::kMoney, 1000);
  const Limit& requests = know(Meter::kRequests, 1000);
  warm_up();
  ASSERT_EQ(admit({{&money, 100}}), "granted");
  settle_all({100});
  EXPECT_TRUE(settled());
  server->freeze();
  EXPECT_TRUE(eventually([&] {
    admit({{&requests, 1}});
    return counts().local_only;
  }));
  // (1000 - 100) / 3
  EXPECT_EQ(how_many({{&money, 50}, {&requests, 1}}, 10), 6);
  EXPECT_EQ(admit({{&money, 1}}), "budget_unavailable");
  EXPECT_EQ(admit({{&requests, 1}}), "granted");
  EXPECT_GT(counts().unavailable, 0u);

  settle_all({40});
  EXPECT_EQ(admit({{&money, 60}}), "granted");
  EXPECT_EQ(admit({{&money, 1}}), "budget_unavailable");
  server->thaw();
  EXPECT_TRUE(local(false));
  EXPECT_TRUE(settled());
  EXPECT_EQ(look(money).used, 100 + 6 * 40);
  EXPECT_EQ(look(money).reserved, 60);
  settle_all({60});
  EXPECT_TRUE(settled());
  EXPECT_EQ(look(money).used, 400);
  EXPECT_EQ(look(money).reserved, 0);
  EXPECT_EQ(counts().lost, 0u);
}

TEST_F(RedisOutage, SpendsOnWhenTheConfigurationSaysSo) {
  options.budgets_when_down = config::RedisDown::kOpen;
  server->kill();
  start();
  const Limit& money = know(Meter::kMoney, 1000);
  EXPECT_EQ(how_many({{&money, 500}}, 5), 5);
  settle_all({300});
  server->start();
  EXPECT_TRUE(local(false));
  EXPECT_TRUE(settled());
  EXPECT_EQ(look(money).used, 1500);
}

TEST_F(RedisOutage, ExtendsWhatItGrantedItselfWithinItsShare) {
  start();
  const Limit& money = know(Meter::kMoney, 900);
  warm_up();
  ASSERT_EQ(admit({{&money, 0}}), "granted");
  replica->post([&] { EXPECT_FALSE(grants.back().extend(Money::nanodollars(1))); });
  server->kill();
  EXPECT_TRUE(local(true));
  ASSERT_EQ(admit({{&money, 100}}), "granted");
  replica->post([&] {
    EXPECT_TRUE(grants.back().extend(Money::nanodollars(200)));
    EXPECT_FALSE(grants.back().extend(Money::nanodollars(1)));
  });
  settle_all({250});
  server->start();
  EXPECT_TRUE(local(false));
  EXPECT_TRUE(settled());
  EXPECT_EQ(look(money).used, 500);
  EXPECT_EQ(look(money).reserved, 0);
}

// F55, F56: killed, and back with nothing of what it knew.
TEST_F(RedisOutage, F56BooksWhatRunsAgainWhenRedisHasForgottenIt) {
  start();
  const Limit& slots = know(Meter::kConcurrency, 10);
  const Limit& money = know(Meter::kMoney, 1000);
  const Limit& requests = know(Meter::kRequests, 100);
  warm_up();
  ASSERT_EQ(how_many({{&slots, 1}, {&money, 100}, {&requests, 1}}, 4), 4);
  server->kill();
  EXPECT_TRUE(local(true));
  // (1000 - 400) / 3
  ASSERT_EQ(how_many({{&slots, 1}, {&money, 100}, {&requests, 1}}, 4), 2);
  server->start();
  EXPECT_TRUE(local(false));
  EXPECT_EQ(look(slots).reserved, 6);
  EXPECT_EQ(look(money).reserved, 600);
  EXPECT_EQ(look(requests).used, 2);
  EXPECT_EQ(how_many({{&slots, 1}}, 10), 4);
  settle_all({1, 70, 1});
  EXPECT_TRUE(settled());
  EXPECT_EQ(look(slots).reserved, 0);
  EXPECT_EQ(look(money).used, 6 * 70);
  EXPECT_EQ(look(money).reserved, 0);
  EXPECT_EQ(counts().script_errors, 0u);
}

// Frozen while requests wait: what it carries out afterwards is taken back.
TEST_F(RedisOutage, LeavesNothingOfARequestThatWasCancelledWhileRedisWasAsked) {
  start(20s);
  const Limit& slots = know(Meter::kConcurrency, 10);
  const Limit& money = know(Meter::kMoney, 1000);
  warm_up();
  server->freeze();
  net::cancellation_signal cancel;
  std::promise<std::string> ended;
  replica->post([&] {
    net::co_spawn(
        replica->io(), replica->ledger().admit({{&slots, 1}, {&money, 500}}, Replica::now()),
        net::bind_cancellation_slot(cancel.slot(), [&](const std::exception_ptr& thrown, auto verdict) {
          ended.set_value(thrown ? "thrown" : verdict ? "verdict" : std::string(traits(verdict.error().kind).code));
        }));
  });
  EXPECT_TRUE(eventually([&] {
    std::uint64_t in_flight = 0;
    replica->post([&] { in_flight = replica->client().counts().in_flight; });
    return in_flight > 0;
  }));
  replica->post([&] { cancel.emit(net::cancellation_type::terminal); });
  EXPECT_EQ(ended.get_future().get(), "client_gone");
  server->thaw();
  EXPECT_TRUE(settled());
  EXPECT_EQ(look(slots).reserved, 0);
  EXPECT_EQ(look(money).reserved, 0);
  EXPECT_EQ(look(money).used, 0);
}

TEST_F(RedisOutage, SettlesWhatEndsOnAnotherThread) {
  start();
  const Limit& slots = know(Meter::kConcurrency, 10);
  warm_up();
  ASSERT_EQ(how_many({{&slots, 1}}, 3), 3);
  grants.clear();
  EXPECT_TRUE(eventually([&] { return look(slots).reserved == 0; }));
}

TEST_F(RedisOutage, WaitsForSettlementsAtTheEndAsLongAsItMay) {
  start();
  const Limit& slots = know(Meter::kConcurrency, 10);
  warm_up();
  ASSERT_EQ(how_many({{&slots, 1}}, 5), 5);
  server->freeze();
  settle_all({});
  const TimePoint begun = Clock::now();
  replica->run(replica->ledger().finish(begun + 300ms));
  EXPECT_GE(Clock::now() - begun, 300ms);
  EXPECT_EQ(counts().waiting, 5u);
}

TEST_F(RedisOutage, CountsSettlementsThatFindNoRoom) {
  options.waiting_most = 3;
  start();
  const Limit& slots = know(Meter::kConcurrency, 10);
  warm_up();
  ASSERT_EQ(how_many({{&slots, 1}}, 5), 5);
  server->freeze();
  settle_all({});
  EXPECT_EQ(counts().waiting, 3u);
  EXPECT_EQ(counts().lost, 2u);
  const auto log = replica->log();
  EXPECT_EQ(std::ranges::count_if(log, [](const auto& line) { return line.contains("a settlement is lost"); }), 1);
}

TEST_F(RedisOutage, GivesUpASettlementWhoseOutcomeIsUnknownForTooLong) {
  options.repeat_for = 50ms;
  start();
  const Limit& slots = know(Meter::kConcurrency, 10);
  warm_up();
  ASSERT_EQ(admit({{&slots, 1}}), "granted");
  server->freeze();
  settle_all({});  // sent, and not answered in time
  EXPECT_TRUE(eventually([&] { return counts().lost == 1; }));
  EXPECT_TRUE(settled());
  server->thaw();
  EXPECT_TRUE(local(false));
  EXPECT_EQ(counts().lost, 1u);
}

// docs/limits.md names these rights.
TEST_F(RedisOutage, NeedsNoMoreRightsThanDocumented) {
  server.emplace(support::RedisOptions{
      .users = {"sluice on >secret ~{sluice}:* -@all +eval +evalsha +time +get +set +del +hget +hmget +hset +hincrby "
                "+zadd +zcard +zrem +zrangebyscore +zremrangebyscore +zremrangebyrank +pexpire +ping +role "
                "+client|setname"}});
  options.lease = 300ms;
  std::atomic<int> told = 0;
  options.on_threshold = [&told](const Limit&, unsigned, Money) { ++told; };
  replica = std::make_unique<Replica>(
      Replica::Setup{.port = server->port(), .options = options, .user = "sluice", .password = "secret"});
  const Limit& slots = know(Meter::kConcurrency, 5);
  const Limit& requests = know(Meter::kRequests, 5);
  limits.push_back({.id = "money", .node = "n", .meter = Meter::kMoney, .most = 100, .alert_percent = {50}});
  replica->ledger().know(limits.back());
  const Limit& money = limits.back();
  ASSERT_EQ(how_many({{&slots, 1}, {&requests, 1}, {&money, 90}}, 2), 1);
  EXPECT_TRUE(eventually([&] { return server->command({"ZCARD", "{sluice}:replicas"}) == "1"; }));
  settle_all({1, 0, 60});
  EXPECT_TRUE(eventually([&] { return told == 1; }));
  EXPECT_EQ(look(money).used, 60);
  ASSERT_EQ(admit({{&slots, 1}, {&money, 20}}), "granted");
  server->command({"FLUSHALL"});
  EXPECT_EQ(look(slots).reserved, 0);
  replica->post([this] { grants.clear(); });
  EXPECT_TRUE(settled());
  replica->run(replica->ledger().finish(Clock::now() + 1s));
  EXPECT_EQ(counts().script_errors, 0u);
  EXPECT_EQ(counts().local, 0u);
}

// A key that somebody else uses: the script fails, and requests are decided without it.
TEST_F(RedisOutage, DecidesByItselfWhereAScriptFails) {
  start();
  const Limit& requests = know(Meter::kRequests, 30);
  warm_up();
  server->command({"SET", "{sluice}:r:limit0", "not a hash"});
  EXPECT_EQ(how_many({{&requests, 1}}, 20), 10);
  EXPECT_EQ(counts().local, 20u);
  EXPECT_GE(counts().script_errors, 20u);
  const auto log = replica->log();
  EXPECT_EQ(std::ranges::count_if(log, [](const auto& line) { return line.contains("WRONGTYPE"); }), 1);
}

}  // namespace
}  // namespace sluice::limit
