// The small pure parts: errors and what they mean, the login, addresses, scripts, counts.

#include <gtest/gtest.h>

#include <set>

#include "redis/login.hpp"
#include "redis/nodes.hpp"
#include "redis/reply_reader.hpp"
#include "redis/trouble.hpp"
#include "redis/words.hpp"
#include "sluice/redis/client.hpp"

namespace sluice::redis {
namespace {

Reply error(std::string text) { return {.kind = Reply::Kind::kError, .text = std::move(text)}; }

Reply parsed(std::string_view bytes) {
  ReplyReader reader(1 << 20);
  reader.feed(bytes);
  return **reader.next();
}

TEST(FailureNames, AreAClosedSet) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kFailures; ++i) names.insert(to_string(static_cast<Failure>(i)));
  EXPECT_EQ(names,
            (std::set<std::string_view>{"timeout", "closed", "tls", "protocol", "loading", "master_down", "readonly",
                                        "cluster_down", "oom", "misconf", "auth", "no_perm", "full", "open"}));
}

TEST(ErrorReply, SaysWhetherTheServerIsAtFault) {
  EXPECT_EQ(failure_of(error("LOADING Redis is loading the dataset in memory")), Failure::kLoading);
  EXPECT_EQ(failure_of(error("BUSY Redis is busy running a script.")), Failure::kLoading);
  EXPECT_EQ(failure_of(error("READONLY You can't write against a read only replica.")), Failure::kReadonly);
  EXPECT_EQ(failure_of(error("MASTERDOWN Link with MASTER is down")), Failure::kMasterDown);
  EXPECT_EQ(failure_of(error("CLUSTERDOWN Hash slot not served")), Failure::kClusterDown);
  EXPECT_EQ(failure_of(error("OOM command not allowed when used memory > 'maxmemory'.")), Failure::kOom);
  EXPECT_EQ(failure_of(error("MISCONF Redis is configured to save RDB snapshots")), Failure::kMisconf);
  EXPECT_EQ(failure_of(error("NOAUTH Authentication required.")), Failure::kAuth);
  EXPECT_EQ(failure_of(error("WRONGPASS invalid username-password pair")), Failure::kAuth);
  EXPECT_EQ(failure_of(error("NOPERM this user has no permissions")), Failure::kNoPerm);
}

TEST(ErrorReply, IsTheCallersAffairOtherwise) {
  for (const char* text :
       {"WRONGTYPE Operation against a key", "ERR unknown command", "NOSCRIPT No matching script", "MOVED 1 a:1",
        "ASK 1 a:1", "ERR Error running script (call to f_1): @user_script:1: oh: no", "MYERROR of a script", ""}) {
    EXPECT_EQ(failure_of(error(text)), std::nullopt) << text;
    EXPECT_TRUE(judged(error(text))) << text;
  }
}

TEST(ErrorReply, IsLookedForInsideTheErrorOfAScriptAsOldServersWrapIt) {
  EXPECT_EQ(
      failure_of(error("ERR Error running script (call to f_7d0f): @user_script:1: @user_script: 1: -READONLY You "
                       "can't write against a read only replica.")),
      Failure::kReadonly);
  EXPECT_EQ(failure_of(error("ERR Error running script (call to f_7d0f): @user_script:1: -OOM command not allowed")),
            Failure::kOom);
}

TEST(ErrorReply, BecomesOneLineWhateverItHolds) {
  const auto outcome = judged(error("OOM a\nb\x01" + std::string(1000, 'x')));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().text.find_first_of("\n\x01"), std::string::npos);
  EXPECT_LT(outcome.error().text.size(), 210U);
}

TEST(Words, AreWrittenAsAnArrayOfStrings) {
  using namespace std::literals;
  std::string out;
  append_command(out, std::vector{"SET"sv, "key"sv, "a\r\n\0b"sv});
  EXPECT_EQ(out, "*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$5\r\na\r\n\0b\r\n"sv);
}

