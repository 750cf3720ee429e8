// The breaker, probes and reconnecting, against a scripted server.

#include <gtest/gtest.h>

#include "unit/redis/client_loop.hpp"
#include "unit/redis/stub.hpp"

namespace sluice::redis {
namespace {

using namespace std::chrono_literals;
using namespace testing;

// A server that can be told to be silent, or to answer everything with one error.
class MoodyServer {
 public:
  Stub stub{[this](const testing::Command& command, int) {
    if (silent) return silence();
    if (failing) return reply("-LOADING Redis is loading the dataset in memory\r\n");
    return polite(command, [&] { return reply(bulk(command.back())); });
  }};
  std::atomic<bool> silent = false;
  std::atomic<bool> failing = false;

  Settings settings() const {
    Settings settings = ClientLoop::settings_for(stub.port());
    settings.deadline = 250ms;  // a busy machine answers within that
    return settings;
  }
};

// F53: what a frozen server costs, and whom.
TEST(RedisAvailability, AFrozenServerCostsFiveCallsTheirDeadlineAndTheRestNothing) {
  MoodyServer server;
  Settings settings = server.settings();
  settings.probe_interval = kPatience;
  ClientLoop loop(settings);
  ASSERT_TRUE(loop.recovers({"ECHO", "x"}));
  server.silent = true;
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(loop.client->available()) << i;
    EXPECT_TRUE(loop.call({"ECHO", "x"})->detail().starts_with("timeout: "));
  }
  EXPECT_FALSE(loop.client->available());
  ASSERT_EQ(loop.log.size(), 1U);
  EXPECT_TRUE(loop.log[0].starts_with("Redis is unavailable: timeout: ")) << loop.log[0];

