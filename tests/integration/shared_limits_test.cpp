// Several gateways, one Redis, one truth (F51 to F61 through the real binary).

#include <csignal>
#include <thread>

#include "integration/replicas_fixture.hpp"
#include "support/client_keys.hpp"

namespace sluice::integration {
namespace {

const ClientKey kApp = client_key(1);

class SharedLimits : public ReplicasTest {
 protected:
  Scenario scenario(const std::string& limits, const std::string& more = "") {
    return {.more = "redis: {url: \"" + redis_url() + "\", deadline: " + deadline_ + "}\nkeys: [" +
                    kApp.row("app-1", "limits: {" + limits + "}") + "]\n" + more};
  }
  static Response ask_at(const Gateway& gateway, const std::string& more = "") {
    return fetch(gateway.port(), post_request(kChat, chat_body("m", more), kApp.bearer()));
  }
  static std::string readiness(const Gateway& gateway) { return gateway.admin("/readyz").body; }
  static bool shares(const Gateway& gateway) {
    return readiness(gateway).find("\"ok\"") != std::string::npos && is_connected(gateway);
  }

  std::string deadline_ = "1s";  // sanitizers and busy machines are slow
};

TEST_F(SharedLimits, F58TwoReplicasTogetherAdmitWhatTheLimitSays) {
  upstream_.on(kChat).json(chat_answer());
  const Scenario both = scenario("requests: 30/h");
  start(both);
  start_second(both);
  ASSERT_TRUE(eventually([&] { return shares(gateway()) && shares(*second_); }));
  std::atomic<int> admitted = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 20; ++i) admitted += ask_at(t % 2 == 0 ? gateway() : *second_).status == 200 ? 1 : 0;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(admitted, 30);
  const json limits = json::parse(second_->admin("/admin/limits?key=app-1").body)["limits"];
  EXPECT_EQ(limits[0]["used"], 30);
}

TEST_F(SharedLimits, F61SlotsOfAKilledReplicaAreFreeAfterTheirLease) {
  auto gate = std::make_shared<Gate>();
  upstream_.on(kChat).hold_head_until(gate).json(chat_answer());
  const Scenario both = scenario("concurrency: 1", "admission: {lease: 1s, queue: {timeout: 30s}}\n");
  start(both);
  start_second(both);
  ASSERT_TRUE(eventually([&] { return shares(gateway()) && shares(*second_); }));
  RawClient held(second_->port());
  held.send(post_request(kChat, chat_body(), kApp.bearer()));
  ASSERT_TRUE(upstream_.wait_for_requests(1));
  second_->signal(SIGKILL);
  ASSERT_TRUE(second_->wait_exit());
  gate->open();
  EXPECT_EQ(ask_at(gateway()).status, 200) << "it waited for the lease to end";
}

TEST_F(SharedLimits, F51StartsWithoutRedisAndSharesOnceItIsThere) {
  upstream_.on(kChat).json(chat_answer());
  redis_->kill();
  start(scenario("requests: 1000/h"));
  EXPECT_EQ(gateway().admin("/readyz").status, 200);
  EXPECT_TRUE(eventually([&] { return readiness(gateway()).find("degraded") != std::string::npos; }));
  EXPECT_EQ(ask_at(gateway()).status, 200) << "by its own share";
  redis_->restart();
  EXPECT_TRUE(eventually([&] { return shares(gateway()); }));
  EXPECT_EQ(ask_at(gateway()).status, 200);
  EXPECT_GE(gateway().metrics().sum("sluice_shared_admissions_total"), 2);
}

TEST_F(SharedLimits, F53AFrozenRedisCostsAFewRequestsTheirDeadlineAndThenNothing) {
  upstream_.on(kChat).json(chat_answer());
  deadline_ = "200ms";
  start(scenario("requests: 1000/h"));
  ASSERT_TRUE(eventually([&] { return shares(gateway()); }));
  EXPECT_EQ(ask_at(gateway()).status, 200);
  redis_->freeze();
  int slow = 0;
  for (int i = 0; i < 20; ++i) {
    const auto began = Clock::now();
    EXPECT_EQ(ask_at(gateway()).status, 200);
    slow += Clock::now() - began >= 200ms ? 1 : 0;
  }
  EXPECT_GE(slow, 1);
  EXPECT_LE(slow, 5);
  redis_->thaw();
  EXPECT_TRUE(eventually([&] { return shares(gateway()); }));
}

TEST_F(SharedLimits, F52ABudgetThatNobodyCanLookUpIsClosed) {
  upstream_.on(kChat).json(chat_answer());
  redis_->kill();
  start(
      scenario("budget: 1 USD/month",
               "prices: {rows: [{model: \"*\", input: 1 USD, output: 2 USD}]}\nstate: {path: \"{DIR}/sluice.db\"}\n"));
  EXPECT_TRUE(eventually([&] { return readiness(gateway()).find("degraded") != std::string::npos; }));
  EXPECT_TRUE(is_error(ask_at(gateway()), 503, "budget_unavailable"));
  redis_->restart();
  EXPECT_TRUE(eventually([&] { return ask_at(gateway()).status == 200; }));
}

}  // namespace
}  // namespace sluice::integration
