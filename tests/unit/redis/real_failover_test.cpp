// Real Sentinel and Cluster: the server that serves us becomes another one.

#include <gtest/gtest.h>

#include "redis/nodes.hpp"
#include "support/redis_server.hpp"
#include "unit/redis/client_loop.hpp"

namespace sluice::redis {
namespace {

using namespace std::chrono_literals;
using support::RedisOptions;
using support::RedisServer;
using testing::ClientLoop;
using testing::kPatience;

class RealFailover : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!RedisServer::installed()) GTEST_SKIP() << "there is no redis-server in PATH";
  }
  static Settings cluster_at(const RedisServer& node) {
    Settings settings = ClientLoop::settings_for(node.port());
    settings.cluster = true;
    return settings;
  }
};

TEST_F(RealFailover, AClusterOfOneNodeServesOnceItHasTheSlots) {
  RedisServer node(RedisOptions{.cluster = true});
  ClientLoop loop(cluster_at(node));
  EXPECT_TRUE(loop.call({"SET", "{sluice}k", "v"})->detail().starts_with("cluster_down: "));
  node.command({"CLUSTER", "ADDSLOTSRANGE", "0", "16383"});
  EXPECT_TRUE(loop.recovers({"SET", "{sluice}k", "v"}));
  EXPECT_EQ(loop.call({"GET", "{sluice}k"})->text(), "v");
}

TEST_F(RealFailover, ASlotIsFollowedToItsNewNodeWithinTheCall) {
  RedisServer first(RedisOptions{.cluster = true}), second(RedisOptions{.cluster = true});
  const std::string slot = std::to_string(slot_of("{sluice}"));
  first.command({"CLUSTER", "ADDSLOTSRANGE", "0", "16383"});
  first.command({"CLUSTER", "MEET", "127.0.0.1", std::to_string(second.port()), std::to_string(second.cluster_port())});
  ASSERT_TRUE(second.wait_for({"CLUSTER", "INFO"}, "cluster_state:ok"));
  ASSERT_TRUE(second.wait_for({"CLUSTER", "INFO"}, "cluster_slots_ok:16384"));
  ASSERT_TRUE(first.wait_for({"CLUSTER", "INFO"}, "cluster_known_nodes:2"));

  ClientLoop loop(cluster_at(second));  // which serves nothing, and says who does
  EXPECT_TRUE(loop.call({"SET", "{sluice}k", "v"})->ok());

  // Half-way: the key is not there yet, so the old owner sends to the new one with ASK.
  const std::string from = first.command({"CLUSTER", "MYID"}), to = second.command({"CLUSTER", "MYID"});
  EXPECT_EQ(second.command({"CLUSTER", "SETSLOT", slot, "IMPORTING", from}), "OK");
  EXPECT_EQ(first.command({"CLUSTER", "SETSLOT", slot, "MIGRATING", to}), "OK");
  EXPECT_TRUE(loop.call({"SET", "{sluice}new", "new"})->ok());
  EXPECT_EQ(loop.client->counts().redirects, 1U);
  EXPECT_EQ(first.command({"MIGRATE", "127.0.0.1", std::to_string(second.port()), "{sluice}k", "0", "5000"}), "OK");
  EXPECT_EQ(loop.call({"GET", "{sluice}k"})->text(), "v");

  // Done: MOVED.
  EXPECT_EQ(second.command({"CLUSTER", "SETSLOT", slot, "NODE", to}), "OK");
  EXPECT_EQ(first.command({"CLUSTER", "SETSLOT", slot, "NODE", to}), "OK");
  EXPECT_EQ(loop.call({"GET", "{sluice}k"})->text(), "v");
  const auto redirects = loop.client->counts().redirects;
  EXPECT_EQ(loop.call({"GET", "{sluice}new"})->text(), "new");
  EXPECT_EQ(loop.client->counts().redirects, redirects) << "the new owner has been learnt";
  EXPECT_TRUE(loop.log.empty() || loop.log.size() == 2) << "at most the time before the cluster agreed";
}

TEST_F(RealFailover, SentinelsNewMasterIsFoundWhenTheOldOneDies) {
  RedisServer master;
  RedisServer replica(RedisOptions{.replica_of = master.port()});
  ASSERT_TRUE(replica.wait_for({"INFO", "replication"}, "master_link_status:up"));
  RedisServer sentinel(RedisOptions{.sentinel_of = master.port()});
  ASSERT_TRUE(sentinel.wait_for({"SENTINEL", "replicas", "main"}, std::to_string(replica.port())));
  Settings settings = ClientLoop::settings_for(sentinel.port());
  settings.sentinel_master = "main";
  settings.connect_timeout = 1000ms;
  ClientLoop loop(settings);
  ASSERT_TRUE(loop.call({"SET", "k", "before"})->ok());
  ASSERT_TRUE(replica.wait_for({"GET", "k"}, "before"));
  master.kill();
  ASSERT_TRUE(replica.wait_for({"ROLE"}, "master", 30s)) << "the failover is Sentinel's affair";
  EXPECT_TRUE(loop.recovers({"SET", "k", "after"}));
  EXPECT_EQ(replica.command({"GET", "k"}), "after");
  EXPECT_LE(loop.log.size(), 2U);
}

}  // namespace
}  // namespace sluice::redis