  const auto sent = server.stub.count("ECHO");
  const auto begun = Clock::now();
  for (int i = 0; i < 1000; ++i) {
    const auto call = loop.start({"ECHO", "x"});
    while (!call->over()) loop.io.poll_one();
    EXPECT_TRUE(call->detail().starts_with("open: "));
  }
  // Far less under no load; this bound only shows that nobody waits for a deadline.
  EXPECT_LT((Clock::now() - begun) / 1000, 20ms);
  EXPECT_EQ(server.stub.count("ECHO"), sent) << "nothing goes over the network";
  EXPECT_EQ(loop.log.size(), 1U) << "one line, not one per call";
  EXPECT_EQ(loop.failures(Failure::kOpen), 1000U);
  EXPECT_EQ(loop.client->counts().opened, 1U);
}

TEST(RedisAvailability, AProbeFindsOutThatTheServerIsBackAndThatIsToldOnce) {
  MoodyServer server;
  Settings settings = server.settings();
  settings.connect_timeout = 50ms;  // what this server did not answer it never will
  ClientLoop loop(settings);
  ASSERT_TRUE(loop.recovers({"ECHO", "x"}));
  server.silent = true;
  loop.run_until([&] {
    loop.call({"ECHO", "x"});
    return !loop.client->available();
  });
  server.silent = false;
  EXPECT_TRUE(loop.run_until([&] { return loop.client->available(); })) << "without any call";
  EXPECT_EQ(loop.call({"ECHO", "back"})->text(), "back");
  ASSERT_EQ(loop.log.size(), 2U);
  EXPECT_TRUE(loop.log[1].starts_with("Redis is available again after ")) << loop.log[1];
}

TEST(RedisAvailability, ProbesOncePerIntervalOnTheConnectionThereIs) {
  MoodyServer server;
  Settings settings = server.settings();
  settings.deadline = kPatience;
  settings.probe_interval = 100ms;
  ClientLoop loop(settings);
  ASSERT_TRUE(loop.recovers({"ECHO", "x"}));
  server.failing = true;
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(loop.call({"ECHO", "x"})->detail().starts_with("loading: "));
  EXPECT_FALSE(loop.client->available());
  const auto pings = server.stub.count("PING");
  const auto begun = Clock::now();
  EXPECT_TRUE(loop.run_until([&] { return server.stub.count("PING") == pings + 5; }));
  EXPECT_GE(Clock::now() - begun, 390ms) << "the first one comes at once";
  EXPECT_EQ(server.stub.connections(), 1);
  server.failing = false;
  EXPECT_TRUE(loop.recovers({"ECHO", "x"}));
}

TEST(RedisAvailability, ASilentServerThatIsConnectedToAnewIsGivenUpAfterTheTimeOut) {
  MoodyServer server;
  server.silent = true;
  Settings settings = server.settings();
  settings.connect_timeout = 50ms;
  ClientLoop loop(settings);
  EXPECT_TRUE(loop.run_until([&] { return loop.client->counts().failed_connects >= 3; }));
  EXPECT_FALSE(loop.client->available());
  ASSERT_EQ(loop.log.size(), 1U);
  EXPECT_NE(loop.log[0].find("timeout: 127.0.0.1:"), std::string::npos) << loop.log[0];
  server.silent = false;
  EXPECT_TRUE(loop.recovers({"ECHO", "x"}));
}

TEST(RedisAvailability, NoServerAtAllFailsCallsAtOnce) {
  Settings settings = ClientLoop::settings_for(support::refused_port());
  ClientLoop loop(settings);
  const auto first = loop.call({"ECHO", "x"});
  EXPECT_TRUE(first->detail().starts_with("closed: 127.0.0.1:")) << first->detail();
  EXPECT_FALSE(loop.client->available());
  EXPECT_FALSE(loop.client->counts().connected);
  EXPECT_TRUE(loop.call({"ECHO", "x"})->detail().starts_with("open: "));
  EXPECT_EQ(loop.log.size(), 1U);
}

TEST(RedisAvailability, AnAddressThatSwallowsPacketsCostsACallNoMoreThanItsDeadline) {
  const support::BlackholePort port;
  Settings settings = ClientLoop::settings_for(port.port());
  settings.deadline = 50ms;
  ClientLoop loop(settings);
  const auto begun = Clock::now();
  const auto call = loop.call({"ECHO", "x"});
  EXPECT_TRUE(call->detail().starts_with("timeout: no connection in time")) << call->detail();
  EXPECT_GE(call->ended - begun, 50ms);
  EXPECT_LT(call->ended - begun, 5s);
}

TEST(RedisAvailability, ANameThatIsNoneIsReported) {
  Settings settings = ClientLoop::settings_for(1);
  settings.endpoints[0].host = "nowhere.invalid";
  ClientLoop loop(settings);
  EXPECT_TRUE(loop.run_until([&] { return !loop.log.empty(); }));
  EXPECT_NE(loop.log[0].find("nowhere.invalid:1: cannot look up the name"), std::string::npos) << loop.log[0];
}

TEST(RedisAvailability, AServerThatClosesEveryConnectionIsNotAskedWithoutPause) {
  Stub stub([](const testing::Command& command, int number) {
    Answer answer = polite(command, [&] { return reply("+OK\r\n"); });
    if (command[0] == "PING") answer.end = Answer::End::kClose;
    return number < 1000 ? answer : silence();
  });
  ClientLoop loop(ClientLoop::settings_for(stub.port()));
  const auto begun = Clock::now();
  EXPECT_TRUE(loop.run_until([&] { return stub.connections() >= 10; }));
  EXPECT_GE(Clock::now() - begun, 150ms);
}

// F53, from the other side: a stall costs what was under way, not half a second of Redis.
TEST(RedisAvailability, AHiccupIsOverWithTheFirstProbe) {
  MoodyServer server;
  Settings settings = server.settings();
  settings.probe_interval = kPatience;
  ClientLoop loop(settings);
  ASSERT_TRUE(loop.recovers({"ECHO", "x"}));
  server.silent = true;
  std::vector<PendingPtr> calls;
  for (int i = 0; i < 20; ++i) calls.push_back(loop.start({"ECHO", "x"}));
  loop.run_until([&] { return server.stub.count("ECHO") >= 21; });
  server.silent = false;
  for (const auto& call : calls) EXPECT_FALSE(loop.finish(call)->ok());
  EXPECT_EQ(loop.client->counts().opened, 1U);
  EXPECT_TRUE(loop.recovers({"ECHO", "x"}));
}

TEST(RedisAvailability, OnlyAFewCallsTryAServerThatIsOnTrial) {
  MoodyServer server;
  Settings settings = server.settings();
  settings.deadline = kPatience;
  ClientLoop loop(settings);
  server.failing = true;
  EXPECT_TRUE(loop.run_until([&] { return loop.client->counts().failed_connects >= 1; }));
  server.failing = false;
  EXPECT_TRUE(loop.run_until([&] { return loop.client->available(); }));
  std::vector<PendingPtr> calls;
  for (int i = 0; i < 20; ++i) calls.push_back(loop.start({"ECHO", "x"}));
  int tried = 0;
  for (const auto& call : calls) tried += loop.finish(call)->ok() ? 1 : 0;
  EXPECT_EQ(tried, 5);
  EXPECT_EQ(loop.failures(Failure::kOpen), 15U);
  calls.clear();
  for (int i = 0; i < 20; ++i) calls.push_back(loop.start({"ECHO", "x"}));
  for (const auto& call : calls) EXPECT_TRUE(loop.finish(call)->ok());
}

TEST(RedisAvailability, AnotherReasonWhileItIsUnavailableIsToldAsWell) {
  std::atomic<bool> wants_password = false;
  Stub stub([&](const testing::Command& command, int number) {
    if (wants_password) return reply("-NOAUTH Authentication required.\r\n");
    Answer answer = polite(command, [&] { return reply("+OK\r\n"); });
    if (number < 3) answer.end = Answer::End::kReset;
    return answer;
  });
  ClientLoop loop(ClientLoop::settings_for(stub.port()));
  EXPECT_TRUE(loop.run_until([&] { return loop.client->counts().failed_connects >= 2; }));
  EXPECT_EQ(loop.log.size(), 1U);
  wants_password = true;
  EXPECT_TRUE(loop.run_until([&] { return loop.client->counts().failed_connects >= 6; }));
  ASSERT_EQ(loop.log.size(), 2U);
  EXPECT_TRUE(loop.log[1].starts_with("Redis is still unavailable: auth: ")) << loop.log[1];
}

// Memory stays full although the server answers every PING.
TEST(RedisAvailability, AnErrorThatAProbeCannotSeeCostsOneCallPerProbe) {
  std::atomic<bool> full = true;
  Stub stub([&](const testing::Command& command, int) {
    return polite(command, [&] {
      return full ? reply("-OOM command not allowed when used memory > 'maxmemory'.\r\n") : reply("+OK\r\n");
    });
  });
  ClientLoop loop(ClientLoop::settings_for(stub.port()));
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(loop.call({"SET", "k", "v"})->detail().starts_with("oom: "));
  EXPECT_FALSE(loop.client->available());
  for (int i = 1; i <= 3; ++i) {
    EXPECT_TRUE(loop.run_until([&] { return loop.client->available(); }));
    loop.call({"SET", "k", "v"});
    EXPECT_FALSE(loop.client->available());
    EXPECT_EQ(loop.failures(Failure::kOom), 5U + static_cast<unsigned>(i));
  }
  EXPECT_EQ(loop.log.size(), 1U);
  full = false;
  EXPECT_TRUE(loop.recovers({"SET", "k", "v"}));
  EXPECT_EQ(loop.log.size(), 2U);
}

TEST(RedisAvailability, CallsWaitForTheFirstConnectionWithinTheirDeadline) {
  Stub stub([](const testing::Command& command, int) {
    Answer answer = polite(command, [&] { return reply(bulk(command.back())); });
    answer.held = command[0] == "CLIENT";
    return answer;
  });
  ClientLoop loop(ClientLoop::settings_for(stub.port()));
  const auto early = loop.start({"ECHO", "early"});
  const auto gone = loop.start({"ECHO", "gone"});
  loop.run_until([&] { return stub.count("CLIENT") == 1; });
  gone->cancel.emit(net::cancellation_type::terminal);
  EXPECT_EQ(loop.finish(gone)->kind(), ErrorKind::kClientGone);
  EXPECT_FALSE(early->over());
  stub.release();
  EXPECT_EQ(loop.finish(early)->text(), "early");
  EXPECT_EQ(stub.count("ECHO"), 1U) << "what nobody waits for is not sent";
}

}  // namespace
}  // namespace sluice::redis
