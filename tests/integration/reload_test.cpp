// F70: SIGHUP swaps the configuration whole or not at all.

#include <csignal>

#include "integration/fixture.hpp"

namespace sluice::integration {
namespace {

class Reload : public GatewayTest {
 protected:
  std::string text(const Scenario& scenario) { return config_text(scenario, upstream_.url()); }
  double reloads() { return gateway().metrics().sum("sluice_config_reloads_total"); }
  // Replaces the file, asks for a reload and waits until it has been tried.
  void reload(const std::string& config) {
    const double before = reloads();
    gateway().replace_config(config);
    gateway().signal(SIGHUP);
    ASSERT_TRUE(eventually([&] { return reloads() > before; })) << gateway().output();
  }
};

TEST_F(Reload, SwapsModelsAndProviders) {
  ScriptedUpstream other;
  other.on(kChat).json(chat_answer("from the other"));
  upstream_.on(kChat).json(chat_answer("from the first"));
  start();
  EXPECT_EQ(ask(chat_body("m")).body, chat_answer("from the first"));
  reload(text({.base_url = other.url(), .models = "n: up/new-model"}));
  EXPECT_EQ(ask(chat_body("n")).body, chat_answer("from the other"));
  EXPECT_EQ(ask(chat_body("m")).status, 404);
  EXPECT_EQ(other.request(0).model, "new-model");
}

TEST_F(Reload, ABadFileKeepsTheOldConfigurationAndIsExplained) {
  upstream_.on(kChat).json(chat_answer());
  start();
  const std::vector<std::string> bad = {"",
                                        "server: [",
                                        text({}) + "unknown: 1\n",
                                        text({.timeouts = "connect: soon"}),
                                        text({.models = "m: nowhere/x"}),
                                        text({.provider = "headers: {x: \"${NO_SUCH_VAR_X}\"}"}),
                                        std::string("\0\1\2", 3)};
  for (const auto& config : bad) {
    reload(config);
    EXPECT_EQ(ask(chat_body("m")).status, 200) << config;
  }
  EXPECT_TRUE(gateway().wait_output("gateway.yaml:")) << gateway().output();
  EXPECT_EQ(gateway().metrics().sum("sluice_config_reloads_total", {"result=\"ok\""}), 0);
  reload(text({}));
  EXPECT_EQ(gateway().metrics().sum("sluice_config_reloads_total", {"result=\"ok\""}), 1);
}

TEST_F(Reload, AConnectionThatWasIdleSeesTheNewConfigurationAtOnce) {
  upstream_.on(kChat).json(chat_answer());
  start();
  RawClient raw = client();
  raw.send(post_request(kChat, chat_body("m")));
  EXPECT_EQ(raw.read_response().status, 200);
  reload(text({.models = "n: up/x"}));
  raw.send(post_request(kChat, chat_body("m")));
  EXPECT_EQ(raw.read_response().status, 404);
  raw.send(post_request(kChat, chat_body("n")));
  EXPECT_EQ(raw.read_response().status, 200);
}

TEST_F(Reload, ARequestUnderWayFinishesOnTheOldConfiguration) {
  const auto gate = std::make_shared<Gate>();
  upstream_.on(kChat).stream({role_chunk()}).then_wait_for(gate).stream({finish_chunk(), kDone});
  start();
  RawClient raw = client();
  raw.send(post_request(kChat, stream_body()));
  ASSERT_TRUE(raw.read_head());
  ASSERT_TRUE(raw.next_event());
  ScriptedUpstream other;
  reload(text({.base_url = other.url(), .models = "n: up/x"}));
  gate->open();
  EXPECT_TRUE(raw.finish().complete);
  raw.send(post_request(kChat, chat_body("m")));
  EXPECT_EQ(raw.read_response().status, 404) << "the next request on the connection sees the new one";
}

TEST_F(Reload, ListenersStayAsTheyAreWithAWarning) {
  upstream_.on(kChat).json(chat_answer());
  start();
  std::string config = text({});
  const auto at = config.find("listen: \"127.0.0.1:0\"");
  ASSERT_NE(at, std::string::npos);
  config.replace(at, 21, "listen: \"127.0.0.1:1\"");
  reload(config);
  EXPECT_TRUE(gateway().wait_output("listen", 2s));
  EXPECT_EQ(ask(chat_body("m")).status, 200);
}

TEST_F(Reload, ChangesNothingWhenRepeatedUnderLoad) {
  upstream_.on(kChat).json(chat_answer());
  start();
  for (int i = 0; i < 20; ++i) {
    gateway().replace_config(i % 2 == 0 ? text({}) : "broken: [");
    gateway().signal(SIGHUP);
    for (int j = 0; j < 5; ++j) ASSERT_EQ(ask(chat_body("m")).status, 200);
  }
}

}  // namespace
}  // namespace sluice::integration
