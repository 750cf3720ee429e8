// Two targets at a time: the first to answer wins, the other one is let go.

#include "routing/latency_spread.hpp"
#include "unit/routing/support.hpp"

namespace sluice::routing {
namespace {

using namespace std::chrono_literals;
using namespace testing;

config::Config hedged() {
  config::Config config;
  for (const char* name : {"a", "b"}) config.providers[name] = upstream_provider(name);
  auto fast = model("fast", "a", "m");
  fast.targets.push_back(fast.targets.front());
  fast.targets.back().provider = "b";
  fast.hedge = config::Hedge{.percentile = std::nullopt, .after = 5ms, .least = 0ms};
  config.models = {fast};
  return config;
}

const std::string kLate = token("b") + kFinish + kDone;

TEST(Hedge, TheSecondAnswersWhileTheFirstIsSilentWhichIsLetGo) {
  Conversation one(kStreamBody);
  const auto slow = one.client.add(200, kSse, {fakes::Hang{}});
  one.client.add(200, kSse, {kLate});
  ASSERT_TRUE(one.dispatch(hedged()).has_value());
  EXPECT_EQ(one.sink.body(), kLate);
  EXPECT_TRUE(slow->destroyed);
  ASSERT_EQ(one.record.attempts.size(), 2U);
  EXPECT_EQ(one.record.attempts[0].result, "superseded");
  EXPECT_FALSE(one.record.attempts[0].hedge);
  EXPECT_TRUE(one.record.attempts[1].hedge);
  EXPECT_EQ(one.record.provider, "b");
}

TEST(Hedge, AFirstThatAnswersInTimeIsTheOnlyOne) {
  Conversation one(kStreamBody);
  one.client.add(200, kSse, {token("a"), kFinish + kDone});
  ASSERT_TRUE(one.dispatch(hedged()).has_value());
  EXPECT_EQ(one.client.asked.size(), 1U);
}

TEST(Hedge, AFirstThatFailsBeforeIsFollowedAsEver) {
  Conversation one(kStreamBody);
  one.client.add(500, kJson, {"{}"});
  one.client.add(200, kSse, {kLate});
  ASSERT_TRUE(one.dispatch(hedged()).has_value());
  ASSERT_EQ(one.record.attempts.size(), 2U);
  EXPECT_FALSE(one.record.attempts[1].hedge);
}

TEST(Hedge, ASecondThatFailsDoesNotHurtTheFirst) {
  auto config = hedged();
  Conversation one(kChatBody);
  one.client.add(fail(ErrorKind::kUpstreamReset, "gone").error());
  one.client.add(fail(ErrorKind::kUpstreamReset, "gone").error());
  const auto result = one.dispatch(config);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind, ErrorKind::kUpstreamReset);
  EXPECT_EQ(one.client.asked.size(), 2U);
}

TEST(Hedge, WhoLeavesMeanwhileEndsBoth) {
  Conversation one(kStreamBody);
  const auto first = one.client.add(200, kSse, {fakes::Hang{}});
  const auto second = one.client.add(200, kSse, {fakes::Hang{}});
  const auto stages = resolve_and_dispatch(hedged());
  net::io_context io;
  net::cancellation_signal left;
  net::basic_waitable_timer<Clock, net::wait_traits<Clock>, Executor> look(io.get_executor());
  std::function<void()> when_both = [&] {
    if (one.client.asked.size() == 2 && second->reads > 0) return left.emit(net::cancellation_type::terminal);
    look.expires_after(1ms);
    look.async_wait([&](const boost::system::error_code&) { when_both(); });
  };
  when_both();
  const auto result = fakes::run_on(io, pipeline::Next(stages)(one.exchange), left.slot());
  ASSERT_TRUE(result.has_value());
  ASSERT_FALSE(result->has_value());
  EXPECT_EQ(result->error().kind, ErrorKind::kClientGone);
  EXPECT_TRUE(first->destroyed);
  EXPECT_TRUE(second->destroyed);
  EXPECT_FALSE(one.sink.started());
}

TEST(LatencySpread, SaysNothingBeforeItHasSeenEnough) {
  LatencySpread spread;
  for (unsigned i = 1; i < LatencySpread::kEnough; ++i) spread.add(10ms);
  EXPECT_FALSE(spread.percentile(95).has_value());
  spread.add(10ms);
  EXPECT_TRUE(spread.percentile(95).has_value());
}

TEST(LatencySpread, PercentilesAreRightToWithinAFifthAndRoundedUp) {
  LatencySpread spread;
  for (int i = 1; i <= 1000; ++i) spread.add(milliseconds(i));
  for (const unsigned percent : {50U, 90U, 95U, 99U}) {
    const auto value = spread.percentile(percent);
    ASSERT_TRUE(value.has_value());
    EXPECT_GE(value->count(), percent * 10);
    EXPECT_LE(static_cast<double>(value->count()), percent * 10 * 1.2);
  }
}

TEST(LatencySpread, ForgetsWhatWasLongAgo) {
  LatencySpread spread;
  for (int i = 0; i < 4000; ++i) spread.add(1s);
  for (int i = 0; i < 40'000; ++i) spread.add(10ms);
  EXPECT_LT(*spread.percentile(95), 20ms);
}

}  // namespace
}  // namespace sluice::routing
