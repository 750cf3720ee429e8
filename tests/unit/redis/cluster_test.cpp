// Sentinel and Cluster as scripts: who is asked, who is followed, and for how long.

#include <gtest/gtest.h>

#include "redis/nodes.hpp"
#include "unit/redis/client_loop.hpp"
#include "unit/redis/stub.hpp"

namespace sluice::redis {
namespace {

using namespace testing;

std::string host_and_port(std::uint16_t port) { return "*2\r\n" + bulk("127.0.0.1") + bulk(std::to_string(port)); }

// All slots belong to one node.
std::string slots(std::uint16_t port) {
  return "*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n" + bulk("127.0.0.1") + ":" + std::to_string(port) + "\r\n";
}

std::string redirection(const std::string& kind, std::uint16_t port) {
  return "-" + kind + " " + std::to_string(slot_of("{sluice}")) + " 127.0.0.1:" + std::to_string(port) + "\r\n";
}

// Nodes that can be told who owns the slots, and what a command gets.
class Nodes {
 public:
  std::atomic<std::uint16_t> owner = 0;      // as CLUSTER SLOTS says
  std::atomic<std::uint16_t> serving = 0;    // the one that does not redirect
  std::atomic<std::uint16_t> asked_for = 0;  // the one to which the others send with ASK
  Stub first{script(first)};
  Stub second{script(second)};

  Settings settings() const {
    Settings settings = ClientLoop::settings_for(first.port());
    settings.cluster = true;
    return settings;
  }

 private:
  Stub::Script script(Stub& self) {
    return [this, &self, asking = std::make_shared<std::atomic<bool>>(false)](const testing::Command& command, int) {
      if (command[0] == "CLUSTER") return reply(slots(owner));
      if (command[0] == "ASKING") {
        *asking = true;
        return reply("+OK\r\n");
      }
      return polite(command, [&] {
        if (asking->exchange(false) || self.port() == serving) return reply(bulk(std::to_string(self.port())));
        if (asked_for != 0) return reply(redirection("ASK", asked_for));
        return reply(redirection("MOVED", serving));
      });
    };
  }
};

TEST(RedisCluster, IsAskedWhoServesOurSlotAndThatNodeIsUsed) {
  Nodes nodes;
  nodes.owner = nodes.serving = nodes.second.port();
  ClientLoop loop(nodes.settings());
  EXPECT_EQ(loop.call({"GET", "{sluice}k"})->text(), std::to_string(nodes.second.port()));
  EXPECT_EQ(nodes.first.count("GET"), 0U);
  EXPECT_TRUE(loop.run_until([&] { return nodes.first.open_connections() == 0; }));
}

TEST(RedisCluster, OneThatServesOurSlotItselfNeedsNoSecondConnection) {
  Nodes nodes;
  nodes.owner = nodes.serving = nodes.first.port();
  ClientLoop loop(nodes.settings());
  EXPECT_EQ(loop.call({"GET", "{sluice}k"})->text(), std::to_string(nodes.first.port()));
  EXPECT_EQ(nodes.first.connections(), 1);
  EXPECT_EQ(nodes.second.connections(), 0);
}

TEST(RedisCluster, IsFollowedWhenOurSlotMoves) {
  Nodes nodes;
  nodes.owner = nodes.serving = nodes.first.port();
  ClientLoop loop(nodes.settings());
  loop.call({"GET", "{sluice}k"});
  nodes.owner = nodes.serving = nodes.second.port();
  const auto one = loop.start({"GET", "{sluice}k"});
  const auto two = loop.start({"GET", "{sluice}k"});
  EXPECT_EQ(loop.finish(one)->text(), std::to_string(nodes.second.port())) << "within the same call";
  EXPECT_EQ(loop.finish(two)->text(), std::to_string(nodes.second.port()));
  EXPECT_EQ(loop.call({"GET", "{sluice}k"})->text(), std::to_string(nodes.second.port()));
  EXPECT_EQ(loop.client->counts().redirects, 2U);
  EXPECT_EQ(nodes.second.connections(), 1);
  EXPECT_TRUE(loop.log.empty());
}

TEST(RedisCluster, IsNotFollowedInCircles) {
  Nodes nodes;
  nodes.owner = nodes.first.port();
  nodes.serving = 1;  // neither; both say that somebody else does
  ClientLoop loop(nodes.settings());
  const auto call = loop.call({"GET", "{sluice}k"});
  EXPECT_TRUE(call->detail().starts_with("cluster_down: ")) << call->detail();
  EXPECT_LE(nodes.first.count("GET") + nodes.second.count("GET"), 2U);
}

TEST(RedisCluster, IsAskedElsewhereOnceWhileOurSlotIsOnItsWay) {
  Nodes nodes;
  nodes.owner = nodes.first.port();
  nodes.asked_for = nodes.second.port();
  ClientLoop loop(nodes.settings());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(loop.call({"GET", "{sluice}k"})->text(), std::to_string(nodes.second.port()));
  EXPECT_EQ(nodes.first.connections(), 1) << "the node in use stays";
  EXPECT_EQ(nodes.second.count("ASKING"), 3U);
  EXPECT_TRUE(loop.run_until([&] { return nodes.second.open_connections() == 0; }));
}

TEST(RedisCluster, ANodeToAskElsewhereThatIsNotThereFailsTheCall) {
  Nodes nodes;
  nodes.owner = nodes.first.port();
  nodes.asked_for = support::refused_port();
  ClientLoop loop(nodes.settings());
  EXPECT_TRUE(loop.call({"GET", "{sluice}k"})->detail().starts_with("closed: "));
  EXPECT_EQ(nodes.first.connections(), 1);
}

TEST(RedisCluster, IsFoundThroughAnyOfItsNodes) {
  Nodes nodes;
  nodes.owner = nodes.serving = nodes.second.port();
  Settings settings = nodes.settings();
  settings.endpoints.insert(settings.endpoints.begin(), {"127.0.0.1", support::refused_port()});
  ClientLoop loop(settings);
  EXPECT_EQ(loop.call({"GET", "{sluice}k"})->text(), std::to_string(nodes.second.port()));
}

TEST(RedisCluster, WithoutAnybodyForOurSlotIsUnavailable) {
  Stub stub([](const testing::Command& command, int) {
    return command[0] == "CLUSTER" ? reply("*0\r\n") : polite(command, [] { return reply("-CLUSTERDOWN\r\n"); });
  });
  Settings settings = ClientLoop::settings_for(stub.port());
  settings.cluster = true;
  ClientLoop loop(settings);
  EXPECT_TRUE(loop.call({"GET", "{sluice}k"})->detail().starts_with("cluster_down: "));
}

class Sentinels : public ::testing::Test {
 protected:
  Stub::Script redis(std::string name, std::atomic<bool>& is_master) {
    return [name, &is_master](const testing::Command& command, int) {
      if (command[0] == "ROLE" && !is_master)
        return reply("*5\r\n" + bulk("slave") + bulk("127.0.0.1") + ":1\r\n" + bulk("connected") + ":0\r\n");
      return polite(command, [&] {
        return is_master ? reply(bulk(name)) : reply("-READONLY You can't write against a read only replica.\r\n");
      });
    };
  }
  Settings settings() {
    Settings settings = ClientLoop::settings_for(sentinel_.port());
    settings.sentinel_master = "main";
    settings.password = Secret("of-the-servers");
    return settings;
  }