TEST(Script, HasTheNameServersKnowItBy) {
  EXPECT_EQ(Script("return 1").sha1(), "e0e1f9fabfc9d4800c877a703b823ac0578ff8db");
  EXPECT_EQ(Script("").sha1(), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
}

TEST(Login, SaysNoMoreThanItMust) {
  EXPECT_EQ(login_of({}).bytes.reveal(), "*3\r\n$6\r\nCLIENT\r\n$7\r\nSETNAME\r\n$6\r\nsluice\r\n");
}

TEST(Login, SendsUserPasswordAndDatabaseInThatOrder) {
  Settings settings;
  settings.password = Secret("pass\r\nword");
  settings.database = 3;
  EXPECT_TRUE(login_of(settings).bytes.reveal().starts_with(
      "*2\r\n$4\r\nAUTH\r\n$10\r\npass\r\nword\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n*3\r\n$6\r\nCLIENT\r\n"));
  settings.user = "app";
  EXPECT_TRUE(
      login_of(settings).bytes.reveal().starts_with("*3\r\n$4\r\nAUTH\r\n$3\r\napp\r\n$10\r\npass\r\nword\r\n"));
  EXPECT_EQ(login_of(settings).steps, (std::vector{LoginStep::kAuth, LoginStep::kSelect, LoginStep::kName}));
}

TEST(Login, ReportsARefusalWithoutWhatTheServerWrote) {
  Settings settings;
  settings.password = Secret("hunter2hunter2");
  const auto refused = refusal_of(LoginStep::kAuth, error("WRONGPASS not hunter2hunter2"), settings);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->failure, Failure::kAuth);
  EXPECT_EQ(refused->text, "the server does not accept the password (WRONGPASS)");
  const auto named = refusal_of(LoginStep::kName, error("NOAUTH Authentication required."), settings);
  ASSERT_TRUE(named);
  EXPECT_EQ(named->failure, Failure::kAuth);
}

TEST(Login, GoesOnIfOnlyTheNameWasRefused) {
  EXPECT_FALSE(refusal_of(LoginStep::kName, error("NOPERM no permissions to run 'client|setname'"), {}));
  EXPECT_FALSE(refusal_of(LoginStep::kName, error("ERR unknown command 'CLIENT'"), {}));
  EXPECT_TRUE(refusal_of(LoginStep::kName, error("ERR max number of clients reached"), {}));
  EXPECT_TRUE(refusal_of(LoginStep::kSelect, error("ERR DB index is out of range"), {}));
}

TEST(Role, TellsAMasterFromTheOthers) {
  EXPECT_FALSE(not_a_master(parsed("*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n")));
  const auto replica = not_a_master(parsed("*5\r\n$5\r\nslave\r\n$1\r\na\r\n:1\r\n$9\r\nconnected\r\n:0\r\n"));
  ASSERT_TRUE(replica);
  EXPECT_EQ(replica->failure, Failure::kReadonly);
  EXPECT_FALSE(not_a_master(error("NOPERM this user has no permissions to run the 'role' command")));
  EXPECT_TRUE(not_a_master(error("ERR unknown command")));
  EXPECT_TRUE(not_a_master(parsed("*0\r\n")));
  EXPECT_TRUE(not_a_master(parsed("+master\r\n")));
}

// The examples of the Redis cluster specification, and what redis-cli says.
TEST(Slot, IsThatOfTheHashTag) {
  EXPECT_EQ(slot_of("123456789"), 0x31c3U);
  EXPECT_EQ(slot_of("{user1000}.following"), slot_of("{user1000}.followers"));
  EXPECT_EQ(slot_of("{user1000}.following"), slot_of("user1000"));
  EXPECT_EQ(slot_of("foo{}{bar}"), slot_of("foo{}{bar}"));
  EXPECT_NE(slot_of("foo{}{bar}"), slot_of("bar"));
  EXPECT_EQ(slot_of("foo{{bar}}zap"), slot_of("{bar"));
  EXPECT_EQ(slot_of("foo{bar}{zap}"), slot_of("bar"));
  EXPECT_EQ(slot_of("foo"), 12182U);
  EXPECT_EQ(slot_of(""), 0U);
}

TEST(Sentinel, NamesTheMaster) {
  EXPECT_EQ(master_in(parsed("*2\r\n$9\r\n127.0.0.1\r\n$4\r\n6380\r\n")), (Address{"127.0.0.1", 6380}));
  for (const char* other :
       {"*-1\r\n", "$-1\r\n", "*0\r\n", "*2\r\n$0\r\n\r\n$1\r\n1\r\n", "*2\r\n$1\r\na\r\n$5\r\n70000\r\n",
        "*2\r\n$1\r\na\r\n$1\r\n0\r\n", "*2\r\n$1\r\na\r\n$2\r\n-1\r\n", "*2\r\n:1\r\n:1\r\n", "+OK\r\n",
        "-ERR no such master\r\n"}) {
    EXPECT_EQ(master_in(parsed(other)), std::nullopt) << other;
  }
}

