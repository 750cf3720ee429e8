// Who is sent where, again and again: splits and sticky targets, in several gateways with the same configuration.

#include <csignal>

#include "integration/fixture.hpp"
#include "support/client_keys.hpp"
#include "support/paths.hpp"

namespace sluice::integration {
namespace {

std::string user(int number) { return "user-" + std::to_string(number); }

// What one gateway made of each user.
using Places = std::vector<std::string>;

// Asks for all users over one connection.
class Visitor {
 public:
  explicit Visitor(std::uint16_t port) : client_(port) {}

  // Provider and model that answered.
  std::string ask(const std::string& more, const std::string& head = "") {
    client_.send(post_request("/v1/chat/completions", chat_body("m", more), head));
    const Response response = client_.read_response();
    EXPECT_EQ(response.status, 200) << response.body;
    return response.header("x-sluice-provider") + "/" + response.header("x-sluice-model");
  }
  Places ask_for(int users) {
    Places places;
    for (int i = 0; i < users; ++i) places.push_back(ask(R"("user":")" + user(i) + "\""));
    return places;
  }

 private:
  RawClient client_;
};

class Split : public GatewayTest {
 protected:
  Split() : GatewayTest({.keep_requests = false}) { upstream_.on(kChat).json(chat_answer()); }

  static Scenario scenario(const std::string& split) {
    return {.workers = 2, .models = "m: {target: up/base, split: [" + split + "]}, next: up/next, odd: up/odd"};
  }
  // Another process; its books are looked at by nobody.
  void start_other(const Scenario& scenario) {
    other_.emplace(
        GatewayOptions{.binary = support::sluice_binary(), .config = config_text(scenario, upstream_.url())});
    ASSERT_TRUE(other_->wait_ready()) << other_->output();
  }
  void TearDown() override {
    GatewayTest::TearDown();
    if (!other_) return;
    other_->signal(SIGTERM);
    EXPECT_EQ(other_->wait_exit(15s), 0);
    EXPECT_EQ(other_->sanitizer_report(), "");
  }
  void reload(const Scenario& scenario) {
    const double before = gateway().metrics().sum("sluice_config_reloads_total", {R"(result="ok")"});
    gateway().replace_config(config_text(scenario, upstream_.url()));
    gateway().signal(SIGHUP);
    ASSERT_TRUE(eventually(
        [&] { return gateway().metrics().sum("sluice_config_reloads_total", {R"(result="ok")"}) > before; }));
  }

  std::optional<Gateway> other_;
};

constexpr int kUsers = 600;

TEST_F(Split, AUserIsOnTheSameSideInEveryGatewayAndTheSharesAreAsWritten) {
  const Scenario both = scenario("{percent: 20%, use: next, name: canary}, {percent: 10%, use: odd}");
  start(both);
  start_other(both);
  const Places here = Visitor(gateway().port()).ask_for(kUsers);
  EXPECT_EQ(Visitor(gateway().port()).ask_for(kUsers), here) << "nobody goes back and forth";
  EXPECT_EQ(Visitor(other_->port()).ask_for(kUsers), here);
  // The hash is fixed, so these are too; five standard deviations.
  EXPECT_NEAR(static_cast<double>(std::ranges::count(here, "up/next")), 120, 50);
  EXPECT_NEAR(static_cast<double>(std::ranges::count(here, "up/odd")), 60, 37);
  EXPECT_EQ(std::ranges::count(here, "up/base"),
            kUsers - std::ranges::count(here, "up/next") - std::ranges::count(here, "up/odd"));
}

TEST_F(Split, APartThatGrowsKeepsThoseItHad) {
  start(scenario("{percent: 10%, use: next}"));
  const Places before = Visitor(gateway().port()).ask_for(kUsers);
  reload(scenario("{percent: 30%, use: next}"));
  const Places after = Visitor(gateway().port()).ask_for(kUsers);
  EXPECT_GT(std::ranges::count(after, "up/next"), std::ranges::count(before, "up/next") + 60);
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (before[i] == "up/next") EXPECT_EQ(after[i], "up/next") << i;
  }
}

TEST_F(Split, ThePartIsToldAndIsThatOfTheKeyWhereNoUserIsNamed) {
  Scenario keyed = scenario("{percent: 50%, use: next, name: canary}");
  keyed.more = "keys: [";
  constexpr unsigned kKeys = 12;
  for (unsigned i = 1; i <= kKeys; ++i) keyed.more += client_key(i).row("app-" + std::to_string(i)) + ", ";
  keyed.more += client_key(kKeys + 1).row("last") + "]\n";
  start(keyed);
  Visitor visitor(gateway().port());
  std::size_t canaries = 0;
  for (unsigned i = 1; i <= kKeys; ++i) {
    const std::string head = client_key(i).bearer();
    const std::string place = visitor.ask("", head);
    EXPECT_EQ(visitor.ask("", head), place) << "app-" << i;
    const std::string decision = ask(chat_body(), head).header("x-sluice-decision");
    EXPECT_EQ(decision, place == "up/next" ? R"(next: split "canary": 50 %)" : "");
    canaries += place == "up/next" ? 1 : 0;
  }
  EXPECT_GT(canaries, 1U);
  EXPECT_LT(canaries, kKeys - 1U) << "not everybody's is the same";
}

