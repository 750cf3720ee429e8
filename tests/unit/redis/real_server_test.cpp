// The client and a real redis-server: what the stub cannot show.

#include <gtest/gtest.h>

#include <cstdlib>

#include "support/redis_server.hpp"
#include "unit/redis/client_loop.hpp"

namespace sluice::redis {
namespace {

using namespace std::chrono_literals;
using support::RedisOptions;
using support::RedisServer;
using testing::ClientLoop;
using testing::kPatience;
using testing::PendingPtr;

// Sanitizers other than those of the everyday build need more time.
double slack() {
  const char* text = std::getenv("SLUICE_TIME_SLACK");
  return text != nullptr ? std::atof(text) : 1;
}

class RealRedis : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!RedisServer::installed()) GTEST_SKIP() << "there is no redis-server in PATH";
  }

  static Settings settings_for(const RedisServer& server) { return ClientLoop::settings_for(server.port()); }
  // As a gateway has them, but for a deadline that a busy machine keeps.
  static Settings defaults_for(const RedisServer& server) {
    Settings settings;
    settings.endpoints = {{"127.0.0.1", server.port()}};
    settings.deadline = 250ms;
    return settings;
  }
  // How long it takes until calls are answered again.
  static Clock::duration recovery(ClientLoop& loop) {
    const auto begun = Clock::now();
    EXPECT_TRUE(loop.recovers({"SET", "{sluice}k", "v"}));
    return Clock::now() - begun;
  }
  static auto bound(std::chrono::seconds time) { return time * slack(); }
};

TEST_F(RealRedis, AnswersEveryKindOfCommand) {
  RedisServer server;
  ClientLoop loop(settings_for(server));
  EXPECT_EQ(loop.call({"SET", "k", "a\r\nb"})->text(), "OK");
  EXPECT_EQ(loop.call({"GET", "k"})->text(), "a\r\nb");
  EXPECT_TRUE((*loop.call({"GET", "none"})->result)->is_nil());
  EXPECT_EQ((*loop.call({"INCR", "n"})->result)->integer, 1);
  EXPECT_EQ((*loop.call({"LPUSH", "k", "x"})->result)->error_code(), "WRONGTYPE");
  const auto nested = loop.call({"EVAL", "return {1, {'two', {3, false}}, redis.status_reply('FOUR')}", "0"});
  const Reply& reply = **nested->result;
  ASSERT_EQ(reply.items.size(), 3U);
  EXPECT_EQ(reply.items[1].items.at(1).items.at(0).integer, 3);
  EXPECT_TRUE(reply.items[1].items.at(1).items.at(1).is_nil());
  EXPECT_EQ(reply.items[2].kind, Reply::Kind::kStatus);
  EXPECT_NE(server.command({"CLIENT", "LIST"}).find("name=sluice"), std::string::npos);
}

TEST_F(RealRedis, PipelinesThousandsOfScripts) {
  RedisServer server;
  ClientLoop loop(settings_for(server));
  const Script script("return redis.call('INCRBY', KEYS[1], ARGV[1])");
  const std::string_view keys[] = {"sum"}, args[] = {"3"};
  for (int round = 0; round < 5; ++round) {
    std::vector<PendingPtr> calls;
    for (int i = 0; i < 1000; ++i) calls.push_back(loop.start(loop.client->eval(script, keys, args, kNever)));
    for (int i = 0; i < 1000; ++i) {
      EXPECT_EQ((*loop.finish(calls[static_cast<std::size_t>(i)])->result)->integer, 3 * (1000 * round + i + 1));
    }
    EXPECT_EQ(server.command({"SCRIPT", "FLUSH"}), "OK");
  }
  EXPECT_GE(loop.client->counts().script_loads, 5U);
  EXPECT_EQ(loop.client->counts().connects, 1U);
}

TEST_F(RealRedis, KilledUnderCallsEndsThemAndIsFoundAgain) {
  RedisServer server;
  ClientLoop loop(defaults_for(server));
  ASSERT_TRUE(loop.recovers());
  std::vector<PendingPtr> calls;
  for (int i = 0; i < 200; ++i) calls.push_back(loop.start({"INCR", "n"}));
  server.freeze();  // so that some are in flight when it dies
  loop.io.poll_one();
  server.kill();
  for (const auto& call : calls) EXPECT_TRUE(loop.finish(call)->over());
  EXPECT_TRUE(loop.run_until([&] {
    loop.call({"INCR", "n"});
    return !loop.client->available();
  }));
  EXPECT_EQ(loop.log.size(), 1U);
  server.start();
  EXPECT_LT(recovery(loop), bound(2s));
  EXPECT_EQ(loop.log.size(), 2U);
  EXPECT_EQ(loop.client->counts().desyncs, 0U);
}

