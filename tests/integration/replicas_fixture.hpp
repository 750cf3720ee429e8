#pragma once
// Two gateways and a real Redis. Both gateways leave as they should when the test is over.

#include <csignal>
#include <stdexcept>

#include "integration/fixture.hpp"
#include "support/paths.hpp"
#include "support/redis_server.hpp"

namespace sluice::integration {

class ReplicasTest : public GatewayTest {
 protected:
  // A second replica with a configuration of its own but for the files.
  Gateway& start_second(const Scenario& scenario) {
    second_.emplace(GatewayOptions{.binary = sluice_binary(), .config = config_text(scenario, upstream_.url())});
    if (!second_->wait_ready()) throw std::runtime_error("the second gateway did not start:\n" + second_->output());
    return *second_;
  }
  void SetUp() override {
    if (!RedisServer::installed()) GTEST_SKIP() << "no redis-server here";
    redis_.emplace();
  }
  void TearDown() override {
    if (second_ && !second_->process().wait_exit(0ms)) {
      second_->signal(SIGTERM);
      EXPECT_TRUE(second_->wait_exit(15s));
      EXPECT_EQ(second_->sanitizer_report(), "");
    }
    GatewayTest::TearDown();
  }
  static bool is_connected(const Gateway& gateway) { return gateway.metrics().sum("sluice_redis_up") == 1; }
  std::string redis_url() const { return "redis://127.0.0.1:" + std::to_string(redis_->port()) + "/0"; }

  std::optional<RedisServer> redis_;
  std::optional<Gateway> second_;
};

}  // namespace sluice::integration
