// The client against a scripted server: replies, deadlines, cancelled calls, scripts, broken servers.

#include "sluice/redis/client.hpp"

#include <gtest/gtest.h>

#include <random>

#include "unit/redis/client_loop.hpp"
#include "unit/redis/stub.hpp"

namespace sluice::redis {
namespace {

using namespace std::chrono_literals;
using namespace testing;

// "ECHO x" is answered with x.
Answer echo(const testing::Command& command, int) {
  return polite(command, [&] { return reply(bulk(command.back())); });
}

// One reply to everything that is not login or probe.
Stub::Script always(Answer answer) {
  return [answer](const testing::Command& command, int) { return polite(command, [&] { return answer; }); };
}
// The same once; then echo.
Stub::Script once(Answer answer) {
  auto used = std::make_shared<std::atomic<bool>>(false);
  return [answer, used](const testing::Command& command, int number) {
    return polite(command, [&] { return used->exchange(true) ? echo(command, number) : answer; });
  };
}

TEST(RedisClient, GetsTheServersReplies) {
  Stub stub(echo);
  ClientLoop loop(ClientLoop::settings_for(stub.port()));
  EXPECT_EQ(loop.call({"ECHO", "hello"})->text(), "hello");
  EXPECT_EQ(loop.call({"ECHO", "a\r\nb"})->text(), "a\r\nb");
  EXPECT_TRUE(loop.client->available());
  const Counts counts = loop.client->counts();
  EXPECT_EQ(counts.replies, 2U);
  EXPECT_EQ(counts.connects, 1U);
  EXPECT_TRUE(counts.connected);
  EXPECT_EQ(counts.in_flight, 0U);
  EXPECT_EQ(stub.connections(), 1);
}

TEST(RedisClient, PipelinesAndGivesEveryCallItsOwnReply) {
  Stub stub(echo);
  ClientLoop loop(ClientLoop::settings_for(stub.port()));
  std::vector<PendingPtr> calls;
  std::vector<std::string> tags;
  for (int i = 0; i < 500; ++i) tags.push_back("tag-" + std::to_string(i));
  for (const auto& tag : tags) calls.push_back(loop.start({"ECHO", tag}));
  for (std::size_t i = 0; i < calls.size(); ++i) EXPECT_EQ(loop.finish(calls[i])->text(), tags[i]);
  EXPECT_EQ(stub.connections(), 1);
}

TEST(RedisClient, CopiesTheWordsBeforeItWaits) {
  Stub stub(echo);
  ClientLoop loop(ClientLoop::settings_for(stub.port()));
  std::string word = "before";
  auto task = loop.client->call({"ECHO", word}, kNever);
  word = "behind";
  EXPECT_EQ(loop.finish(loop.start(std::move(task)))->text(), "before");
}

TEST(RedisClient, ReadsRepliesThatAreCutAnywhere) {
  const std::string bytes = "*3\r\n$5\r\nhello\r\n:42\r\n*1\r\n$-1\r\n";
  Stub stub(always(reply(bytes)));
  ClientLoop loop(ClientLoop::settings_for(stub.port()));
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    stub.cut_at(cut);
    const auto call = loop.call({"X"});
    ASSERT_TRUE(call->ok()) << cut;
    const Reply& got = **call->result;
    ASSERT_EQ(got.items.size(), 3U) << cut;
    EXPECT_EQ(got.items[0].text, "hello");
    EXPECT_EQ(got.items[1].integer, 42);
    EXPECT_TRUE(got.items[2].items.at(0).is_nil());
  }
  EXPECT_EQ(stub.connections(), 1);
}

TEST(RedisClient, LogsInBeforeTheFirstCommand) {
  Stub stub(echo);
  Settings settings = ClientLoop::settings_for(stub.port());
  settings.user = "app";
  settings.password = Secret("s3cret");
  settings.database = 2;
  ClientLoop loop(settings);
  loop.call({"ECHO", "x"});
  const auto commands = stub.commands();
  ASSERT_GE(commands.size(), 4U);
  EXPECT_EQ(commands[0], (testing::Command{"AUTH", "app", "s3cret"}));
  EXPECT_EQ(commands[1], (testing::Command{"SELECT", "2"}));
  EXPECT_EQ(commands[2], (testing::Command{"CLIENT", "SETNAME", "sluice"}));
  EXPECT_EQ(commands.back(), (testing::Command{"ECHO", "x"}));
}

TEST(RedisClient, TellsWhyItCannotLogInButNeverThePassword) {
  Stub stub([](const testing::Command& command, int) {
    if (command[0] == "AUTH") return reply("-WRONGPASS " + command.back() + " is wrong\r\n");
    return reply("-NOAUTH " + command.back() + "\r\n");
  });
  Settings settings = ClientLoop::settings_for(stub.port());
  settings.password = Secret("hunter2-hunter2");
  ClientLoop loop(settings);
  const auto call = loop.call({"ECHO", "hunter2-hunter2"});
  EXPECT_EQ(call->kind(), ErrorKind::kRedisUnavailable);
  EXPECT_TRUE(call->detail().starts_with("auth: ")) << call->detail();
  ASSERT_EQ(loop.log.size(), 1U);
  EXPECT_NE(loop.log[0].find("WRONGPASS"), std::string::npos) << loop.log[0];
  EXPECT_EQ((loop.log[0] + call->detail()).find("hunter2"), std::string::npos);
  EXPECT_FALSE(loop.client->available());
}

TEST(RedisClient, LeavesErrorsThatAreTheCallersAffairToTheCaller) {
  Stub stub(always(reply("-WRONGTYPE Operation against a key holding the wrong kind of value\r\n")));
  ClientLoop loop(ClientLoop::settings_for(stub.port()));
  for (int i = 0; i < 20; ++i) {
    const auto call = loop.call({"INCR", "list"});
    ASSERT_TRUE(call->ok());
    EXPECT_EQ((*call->result)->error_code(), "WRONGTYPE");
  }
  EXPECT_TRUE(loop.client->available());
  EXPECT_EQ(loop.client->counts().refused, 20U);
}

// F54: the connection is gone before a late reply can be taken for another one.
TEST(RedisClient, NeverTakesALateReplyForAnother) {
  Stub stub([](const testing::Command& command, int number) {
    if (command[0] != "ECHO") return echo(command, number);
    thread_local std::mt19937 random(1);
    Answer late = reply(bulk(command.back()));
    late.delay = milliseconds(std::uniform_int_distribution(10, 50)(random));
    return late;
  });
  Settings settings = ClientLoop::settings_for(stub.port());
  settings.deadline = 30ms;
  settings.failures_to_open = 1'000'000;
  ClientLoop loop(settings);
  std::size_t answered = 0, failed = 0;
  for (int i = 0; i < 60; ++i) {
    const std::string tags[] = {std::to_string(i) + "a", std::to_string(i) + "b", std::to_string(i) + "c"};
    std::vector<PendingPtr> calls;
    for (const auto& tag : tags) calls.push_back(loop.start({"ECHO", tag}));
    for (std::size_t j = 0; j < calls.size(); ++j) {
      loop.finish(calls[j]);
      if (calls[j]->ok()) {
        EXPECT_EQ(calls[j]->text(), tags[j]);
        ++answered;
      } else {
        ++failed;
      }
    }
  }
  EXPECT_GT(failed, 0U);
  EXPECT_GT(loop.failures(Failure::kTimeout), 0U);
  EXPECT_EQ(answered + failed, 180U);
  EXPECT_EQ(loop.client->counts().desyncs, 0U);
  EXPECT_GT(stub.connections(), 1);
}

TEST(RedisClient, GivesUpTheConnectionAndWhatIsInFlightOnItAtAMissedDeadline) {
  Stub stub([](const testing::Command& command, int number) {
    return command.back() == "mute" ? silence() : echo(command, number);
  });
  Settings settings = ClientLoop::settings_for(stub.port());
  settings.deadline = 200ms;
  ClientLoop loop(settings);
  ASSERT_TRUE(loop.recovers());
  const auto begun = Clock::now();
  const auto first = loop.start({"ECHO", "mute"});
  loop.run_until([&] { return stub.count("ECHO") == 1; });
  loop.run_until([&] { return Clock::now() > begun + 100ms; });
  const auto second = loop.start({"ECHO", "mute"});
  loop.finish(first);
  loop.finish(second);
  EXPECT_TRUE(first->detail().starts_with("timeout: no reply within 200 ms")) << first->detail();
  EXPECT_TRUE(second->detail().starts_with("closed: ")) << second->detail();
  EXPECT_GE(first->ended - begun, 200ms);
  EXPECT_EQ(loop.call({"ECHO", "x"})->text(), "x");
  EXPECT_EQ(stub.connections(), 2);
  EXPECT_TRUE(loop.run_until([&] { return stub.open_connections() == 1; })) << "the first one is closed";
}

TEST(RedisClient, LetsACallerGoEarlierWithoutGivingUpTheConnection) {
  Stub stub([](const testing::Command& command, int number) {
    Answer answer = echo(command, number);
    answer.held = command.back() == "held";
    return answer;
  });
  ClientLoop loop(ClientLoop::settings_for(stub.port()));
  ASSERT_TRUE(loop.recovers());
  const auto impatient = loop.finish(loop.start({"ECHO", "held"}, Clock::now() + 20ms));
  EXPECT_TRUE(impatient->detail().starts_with("timeout: ")) << impatient->detail();
  EXPECT_EQ(loop.client->counts().in_flight, 1U);
  const auto next = loop.start({"ECHO", "next"});
  stub.release();
  EXPECT_EQ(loop.finish(next)->text(), "next") << "and not what the one before was to get";
  EXPECT_EQ(stub.connections(), 1);
}

TEST(RedisClient, SendsNothingForACallerWithoutTime) {
  Stub stub(echo);
  ClientLoop loop(ClientLoop::settings_for(stub.port()));
  ASSERT_TRUE(loop.recovers());
  const auto late = loop.finish(loop.start({"ECHO", "x"}, Clock::now() - 1ms));
  EXPECT_TRUE(late->detail().starts_with("timeout: ")) << late->detail();
  EXPECT_EQ(loop.call({"ECHO", "y"})->text(), "y");
  EXPECT_EQ(stub.count("ECHO"), 1U);
}

TEST(RedisClient, DropsTheReplyOfACallThatWasCancelled) {
  Stub stub([](const testing::Command& command, int number) {
    Answer answer = echo(command, number);
    answer.held = command.back() == "held";
    return answer;
  });
  ClientLoop loop(ClientLoop::settings_for(stub.port()));
  ASSERT_TRUE(loop.recovers());
  const auto gone = loop.start({"ECHO", "held"});
  const auto stays = loop.start({"ECHO", "stays"});
  loop.run_until([&] { return stub.count("ECHO") >= 1; });
  gone->cancel.emit(net::cancellation_type::terminal);
  loop.finish(gone);
  EXPECT_EQ(gone->kind(), ErrorKind::kClientGone);
  EXPECT_FALSE(stays->over());
  stub.release();
  EXPECT_EQ(loop.finish(stays)->text(), "stays");
  EXPECT_EQ(stub.connections(), 1);
  EXPECT_EQ(loop.client->counts().cancelled, 1U);
  EXPECT_EQ(loop.client->counts().desyncs, 0U);
}

// The command of a cancelled call still shows that the server is dead.
TEST(RedisClient, CountsTheDeadlineOfACallThatWasCancelled) {
  Stub stub([](const testing::Command& command, int number) {
    return command[0] == "ECHO" ? silence() : echo(command, number);
  });
  Settings settings = ClientLoop::settings_for(stub.port());
  settings.deadline = 50ms;
  settings.failures_to_open = 1;
  settings.probe_interval = kPatience;
  ClientLoop loop(settings);
  ASSERT_TRUE(loop.run_until([&] { return loop.client->counts().connected; }));
  const auto gone = loop.start({"ECHO", "x"});
  loop.run_until([&] { return stub.count("ECHO") == 1; });
  gone->cancel.emit(net::cancellation_type::terminal);
  EXPECT_TRUE(loop.run_until([&] { return !loop.client->available(); }));
  EXPECT_EQ(loop.failures(Failure::kTimeout), 1U);
}

TEST(RedisClient, RefusesMoreThanItMayHaveInFlight) {
  Stub stub([](const testing::Command& command, int number) {
    Answer answer = echo(command, number);
    answer.held = command[0] == "ECHO";
    return answer;
  });
  Settings settings = ClientLoop::settings_for(stub.port());
  settings.max_in_flight = 3;
  ClientLoop loop(settings);
  std::vector<PendingPtr> calls;
  for (int i = 0; i < 4; ++i) calls.push_back(loop.start({"ECHO", "x"}));
  EXPECT_TRUE(loop.finish(calls[3])->detail().starts_with("full: ")) << calls[3]->detail();
  stub.release();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(loop.finish(calls[static_cast<std::size_t>(i)])->ok());
  EXPECT_TRUE(loop.client->available());
}

TEST(RedisClient, SendsAScriptWhenTheServerDoesNotHaveIt) {
  const Script script("return ARGV[1]");
  std::atomic<bool> known = false;
  Stub stub([&](const testing::Command& command, int) {
    return polite(command, [&] {
      if (command[0] == "EVAL") known = true;
      return known ? reply(bulk(command.back())) : reply("-NOSCRIPT No matching script. Please use EVAL.\r\n");
    });
  });
  ClientLoop loop(ClientLoop::settings_for(stub.port()));
  const std::string_view keys[] = {"{t}k"}, args[] = {"one", "two"};
  for (int i = 0; i < 2; ++i)
    EXPECT_EQ(loop.finish(loop.start(loop.client->eval(script, keys, args, kNever)))->text(), "two");
  const std::string sha(script.sha1());
  std::vector<testing::Command> evals;
  for (auto& command : stub.commands()) {
    if (command[0].starts_with("EVAL")) evals.push_back(command);
  }
  EXPECT_EQ(evals, (std::vector<testing::Command>{{"EVALSHA", sha, "1", "{t}k", "one", "two"},
                                                  {"EVAL", "return ARGV[1]", "1", "{t}k", "one", "two"},
                                                  {"EVALSHA", sha, "1", "{t}k", "one", "two"}}));
  EXPECT_EQ(loop.client->counts().script_loads, 1U);
  EXPECT_EQ(loop.client->counts().replies, 2U);
}

TEST(RedisClient, SendsAScriptOnceEvenIfTheServerNeverHasIt) {
  Stub stub(always(reply("-NOSCRIPT No matching script. Please use EVAL.\r\n")));
  ClientLoop loop(ClientLoop::settings_for(stub.port()));
  const Script script("return 1");
  const auto call = loop.finish(loop.start(loop.client->eval(script, {}, {}, kNever)));
  ASSERT_TRUE(call->ok());
  EXPECT_EQ((*call->result)->error_code(), "NOSCRIPT");
  EXPECT_EQ(stub.count("EVALSHA"), 1U);
  EXPECT_EQ(stub.count("EVAL"), 1U);
}

// F55: each of these once; the call fails with its own kind, and the next one is served.
TEST(RedisClient, SurvivesEveryErrorOfAServerThatCannotServe) {
  const std::pair<std::string, std::string> errors[] = {
      {"READONLY You can't write against a read only replica.", "readonly: "},
      {"LOADING Redis is loading the dataset in memory", "loading: "},
      {"BUSY Redis is busy running a script.", "loading: "},
      {"MASTERDOWN Link with MASTER is down", "master_down: "},
      {"CLUSTERDOWN The cluster is down", "cluster_down: "},
      {"OOM command not allowed when used memory > 'maxmemory'.", "oom: "},
      {"MISCONF Redis is configured to save RDB snapshots", "misconf: "},
      {"NOAUTH Authentication required.", "auth: "},
      {"NOPERM this user has no permissions", "no_perm: "},
      {"MOVED 1 127.0.0.1:1", "cluster_down: "},
  };
  for (const auto& [text, kind] : errors) {
    Stub stub(once(reply("-" + text + "\r\n")));
    ClientLoop loop(ClientLoop::settings_for(stub.port()));
    const auto call = loop.call({"ECHO", "x"});
    EXPECT_EQ(call->kind(), ErrorKind::kRedisUnavailable) << text;
    EXPECT_TRUE(call->detail().starts_with(kind)) << call->detail();
    EXPECT_EQ(loop.call({"ECHO", "again"})->text(), "again") << text;
    EXPECT_TRUE(loop.log.empty()) << "one failure is no news";
  }
}

TEST(RedisClient, ConnectsAnewAndChecksTheRoleAfterReadonly) {
  std::atomic<bool> master = false;
  Stub stub([&](const testing::Command& command, int number) {
    if (command[0] == "ROLE" && !master)
      return reply("*5\r\n$5\r\nslave\r\n$1\r\na\r\n:1\r\n$9\r\nconnected\r\n:0\r\n");
    if (command[0] == "ECHO" && !master) return reply("-READONLY You can't write against a read only replica.\r\n");
    return echo(command, number);
  });
  ClientLoop loop(ClientLoop::settings_for(stub.port()));
  EXPECT_TRUE(loop.call({"ECHO", "x"})->detail().starts_with("readonly: "));
  EXPECT_TRUE(loop.run_until([&] { return stub.count("ROLE") >= 3; })) << "it asks until there is a master";
  EXPECT_FALSE(loop.client->available());
  EXPECT_EQ(stub.count("ECHO"), 1U);
  master = true;
  EXPECT_TRUE(loop.recovers({"ECHO", "x"}));
  EXPECT_EQ(loop.log.size(), 2U);
}

// The replies of the server that was master come when the new one is connected to already.
TEST(RedisClient, KeepsTheNewConnectionWhateverStillComesFromTheOldOne) {
  Stub stub([](const testing::Command& command, int number) {
    if (number > 0 || command[0] != "ECHO") return echo(command, number);
    Answer answer = reply("-READONLY You can't write against a read only replica.\r\n");
    answer.held = command.back() == "held";
    return answer;
  });
  ClientLoop loop(ClientLoop::settings_for(stub.port()));
  const auto first = loop.start({"ECHO", "x"});
  const auto held = loop.start({"ECHO", "held"});
  EXPECT_TRUE(loop.finish(first)->detail().starts_with("readonly: "));
  EXPECT_EQ(loop.call({"ECHO", "new"})->text(), "new");
  stub.release();
  EXPECT_TRUE(loop.finish(held)->detail().starts_with("readonly: "));
  EXPECT_EQ(loop.call({"ECHO", "again"})->text(), "again");
  EXPECT_EQ(stub.connections(), 2);
}

// F57
TEST(RedisClient, DropsAConnectionOnWhichComesWhatIsNoReply) {
  std::string nested;
  for (int i = 0; i < 100; ++i) nested += "*1\r\n";
  for (const std::string& bytes :
       {std::string("HTTP/1.1 400 Bad Request\r\n"), std::string("$-2\r\n"), std::string("*-7\r\n"),
        std::string("*2147483647\r\n"), nested, "+" + std::string(200'000, 'x'),
        "$5000000000\r\n" + std::string(200'000, 'x'), std::string("$99999999999999999999999\r\n")}) {
    Stub stub(once(reply(bytes)));
    Settings settings = ClientLoop::settings_for(stub.port());
    settings.reply_bytes = 100'000;
    ClientLoop loop(settings);
    const auto call = loop.call({"ECHO", "x"});
    EXPECT_TRUE(call->detail().starts_with("protocol: ")) << call->detail() << " for " << bytes.substr(0, 20);
    EXPECT_EQ(loop.call({"ECHO", "again"})->text(), "again");
    EXPECT_EQ(stub.connections(), 2);
  }
}

TEST(RedisClient, DropsAConnectionOnWhichComesAReplyNobodyAskedFor) {
  Stub stub(once(reply(bulk("mine") + bulk("whose?"))));
  ClientLoop loop(ClientLoop::settings_for(stub.port()));
  EXPECT_EQ(loop.call({"ECHO", "mine"})->text(), "mine");
  EXPECT_TRUE(loop.run_until([&] { return loop.client->counts().desyncs == 1; }));
  EXPECT_EQ(loop.call({"ECHO", "next"})->text(), "next");
  EXPECT_EQ(stub.connections(), 2);
}

TEST(RedisClient, FailsWhatIsInFlightWhenTheServerLeaves) {
  for (const auto end : {Answer::End::kClose, Answer::End::kReset}) {
    for (const char* half : {"", "$5\r\nhal"}) {
      Stub stub(once({.bytes = half, .end = end}));
      ClientLoop loop(ClientLoop::settings_for(stub.port()));
      const auto call = loop.call({"ECHO", "x"});
      EXPECT_TRUE(call->detail().starts_with("closed: ")) << call->detail();
      EXPECT_EQ(loop.call({"ECHO", "again"})->text(), "again");
    }
  }
}

// The bytes of one command are more than the socket takes at once.
TEST(RedisClient, SendsWhatDoesNotFitTheSocketsBuffer) {
  Stub stub([](const testing::Command& command, int) {
    return polite(command, [&] { return reply(":" + std::to_string(command.back().size()) + "\r\n"); });
  });
  ClientLoop loop(ClientLoop::settings_for(stub.port()));
  const std::string large(20'000'000, 'x');
  const auto first = loop.start({"SET", "k", large});
  const auto second = loop.start({"SET", "k", "four"});
  EXPECT_EQ((*loop.finish(first)->result)->integer, 20'000'000);
  EXPECT_EQ((*loop.finish(second)->result)->integer, 4);
}

TEST(RedisClient, EndsCallsUnderWayWhenItIsDestroyed) {
  Stub stub([](const testing::Command& command, int number) {
    return command[0] == "ECHO" ? silence() : echo(command, number);
  });
  ClientLoop loop(ClientLoop::settings_for(stub.port()));
  const auto sent = loop.start({"ECHO", "x"});
  loop.run_until([&] { return stub.count("ECHO") == 1; });
  loop.client.reset();
  EXPECT_TRUE(loop.finish(sent)->detail().starts_with("closed: ")) << sent->detail();
  EXPECT_TRUE(loop.run_until([&] { return stub.open_connections() == 0; }));
  loop.io.restart();
  loop.io.run_for(kPatience);
  EXPECT_TRUE(loop.io.stopped()) << "nothing is left in the loop";
}

// What waits is destroyed with the loop; the sanitizers see whether anything stays behind.
TEST(RedisClient, LeavesNothingBehindWhenTheLoopEndsUnderACall) {
  Stub stub([](const testing::Command& command, int number) {
    return command[0] == "ECHO" ? silence() : echo(command, number);
  });
  PendingPtr sent, waiting;
  {
    ClientLoop loop(ClientLoop::settings_for(stub.port()));
    sent = loop.start({"ECHO", "x"});
    loop.run_until([&] { return stub.count("ECHO") == 1; });
  }
  {
    ClientLoop loop(ClientLoop::settings_for(support::refused_port()));
    waiting = loop.start({"ECHO", "x"});
  }
  EXPECT_FALSE(sent->over());
  EXPECT_FALSE(waiting->over());
}

}  // namespace
}  // namespace sluice::redis