TEST_F(RealRedis, FrozenCostsFiveCallsTheirDeadlineAndIsBackAtOnce) {
  RedisServer server;
  ClientLoop loop(defaults_for(server));
  ASSERT_TRUE(loop.recovers());
  server.freeze();
  int paid = 0;
  for (int i = 0; i < 200; ++i) {
    const auto call = loop.call({"INCR", "n"});
    EXPECT_EQ(call->kind(), ErrorKind::kRedisUnavailable);
    if (!call->detail().starts_with("open: ")) ++paid;
  }
  EXPECT_LE(paid, 5);
  // Longer than a probe and a connection take to be given up.
  loop.run_until([&] { return loop.client->counts().failed_connects >= 1; });
  EXPECT_FALSE(loop.client->available());
  server.thaw();
  EXPECT_LT(recovery(loop), bound(2s));
  EXPECT_EQ(loop.log.size(), 2U);
}

TEST_F(RealRedis, AbsentAtTheStartIsFoundWhenItComes) {
  RedisServer server;
  server.stop();
  ClientLoop loop(defaults_for(server));
  EXPECT_FALSE(loop.call({"INCR", "n"})->ok());
  EXPECT_TRUE(loop.run_until([&] { return !loop.client->available(); }));
  server.start();
  EXPECT_LT(recovery(loop), bound(2s));
}

TEST_F(RealRedis, RestartedHasNoScriptsAndGetsThemAgain) {
  RedisServer server;
  ClientLoop loop(settings_for(server));
  const Script script("return {KEYS[1], ARGV[1]}");
  const std::string_view keys[] = {"k"}, args[] = {"v"};
  const auto run = [&] { return loop.finish(loop.start(loop.client->eval(script, keys, args, kNever))); };
  EXPECT_TRUE(run()->ok());
  server.restart();
  EXPECT_TRUE(loop.run_until([&] { return run()->ok(); }));
  EXPECT_EQ(loop.client->counts().script_loads, 2U);
}

TEST_F(RealRedis, WantsItsPassword) {
  RedisServer server(RedisOptions{.password = "correct-horse"});
  Settings settings = settings_for(server);
  ClientLoop without(settings);
  EXPECT_TRUE(without.call({"GET", "k"})->detail().starts_with("auth: "));
  settings.password = Secret("battery-staple");
  ClientLoop wrong(settings);
  const auto refused = wrong.call({"GET", "k"});
  EXPECT_NE(refused->detail().find("does not accept the password (WRONGPASS)"), std::string::npos) << refused->detail();
  settings.password = Secret("correct-horse");
  ClientLoop right(settings);
  EXPECT_TRUE(right.call({"GET", "k"})->ok());
}

TEST_F(RealRedis, LetsAUserDoWhatItsRulesSay) {
  RedisServer server(RedisOptions{.users = {"app on >app-secret ~{sluice}* +@all -flushall -role -client"}});
  Settings settings = settings_for(server);
  settings.user = "app";
  settings.password = Secret("app-secret");
  settings.database = 3;
  ClientLoop loop(settings);
  EXPECT_EQ(loop.call({"SET", "{sluice}k", "v"})->text(), "OK");
  EXPECT_TRUE(loop.call({"SET", "other", "v"})->detail().starts_with("no_perm: "));
  EXPECT_TRUE(loop.call({"FLUSHALL"})->detail().starts_with("no_perm: "));
  EXPECT_NE(server.command({"INFO", "keyspace"}).find("db3:keys=1"), std::string::npos);
  // Its connections are closed, and new ones refused.
  server.command({"ACL", "DELUSER", "app"});
  EXPECT_TRUE(loop.run_until([&] { return !loop.client->available(); }));
  EXPECT_NE(loop.log.at(0).find("user app with its password"), std::string::npos) << loop.log.at(0);
  server.command({"ACL", "SETUSER", "app", "on", ">app-secret", "~*", "+@all"});
  EXPECT_TRUE(loop.recovers());
}