  std::atomic<bool> first_is_master_ = true, second_is_master_ = false;
  std::atomic<std::uint16_t> named_ = 0;
  Stub first_{redis("first", first_is_master_)};
  Stub second_{redis("second", second_is_master_)};
  Stub sentinel_{[this](const testing::Command& command, int) {
    if (command[0] != "SENTINEL") return polite(command, [] { return reply("-ERR unknown command\r\n"); });
    if (command != testing::Command{"SENTINEL", "get-master-addr-by-name", "main"}) return reply("-ERR\r\n");
    return named_ == 0 ? reply("*-1\r\n") : reply(host_and_port(named_));
  }};
};

TEST_F(Sentinels, AreAskedForTheMaster) {
  named_ = first_.port();
  ClientLoop loop(settings());
  EXPECT_EQ(loop.call({"GET", "k"})->text(), "first");
  EXPECT_EQ(first_.count("ROLE"), 1U);
  EXPECT_EQ(sentinel_.count("AUTH"), 0U) << "the password is none of theirs";
}

TEST_F(Sentinels, AreAskedAgainAfterAFailover) {
  named_ = first_.port();
  ClientLoop loop(settings());
  loop.call({"GET", "k"});
  first_is_master_ = false;
  EXPECT_TRUE(loop.call({"SET", "k", "v"})->detail().starts_with("readonly: "));
  EXPECT_TRUE(loop.run_until([&] { return !loop.client->available(); })) << "they do not know of a new master yet";
  second_is_master_ = true;
  named_ = second_.port();
  EXPECT_TRUE(loop.recovers({"GET", "k"}));
  EXPECT_EQ(loop.call({"GET", "k"})->text(), "second");
}

TEST_F(Sentinels, ThatAreNotThereArePassedOver) {
  named_ = first_.port();
  Settings wanted = settings();
  wanted.endpoints.insert(wanted.endpoints.begin(), {"127.0.0.1", support::refused_port()});
  ClientLoop loop(wanted);
  EXPECT_EQ(loop.call({"GET", "k"})->text(), "first");
}

TEST_F(Sentinels, ThatKnowNoMasterAreReported) {
  ClientLoop loop(settings());
  const auto call = loop.call({"GET", "k"});
  EXPECT_NE(call->detail().find("names no master for main"), std::string::npos) << call->detail();
}

}  // namespace
}  // namespace sluice::redis