class Sticky : public Split {
 protected:
  static constexpr const char* kTargets = "targets: [up/x, second/x, third/x]";

  Scenario three(const std::string& model, const std::string& more = "") {
    for (ScriptedUpstream* one : {&second_, &third_}) one->on(kChat).json(chat_answer());
    return {
        .workers = 2,
        .providers = "  second: {base_url: \"" + second_.url() + "\"}\n  third: {base_url: \"" + third_.url() + "\"}\n",
        .models = "m: {strategy: sticky, " + model + ", " + kTargets + "}",
        .more = more};
  }
  void expect_spread(const Places& places) {
    for (const char* one : {"up/x", "second/x", "third/x"}) {
      EXPECT_GT(std::ranges::count(places, one), static_cast<std::ptrdiff_t>(places.size() / 6)) << one;
    }
  }

  ScriptedUpstream second_{UpstreamOptions{.keep_requests = false}}, third_{UpstreamOptions{.keep_requests = false}};
};

TEST_F(Sticky, AUserStaysWithOneTargetInEveryGateway) {
  const Scenario scenario = three("sticky: user");
  start(scenario);
  start_other(scenario);
  const Places here = Visitor(gateway().port()).ask_for(150);
  expect_spread(here);
  EXPECT_EQ(Visitor(gateway().port()).ask_for(150), here);
  EXPECT_EQ(Visitor(other_->port()).ask_for(150), here);
}

TEST_F(Sticky, APromptCacheKeyStaysWithOneTargetWhoeverAsks) {
  start(three("sticky: prompt_cache_key"));
  Visitor visitor(gateway().port());
  Places places;
  for (int i = 0; i < 60; ++i) {
    const std::string key = R"("prompt_cache_key":"cache-)" + std::to_string(i) + "\"";
    places.push_back(visitor.ask(key + R"(,"user":"ann")"));
    EXPECT_EQ(visitor.ask(key + R"(,"user":"bob")"), places.back()) << i;
  }
  expect_spread(places);
}

TEST_F(Sticky, AKeyStaysWithOneTargetWhicheverUserAsks) {
  constexpr unsigned kKeys = 24;
  std::string keys = "keys: [";
  for (unsigned i = 1; i <= kKeys; ++i) keys += (i == 1 ? "" : ", ") + client_key(i).row("app-" + std::to_string(i));
  start(three("sticky: key", keys + "]\n"));
  Visitor visitor(gateway().port());
  Places places;
  for (unsigned i = 1; i <= kKeys; ++i) {
    const std::string head = client_key(i).bearer();
    places.push_back(visitor.ask(R"("user":"ann")", head));
    EXPECT_EQ(visitor.ask(R"("user":"bob")", head), places.back()) << i;
  }
  for (const char* one : {"up/x", "second/x", "third/x"}) EXPECT_GT(std::ranges::count(places, one), 1) << one;
}

TEST_F(Sticky, F41UsersOfATargetThatFailsMoveAndComeBackWhileTheOthersStay) {
  const std::string routing =
      "routing: {retries: 0, breaker: {consecutive_failures: 1, error_rate: 0%, ejection: 1s, slow_start: 0s}}\n";
  std::atomic<bool> down = false;
  upstream_.set_script([&down](const ObservedRequest&) {
    if (down) return Behaviour().status(500).json(error_answer("down", "server_error", "down"));
    return Behaviour().json(chat_answer());
  });
  start(three("sticky: user", routing));
  const Places before = Visitor(gateway().port()).ask_for(60);
  expect_spread(before);
  down = true;
  Visitor visitor(gateway().port());
  const Places meanwhile = visitor.ask_for(60);
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (before[i] == "up/x") EXPECT_NE(meanwhile[i], "up/x") << i;
    if (before[i] != "up/x") EXPECT_EQ(meanwhile[i], before[i]) << "only those of the target that failed move: " << i;
  }
  EXPECT_GE(gateway().metrics().sum("sluice_target_ejections_total", {R"(provider="up")"}), 1);
  down = false;
  ASSERT_TRUE(eventually([&] { return visitor.ask_for(60) == before; })) << "each where it was";
}

}  // namespace
}  // namespace sluice::integration