TEST_F(RealRedis, FullMemoryHasItsOwnKind) {
  RedisServer server(RedisOptions{.more = {"maxmemory 1", "maxmemory-policy noeviction"}});
  ClientLoop loop(settings_for(server));
  EXPECT_TRUE(loop.call({"SET", "k", "v"})->detail().starts_with("oom: "));
  const Script script("return redis.call('SET', KEYS[1], 'v')");
  const std::string_view keys[] = {"k"};
  const auto scripted = loop.finish(loop.start(loop.client->eval(script, keys, {}, kNever)));
  EXPECT_TRUE(scripted->detail().starts_with("oom: ")) << scripted->detail();
  server.command({"CONFIG", "SET", "maxmemory", "0"});
  EXPECT_TRUE(loop.recovers({"SET", "k", "v"}));
}

TEST_F(RealRedis, BecomingAReplicaIsNoticedByTheFirstWrite) {
  RedisServer server;
  ClientLoop loop(settings_for(server));
  EXPECT_TRUE(loop.call({"SET", "k", "v"})->ok());
  server.command({"REPLICAOF", "127.0.0.1", std::to_string(support::refused_port())});
  EXPECT_FALSE(loop.call({"SET", "k", "v"})->ok());
  EXPECT_TRUE(loop.run_until([&] { return !loop.client->available(); }));
  EXPECT_NE(loop.log.at(0).find("readonly: "), std::string::npos) << loop.log.at(0);
  server.command({"REPLICAOF", "NO", "ONE"});
  EXPECT_TRUE(loop.recovers({"SET", "k", "v"}));
}

TEST_F(RealRedis, ALargerReplyThanAllowedEndsTheConnectionOnly) {
  RedisServer server;
  ClientLoop loop(settings_for(server));
  const std::string large(2 << 20, 'x');
  EXPECT_TRUE(loop.call({"SET", "k", large})->ok());
  EXPECT_TRUE(loop.call({"GET", "k"})->detail().starts_with("protocol: a reply is too large"));
  EXPECT_EQ((*loop.call({"STRLEN", "k"})->result)->integer, 2 << 20);
}

TEST_F(RealRedis, OverTlsIsBelievedByItsCertificateAlone) {
  using enum support::Certificate;
  const std::pair<support::Certificate, std::string> cases[] = {{kGood, ""},
                                                                {kWrongName, "IP address mismatch"},
                                                                {kExpired, "expired"},
                                                                {kUnknownCa, "unable to get local issuer"}};
  for (const auto& [certificate, why] : cases) {
    RedisServer server(RedisOptions{.password = "over-tls-only", .tls = certificate});
    Settings settings = settings_for(server);
    settings.tls = true;
    settings.ca_file = server.ca_file();
    settings.password = Secret("over-tls-only");
    ClientLoop checking(settings);
    const auto call = checking.call({"SET", "k", "v"});
    EXPECT_EQ(call->ok(), why.empty()) << why;
    if (!why.empty()) {
      EXPECT_TRUE(call->detail().starts_with("tls: ")) << call->detail();
      EXPECT_NE(call->detail().find(why), std::string::npos) << call->detail();
    }
    settings.tls_verify = false;
    ClientLoop trusting(settings);
    EXPECT_TRUE(trusting.call({"SET", "k", "v"})->ok()) << why;
  }
}

TEST_F(RealRedis, OverTlsCarriesWhatIsLargerThanARecord) {
  RedisServer server(RedisOptions{.tls = support::Certificate::kGood});
  Settings settings = settings_for(server);
  settings.endpoints[0].host = "localhost";
  settings.tls = true;
  settings.ca_file = server.ca_file();
  settings.reply_bytes = 10 << 20;
  ClientLoop loop(settings);
  std::string large(5 << 20, 'x');
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>('a' + i % 23);
  const auto set = loop.start({"SET", "k", large});
  const auto get = loop.start({"GET", "k"});
  EXPECT_TRUE(loop.finish(set)->ok());
  EXPECT_TRUE(loop.finish(get)->text() == large);
}

TEST_F(RealRedis, ThatSpeaksNoTlsIsReportedAsThat) {
  RedisServer server;
  Settings settings = settings_for(server);
  settings.tls = true;
  settings.connect_timeout = 500ms;
  ClientLoop loop(settings);
  EXPECT_FALSE(loop.call({"GET", "k"})->ok());
  EXPECT_FALSE(loop.client->available());
}

}  // namespace
}  // namespace sluice::redis