TEST(Cluster, IsReadAsWhoServesOurSlotAndWhoElseThereIs) {
  const auto map = read_slots(parsed("*3\r\n"
                                     "*3\r\n:0\r\n:100\r\n*3\r\n$1\r\na\r\n:7000\r\n$2\r\nid\r\n"
                                     "*4\r\n:101\r\n:200\r\n*2\r\n$1\r\nb\r\n:7001\r\n*2\r\n$1\r\na\r\n:7000\r\n"
                                     "*3\r\n:201\r\n:16383\r\n*2\r\n$-1\r\n:7002\r\n"),
                              150, {"seed", 6379});
  EXPECT_EQ(map.owner, (Address{"b", 7001}));
  EXPECT_EQ(map.masters, (std::vector<Address>{{"a", 7000}, {"b", 7001}, {"seed", 7002}}));
}

TEST(Cluster, WithoutAnOwnerIsReadAsThat) {
  EXPECT_EQ(read_slots(parsed("*0\r\n"), 1, {}).owner, std::nullopt);
  EXPECT_EQ(read_slots(parsed("-ERR This instance has cluster support disabled\r\n"), 1, {}).owner, std::nullopt);
  for (const char* odd :
       {"*1\r\n:1\r\n", "*1\r\n*1\r\n:0\r\n", "*1\r\n*3\r\n:0\r\n:9\r\n:0\r\n",
        "*1\r\n*3\r\n$1\r\n0\r\n:9\r\n*2\r\n$1\r\na\r\n:1\r\n", "*1\r\n*3\r\n:0\r\n:9\r\n*2\r\n$1\r\na\r\n:99999\r\n",
        "*1\r\n*3\r\n:0\r\n:9\r\n*1\r\n$1\r\na\r\n"}) {
    EXPECT_EQ(read_slots(parsed(odd), 1, {}).owner, std::nullopt) << odd;
  }
}

TEST(Cluster, RedirectionsAreRead) {
  const Address asked{"here", 1};
  const auto moved = redirect_in(error("MOVED 3999 127.0.0.1:6381"), asked);
  ASSERT_TRUE(moved);
  EXPECT_EQ(moved->kind, RedirectKind::kMoved);
  EXPECT_EQ(moved->to, (Address{"127.0.0.1", 6381}));
  const auto ask = redirect_in(error("ASK 3999 ::1:6381"), asked);
  ASSERT_TRUE(ask);
  EXPECT_EQ(ask->kind, RedirectKind::kAsk);
  EXPECT_EQ(ask->to, (Address{"::1", 6381}));
  EXPECT_EQ(redirect_in(error("MOVED 3999 :6381"), asked)->to, (Address{"here", 6381}));
  for (const char* odd :
       {"MOVED", "MOVED 1", "MOVED 1 a", "MOVED 1 a:0", "MOVED 1 a:99999", "MOVED 1 a:x", "ERR 1 a:1"})
    EXPECT_EQ(redirect_in(error(odd), asked), std::nullopt) << odd;
}

TEST(Counts, AreAddedUp) {
  Counts one, two;
  one.replies = 1;
  one.connected = true;
  two.replies = 2;
  two.open = true;
  two.failures[0] = 4;
  two.latency[9] = 5;
  one += two;
  EXPECT_EQ(one.replies, 3U);
  EXPECT_EQ(one.failures[0], 4U);
  EXPECT_EQ(one.latency[9], 5U);
  EXPECT_TRUE(one.open);
  EXPECT_FALSE(one.connected);
}

TEST(Settings, ThatCannotWorkAreRefusedWhenTheClientIsMade) {
  net::io_context io;
  Settings settings;
  EXPECT_FALSE(make_client(io, settings, {}));
  settings.endpoints = {{"127.0.0.1", 6379}};
  EXPECT_TRUE(make_client(io, settings, {}));
  settings.endpoints.push_back({"127.0.0.1", 6380});
  EXPECT_FALSE(make_client(io, settings, {})) << "which of them?";
  settings.cluster = true;
  EXPECT_TRUE(make_client(io, settings, {}));
  settings.database = 1;
  EXPECT_FALSE(make_client(io, settings, {}));
  settings.database = 0;
  settings.sentinel_master = "main";
  EXPECT_FALSE(make_client(io, settings, {}));
  settings.cluster = false;
  settings.tls = true;
  settings.ca_file = "/nowhere/ca.pem";
  const auto made = make_client(io, settings, {});
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().find("/nowhere/ca.pem"), std::string::npos);
}

}  // namespace
}  // namespace sluice::redis
