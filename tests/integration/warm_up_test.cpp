// Connections opened ahead (providers.<name>.warm_up), and how the gateway is not ready before.

#include <algorithm>

#include "integration/fixture.hpp"
#include "support/socket.hpp"

namespace sluice::integration {
namespace {

class WarmUp : public GatewayTest {
 protected:
  int readiness() { return gateway().admin("/readyz").status; }
};

TEST_F(WarmUp, EachWorkerOpensItsConnectionsAndTheFirstRequestUsesOne) {
  upstream_.on_any().json(chat_answer("hi"));
  start({.workers = 2, .provider = "warm_up: 3"});
  ASSERT_TRUE(eventually([&] { return readiness() == 200; }));
  // Ready means that all are open; the upstream may not have come to accept them yet.
  EXPECT_TRUE(eventually([&] { return upstream_.connections().size() == 6; }));
  EXPECT_EQ(ask(chat_body()).status, 200);
  EXPECT_EQ(upstream_.connections().size(), 6U);
  EXPECT_EQ(gateway().metrics().sum("sluice_upstream_reused_connections_total"), 1);
}

// The far side takes the connection and never says a word of TLS.
TEST_F(WarmUp, IsNotReadyWhileItWaitsAndAProviderOutOfReachIsToldOnce) {
  const Listener silent = listen_loopback();
  start({.workers = 2,
         .providers = "  mute: {base_url: \"https://127.0.0.1:" + std::to_string(silent.port) +
                      "\", warm_up: 2, timeouts: {connect: 1500ms}}\n"});
  EXPECT_EQ(gateway().admin("/readyz").body, "{\"status\":\"warming\"}\n");
  EXPECT_EQ(readiness(), 503);
  EXPECT_EQ(gateway().admin("/healthz").status, 200) << "it lives";
  EXPECT_TRUE(eventually([&] { return readiness() == 200; }, 10s));
  const std::string told = "provider mute: connections could not be opened ahead";
  ASSERT_TRUE(gateway().wait_output(told));
  const std::string output = gateway().output();
  EXPECT_EQ(output.find(told), output.rfind(told)) << "once for all workers";
}

TEST_F(WarmUp, NothingIsWaitedForBeyondABound) {
  const Listener silent = listen_loopback();
  start({.providers = "  mute: {base_url: \"https://127.0.0.1:" + std::to_string(silent.port) +
                      "\", warm_up: 1, timeouts: {connect: 60s}}\n"});
  EXPECT_EQ(readiness(), 503);
  EXPECT_TRUE(eventually([&] { return readiness() == 200; }, 15s));
}

TEST_F(WarmUp, AReloadThatChangesItOpensMoreAndStaysReady) {
  start();
  EXPECT_EQ(readiness(), 200);
  EXPECT_EQ(upstream_.connections().size(), 0U);
  gateway().replace_config(config_text({.provider = "warm_up: 2"}, upstream_.url()));
  gateway().signal(SIGHUP);
  EXPECT_TRUE(upstream_.wait_for_connections(2));
  EXPECT_EQ(readiness(), 200);
  gateway().signal(SIGHUP);
  ASSERT_TRUE(eventually([&] { return gateway().metrics().sum("sluice_config_reloads_total") == 2; }));
  EXPECT_EQ(upstream_.connections().size(), 2U) << "nothing has changed";
}

}  // namespace
}  // namespace sluice::integration
