// The lease that replicas have on a question: whoever holds it may leave, or run out of time, and the next one asks.

#include "integration/cache_fixture.hpp"
#include "support/redis_server.hpp"

namespace sluice::integration {
namespace {

class CacheLease : public CacheTest {
 protected:
  void SetUp() override {
    if (!RedisServer::installed()) GTEST_SKIP() << "redis-server is not installed";
    redis_.emplace();
    Scenario made = scenario("secret: \"${CACHE_SECRET}\", coalesce_wait: 1m");
    made.more += "redis: {url: \"redis://127.0.0.1:" + std::to_string(redis_->port()) + "\", deadline: 5s}\n";
    made.environment["CACHE_SECRET"] = "canary-free secret of the cache";
    start(made);
    upstream_.on(kChat).json(chat_answer());
    ASSERT_TRUE(eventually([&] { return result(question("\"seed\":0")) == "hit"; })) << "until Redis is asked";
    before_ = asked();
  }
  RawClient sent(const std::string& fields = "") { return CacheTest::sent(chat_body("m", kZero), fields); }
  std::size_t asked_since() { return asked() - before_; }

  std::optional<RedisServer> redis_;
  std::size_t before_ = 0;
};

TEST_F(CacheLease, F06WhoeverLeavesWhileHeAsksForItHoldsItNoLonger) {
  redis_->command({"CLIENT", "PAUSE", "1000", "WRITE"});  // finds go on
  RawClient raw = sent();
  EXPECT_TRUE(raw.stays_silent(100ms));
  EXPECT_EQ(asked_since(), 0U) << "it waits for its lease";
  raw.reset();
  EXPECT_TRUE(all_in_flight(0));
  redis_->command({"CLIENT", "UNPAUSE"});
  EXPECT_EQ(question().status, 200) << "and not only in a minute";
  EXPECT_EQ(asked_since(), 1U);
}

TEST_F(CacheLease, F06WhoeverLeavesWhileItIsAskedForHoldsItNoLonger) {
  now_on(kChat).hang();
  RawClient raw = sent();
  ASSERT_TRUE(upstream_.wait_for_requests(before_ + 1));
  raw.reset();
  EXPECT_TRUE(all_in_flight(0));
  now_on(kChat).json(chat_answer());
  EXPECT_EQ(question().status, 200);
}

TEST_F(CacheLease, WhenTheTimeOfTheFirstIsUpTheNextOneAsks) {
  auto gate = std::make_shared<Gate>();
  now_on(kChat).json(chat_answer("late")).hold_head_until(gate);
  RawClient hasty = sent("x-stainless-timeout: 0.5\r\n");
  ASSERT_TRUE(upstream_.wait_for_requests(before_ + 1));
  RawClient patient = sent();
  ASSERT_TRUE(all_in_flight(2));
  EXPECT_TRUE(is_error(hasty.read_response(), 504, "upstream_timeout"));
  ASSERT_TRUE(upstream_.wait_for_requests(before_ + 2)) << "the worker serves on";
  gate->open();
  const Response answer = patient.read_response();
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(asked_since(), 2U);
}

}  // namespace
}  // namespace sluice::integration
