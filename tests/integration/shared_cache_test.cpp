// The exact cache in a Redis that several gateways share, and what becomes of it when Redis is not well.

#include <csignal>
#include <thread>

#include "integration/cache_fixture.hpp"
#include "support/paths.hpp"
#include "support/redis_server.hpp"

namespace sluice::integration {
namespace {

class SharedCache : public CacheTest {
 protected:
  void SetUp() override {
    if (!RedisServer::installed()) GTEST_SKIP() << "redis-server is not installed";
    redis_.emplace();
  }
  void TearDown() override {
    if (second_) {
      second_->signal(SIGTERM);
      EXPECT_EQ(second_->wait_exit(15s), 0);
      EXPECT_EQ(second_->sanitizer_report(), "");
    }
    CacheTest::TearDown();
  }
  Scenario shared(const std::string& cache = "") const {
    Scenario made = scenario("secret: \"${CACHE_SECRET}\"" + (cache.empty() ? "" : ", " + cache));
    made.more += "redis: {url: \"redis://127.0.0.1:" + std::to_string(redis_->port()) + "\"}\n";
    made.environment["CACHE_SECRET"] = "canary-free secret of the cache";
    return made;
  }
  void start_two(const std::string& cache = "") {
    const Scenario made = shared(cache);
    start(made);
    second_.emplace(GatewayOptions{
        .binary = sluice_binary(), .config = config_text(made, upstream_.url()), .environment = made.environment});
    ASSERT_TRUE(second_->wait_ready()) << second_->output();
    ASSERT_TRUE(in_step(gateway()) && in_step(*second_));
  }
  // Its first request is a miss for no other reason than that nobody has asked.
  bool in_step(const Gateway& gateway) {
    return eventually([&] { return gateway.metrics().sum("sluice_redis_up") >= 1; });
  }
  Response at_second(const std::string& body) {
    RawClient raw(second_->port(), {});
    raw.send(post_request(kChat, body, app_.bearer()));
    return raw.read_response();
  }
  // Until it has read what was purged, finds are misses.
  bool hits(const std::function<Response()>& ask_it) {
    return eventually([&] { return result(ask_it()) == "hit"; });
  }

  std::optional<RedisServer> redis_;
  std::optional<Gateway> second_;
};

TEST_F(SharedCache, WhatOneReplicaHasPaidForTheOtherOneGives) {
  upstream_.on(kChat).json(chat_answer());
  start_two();
  EXPECT_EQ(question().status, 200);
  ASSERT_TRUE(hits([&] { return question(); }));
  const std::size_t before = asked();
  ASSERT_TRUE(hits([&] { return at_second(chat_body("m", kZero)); }));
  EXPECT_LE(asked(), before + 1) << "but for one that may have come before it knew of purges";
  EXPECT_EQ(result(question()), "hit");
}

TEST_F(SharedCache, PurgingIsHeardByTheOtherReplica) {
  upstream_.on(kChat).json(chat_answer());
  start_two();
  ASSERT_TRUE(hits([&] { return question(); }));
  ASSERT_TRUE(hits([&] { return at_second(chat_body("m", kZero)); }));
  RawClient raw(gateway().admin_port(), {});
  raw.send(post_request("/admin/cache/purge", R"({"model":"m"})"));
  EXPECT_EQ(raw.read_response().status, 200);
  const auto purged = Clock::now();
  while (result(at_second(chat_body("m", kZero))) == "hit" && Clock::now() < purged + 5s) {
  }
  EXPECT_LT(Clock::now() - purged, 500ms) << "not only at the next look";
}

TEST_F(SharedCache, F66TwoReplicasAskOnce) {
  auto gate = std::make_shared<Gate>();
  start_two();
  upstream_.on(kChat).json(chat_answer("warm"));
  ASSERT_TRUE(hits([&] { return question("\"seed\":1"); }));
  ASSERT_TRUE(hits([&] { return at_second(chat_body("m", std::string(kZero) + ",\"seed\":1")); }));
  const std::size_t before = asked();
  now_on(kChat).json(chat_answer("once")).hold_head_until(gate);
  RawClient one = client();
  one.send(post_request(kChat, chat_body("m", kZero), app_.bearer()));
  ASSERT_TRUE(upstream_.wait_for_requests(before + 1));
  RawClient two(second_->port(), {});
  two.send(post_request(kChat, chat_body("m", kZero), app_.bearer()));
  EXPECT_TRUE(two.stays_silent(100ms));
  gate->open();
  EXPECT_EQ(one.read_response().status, 200);
  const Response followed = two.read_response();
  EXPECT_EQ(result(followed), "coalesced");
  EXPECT_NE(followed.body.find("once"), std::string::npos);
  EXPECT_EQ(asked(), before + 1);
}

TEST_F(SharedCache, F64AValueThatWasTouchedIsAMissAndGoes) {
  upstream_.on(kChat).json(chat_answer());
  start(shared());
  ASSERT_TRUE(hits([&] { return question(); }));
  const std::string keys = redis_->command({"KEYS", "*:cache:entry:*"});
  const std::string key = keys.substr(0, keys.find('\n'));
  redis_->command({"SETRANGE", key, "40", "!!!!"});
  EXPECT_EQ(result(question()), "miss");
  EXPECT_EQ(gateway().metrics().sum("sluice_cache_corrupt_total"), 1);
  EXPECT_EQ(result(question()), "hit") << "it was put there anew";
}

TEST_F(SharedCache, F52WithoutRedisItIsAMissAndItComesBack) {
  upstream_.on(kChat).json(chat_answer());
  start(shared());
  ASSERT_TRUE(hits([&] { return question(); }));
  redis_->kill();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(result(question()), "miss");
  redis_->start();
  EXPECT_TRUE(hits([&] { return question(); }));
}

TEST_F(SharedCache, F53AFrozenRedisCostsFiveRequestsItsDeadlineAndThenNothing) {
  upstream_.on(kChat).json(chat_answer());
  start(shared());
  ASSERT_TRUE(hits([&] { return question(); }));
  redis_->freeze();
  int slow = 0;
  for (int i = 0; i < 20; ++i) {
    const auto begun = Clock::now();
    EXPECT_EQ(question("\"seed\":" + std::to_string(i)).status, 200);
    slow += Clock::now() - begun > 20ms ? 1 : 0;
  }
  EXPECT_LE(slow, 5 + 2) << "and two that were slow otherwise";
  redis_->thaw();
  EXPECT_TRUE(hits([&] { return question(); }));
}

TEST_F(SharedCache, F55AFullRedisIsAMiss) {
  upstream_.on(kChat).json(chat_answer());
  start(shared());
  ASSERT_TRUE(hits([&] { return question(); }));
  redis_->command({"CONFIG", "SET", "maxmemory", "1mb"});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(question("\"seed\":9").status, 200);
  EXPECT_EQ(result(question("\"seed\":9")), "miss");
  redis_->command({"CONFIG", "SET", "maxmemory", "0"});
  EXPECT_TRUE(hits([&] { return question("\"seed\":9"); }));
}

TEST_F(SharedCache, F51ItStartsWithoutRedis) {
  upstream_.on(kChat).json(chat_answer());
  const Scenario made = shared();
  redis_->kill();
  start(made);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(result(question()), "miss");
  redis_->start();
  EXPECT_TRUE(hits([&] { return question(); }));
}

}  // namespace
}  // namespace sluice::integration
