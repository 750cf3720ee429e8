// The gateway is told to end while an answer is on its way to several clients, or is given again with its pauses.

#include <csignal>

#include "integration/cache_fixture.hpp"

namespace sluice::integration {
namespace {

class CacheDrain : public CacheTest {
 protected:
  Scenario draining(const std::string& timeout, const std::string& cache = "") const {
    Scenario made = scenario(cache, "", 2);
    made.server = "drain_grace: 0s, drain_timeout: " + timeout;
    return made;
  }
  static bool hears(RawClient& raw, std::string_view text) { return CacheTest::hears(raw, text, 10s); }
};

TEST_F(CacheDrain, F72WhoeverFollowsGetsTheRestToo) {
  auto gate = std::make_shared<Gate>();
  upstream_.on(kChat)
      .stream({role_chunk(), text_chunk("Hel")})
      .then_wait_for(gate)
      .then_stream({text_chunk("lo"), finish_chunk(), kDone});
  start(draining("20s"));
  RawClient leader = sent(stream_body("m", kZero));
  ASSERT_TRUE(hears(leader, "Hel"));
  std::vector<RawClient> followers;
  for (int i = 0; i < 4; ++i) {
    followers.push_back(sent(stream_body("m", kZero)));
    ASSERT_TRUE(hears(followers.back(), "Hel"));
  }
  gateway().signal(SIGTERM);
  EXPECT_TRUE(gateway().wait_output("drain"));
  gate->open();
  for (RawClient& raw : followers) {
    const Response response = raw.finish();
    EXPECT_TRUE(response.complete);
    EXPECT_EQ(data_of(response).back(), kDone);
  }
  EXPECT_TRUE(leader.finish().complete);
  EXPECT_EQ(asked(), 1U);
  EXPECT_EQ(gateway().wait_exit(), 0);
}

TEST_F(CacheDrain, F72WhatTakesTooLongEndsForAllOfThem) {
  upstream_.on(kChat).stream({role_chunk(), text_chunk("Hel")}).stall();
  start(draining("300ms"));
  RawClient leader = sent(stream_body("m", kZero));
  ASSERT_TRUE(hears(leader, "Hel"));
  RawClient follower = sent(stream_body("m", kZero));
  ASSERT_TRUE(hears(follower, "Hel"));
  RawClient whole = sent(chat_body("m", kZero));
  ASSERT_TRUE(eventually([&] { return gateway().metrics().sum("sluice_requests_in_flight") == 3; }));
  gateway().signal(SIGTERM);
  for (RawClient* raw : {&leader, &follower}) {
    const Response response = raw->finish();
    EXPECT_FALSE(response.complete);
    EXPECT_EQ(response.body.find(kDone), std::string::npos) << "an invented end";
  }
  EXPECT_NE(whole.read_response().status, 200);
  EXPECT_EQ(gateway().wait_exit(), 0);
}

TEST_F(CacheDrain, F72APacedReplayEndsAsAnyStream) {
  auto gate = std::make_shared<Gate>();
  upstream_.on(kChat)
      .stream({role_chunk(), text_chunk("Hel")})
      .then_wait_for(gate)
      .then_stream({text_chunk("lo"), finish_chunk(), kDone});
  Scenario paced = draining("200ms", "replay: paced");
  paced.timeouts = "idle: 30s";
  start(paced);
  RawClient first = sent(stream_body("m", kZero));
  ASSERT_TRUE(hears(first, "Hel"));
  EXPECT_TRUE(first.stays_silent(2500ms)) << "a pause longer than the gateway will wait";
  gate->open();
  EXPECT_TRUE(first.finish().complete);
  ASSERT_TRUE(eventually([&] { return gateway().metrics().sum("sluice_cache_stores_total") == 1; }));
  RawClient again = sent(stream_body("m", kZero));
  ASSERT_TRUE(hears(again, "Hel"));
  EXPECT_EQ(result(again.response()), "hit");
  gateway().signal(SIGTERM);
  const Response response = again.finish();
  EXPECT_FALSE(response.complete);
  EXPECT_EQ(response.body.find(kDone), std::string::npos);
  EXPECT_EQ(gateway().wait_exit(), 0);
}

}  // namespace
}  // namespace sluice::integration
