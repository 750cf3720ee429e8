// Runs of agents that several gateways count together in a real Redis.

#include <atomic>
#include <thread>

#include "integration/replicas_fixture.hpp"

namespace sluice::integration {
namespace {

class SharedGuard : public ReplicasTest {
 protected:
  void start_both(const std::string& guard) {
    const Scenario both{.more = "redis: {url: \"" + redis_url() + "\", deadline: 1s}\nguard: {" + guard + "}\n"};
    start(both);
    start_second(both);
    ASSERT_TRUE(eventually([&] { return is_connected(gateway()) && is_connected(*second_); }));
  }
  Response turn_at(const Gateway& gateway, const std::string& more = "") {
    const std::string body = chat_body("m", "\"seed\":" + std::to_string(++seed_) + more);
    return fetch(gateway.port(), post_request(kChat, body, "x-sluice-run-id: a\r\n"));
  }
  static json stop_of(const Response& response) { return json::parse(response.body)["error"]["run_guard"]; }

  std::atomic<int> seed_ = 0;
};

TEST_F(SharedGuard, TwoReplicasTogetherCountTurnsExactly) {
  upstream_.on(kChat).json(chat_answer());
  start_both("turns: 21, parallel: none, cost: none, tokens: none");
  std::atomic<int> served = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 10; ++i) served += turn_at(t % 2 == 0 ? gateway() : *second_).status == 200 ? 1 : 0;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(served, 21);
  const Response refused = turn_at(*second_);
  EXPECT_TRUE(is_error(refused, 429, "run_stopped"));
  EXPECT_EQ(stop_of(refused)["cap"], "turns");
  EXPECT_EQ(stop_of(refused)["used"], 21);
  EXPECT_EQ(gateway().metrics().sum("sluice_runs_unshared_total"), 0);
}

TEST_F(SharedGuard, CostOfOneIsTheOthers) {
  upstream_.on(kChat).json(chat_answer());
  start_both("turns: none, cost: 0.001 USD");
  EXPECT_EQ(turn_at(gateway()).status, 200);
  EXPECT_EQ(turn_at(gateway()).status, 200);
  Response refused;
  ASSERT_TRUE(eventually([&] { return (refused = turn_at(*second_)).status == 429; }));
  EXPECT_EQ(stop_of(refused)["cap"], "cost_usd");
  EXPECT_EQ(stop_of(refused)["limit"], 0.001);
  EXPECT_GE(stop_of(refused)["used"], 0.00141);
}

TEST_F(SharedGuard, TheSameToolCallAndTheSameRequest) {
  upstream_.on(kChat).json(tool_call_answer("search", "{}"));
  start_both("turns: none, cost: none, same_request: 2, same_tool_call: 2");
  const std::string tools = R"(,"tools":[{"type":"function","function":{"name":"search"}}])";
  for (int i = 0; i < 3; ++i) EXPECT_EQ(turn_at(i % 2 == 0 ? gateway() : *second_, tools).status, 200) << i;
  Response refused;
  ASSERT_TRUE(eventually([&] { return (refused = turn_at(*second_, tools)).status == 429; }));
  EXPECT_EQ(stop_of(refused)["cap"], "same_tool_call");
  const auto again = [&](const Gateway& at) {
    return fetch(at.port(), post_request(kChat, chat_body(), "x-sluice-run-id: b\r\n"));
  };
  EXPECT_EQ(again(gateway()).status, 200);
  EXPECT_EQ(again(*second_).status, 200);
  EXPECT_EQ(stop_of(again(gateway()))["cap"], "same_request");
}

TEST_F(SharedGuard, CallsUnderWayAreCountedOffWhenTheyEnd) {
  auto gate = std::make_shared<Gate>();
  upstream_.on(kChat).hold_head_until(gate).json(chat_answer());
  start_both("turns: none, cost: none, parallel: 1, longest_call: 1s");
  RawClient busy = client();
  busy.send(post_request(kChat, chat_body(), "x-sluice-run-id: a\r\n"));
  ASSERT_TRUE(upstream_.wait_for_requests(1));
  EXPECT_EQ(stop_of(turn_at(*second_))["cap"], "parallel");
  gate->open();
  EXPECT_EQ(busy.read_response().status, 200);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(turn_at(i % 2 == 0 ? gateway() : *second_).status, 200) << i;
}

TEST_F(SharedGuard, CallsOfAKilledReplicaEndByThemselves) {
  auto gate = std::make_shared<Gate>();
  upstream_.on(kChat).hold_head_until(gate).json(chat_answer());
  start_both("turns: none, parallel: 1, longest_call: 1s");
  RawClient held(second_->port());
  held.send(post_request(kChat, chat_body(), "x-sluice-run-id: a\r\n"));
  ASSERT_TRUE(upstream_.wait_for_requests(1));
  second_->signal(SIGKILL);
  ASSERT_TRUE(second_->wait_exit());
  gate->open();
  ASSERT_TRUE(eventually([&] { return turn_at(gateway()).status == 200; }));
}

TEST_F(SharedGuard, KeysOfARunExpire) {
  upstream_.on(kChat).json(chat_answer());
  start_both("turns: 1, expires: 1s, longest_call: 1s");
  EXPECT_EQ(turn_at(gateway()).status, 200);
  EXPECT_EQ(turn_at(*second_).status, 429);
  EXPECT_TRUE(eventually([&] { return redis_->command({"KEYS", "{sluice}:run:*"}).empty(); }));
  EXPECT_EQ(turn_at(*second_).status, 200);
}

TEST_F(SharedGuard, WithoutRedisEachCountsForItself) {
  upstream_.on(kChat).json(chat_answer());
  start_both("turns: 2");
  redis_->kill();
  ASSERT_TRUE(eventually([&] { return !is_connected(gateway()) && !is_connected(*second_); }));
  for (const Gateway* at : {&gateway(), &*second_}) {
    EXPECT_EQ(turn_at(*at).status, 200);
    EXPECT_EQ(turn_at(*at).status, 200);
    EXPECT_TRUE(is_error(turn_at(*at), 429, "run_stopped"));
  }
  EXPECT_GE(gateway().metrics().sum("sluice_runs_unshared_total"), 3);
}

TEST_F(SharedGuard, ValuesThatAreNoneOfOursStopNobody) {
  upstream_.on(kChat).json(chat_answer());
  start_both("turns: 1");
  EXPECT_EQ(turn_at(gateway()).status, 200);
  std::string names = redis_->command({"KEYS", "{sluice}:run:*"});
  const std::string name = names.substr(0, names.find('\n'));
  redis_->command({"SET", name, "garbage"});
  EXPECT_EQ(turn_at(gateway()).status, 200) << "counted in the process";
  EXPECT_TRUE(is_error(turn_at(gateway()), 429, "run_stopped"));
}

}  // namespace
}  // namespace sluice::integration
