// Many clients who ask the same few questions on several workers, while some leave, some answers fail, and somebody
// purges: whoever gets an answer gets the right one, whole.

#include <atomic>
#include <random>
#include <thread>

#include "integration/cache_fixture.hpp"
#include "support/redis_server.hpp"

namespace sluice::integration {
namespace {

using Random = std::mt19937;

constexpr int kThreads = 6;
constexpr unsigned kQuestions = 4;

// Entries in memory, or in Redis.
class CacheLoad : public CacheTest, public ::testing::WithParamInterface<bool> {
 protected:
  void SetUp() override {
    if (GetParam() && !RedisServer::installed()) GTEST_SKIP() << "redis-server is not installed";
    upstream_.set_script([this](const ObservedRequest& request) { return answer_to(request.body); });
    Scenario made =
        scenario("ttl: 50ms, stale_while_revalidate: 5s, stale_if_error: 5s, secret: \"${CACHE_SECRET}\"", "", 3);
    made.environment["CACHE_SECRET"] = "canary-free secret of the cache";
    if (GetParam()) {
      redis_.emplace();
      made.more += "redis: {url: \"redis://127.0.0.1:" + std::to_string(redis_->port()) + "\", deadline: 5s}\n";
    }
    start(made);
    ASSERT_TRUE(!GetParam() || eventually([&] { return gateway().metrics().sum("sluice_redis_up") >= 1; }));
  }

  // One in eight goes wrong.
  std::optional<Behaviour> answer_to(const std::string& body) {
    const json asked = json::parse(body);
    const std::string text = "answer to " + std::to_string(asked["seed"].get<int>());
    const unsigned count = ++calls_;
    if (count % 16 == 0) return Behaviour().status(500).json(error_answer("down", "server_error", "down"));
    if (!asked.value("stream", false)) return Behaviour().delay(2ms).json(chat_answer(text));
    auto behaviour = Behaviour().stream(chat_stream_with_usage({text.substr(0, 4), text.substr(4)})).event_gap(2ms);
    return count % 16 == 8 ? behaviour.then_reset_at(700) : behaviour;
  }

  void ask_somehow(Random& random) {
    const std::string seed = std::to_string(random() % kQuestions);
    const bool stream = random() % 2 == 0;
    const std::string more = "\"seed\":" + seed;
    RawClient raw = client();
    raw.send(post_request(kChat, stream ? stream_body("m", more) : chat_body("m", more),
                          app_.bearer() + (random() % 10 == 0 ? "cache-control: no-cache\r\n" : "")));
    const auto leaves = random() % 8;
    if (leaves == 0) return raw.reset();
    if (leaves == 1 && raw.read_head()) return raw.close();
    if (leaves <= 1) return;
    const Response response = raw.read_response(30s);
    if (response.status != 200 || !response.complete) {
      ++failed_;
      return;
    }
    ++answered_[result(response)];
    EXPECT_EQ(text_of(response, stream), "answer to " + seed) << response.body;
  }

  static std::string text_of(const Response& response, bool stream) {
    if (!stream) return json::parse(response.body)["choices"][0]["message"]["content"];
    const auto events = data_of(response);
    EXPECT_EQ(events.back(), kDone);
    std::string text;
    for (const std::string& event : events) {
      if (event != kDone) text += json::parse(event)["choices"][0]["delta"].value("content", "");
    }
    return text;
  }

  struct Counts {  // by what the gateway says
    std::atomic<int> hit{0}, miss{0}, coalesced{0}, stale{0};
    std::atomic<int>& operator[](const std::string& name) {
      return name == "hit" ? hit : name == "miss" ? miss : name == "stale" ? stale : coalesced;
    }
  };
  std::optional<RedisServer> redis_;
  std::atomic<unsigned> calls_{0};
  std::atomic<int> failed_{0};
  Counts answered_;
};

TEST_P(CacheLoad, F65F66EverybodyGetsTheRightAnswerWhole) {
  const int count = scaled(1200);
  std::vector<std::jthread> threads;
  std::atomic<int> left{kThreads};
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      Random random(static_cast<unsigned>(thread));
      for (int i = thread; i < count; i += kThreads) ask_somehow(random);
      --left;
    });
  }
  const char* purges[] = {R"({"all":true})", R"({"model":"m"})", R"({"key":"app-1"})", R"({"tag":"none"})"};
  for (std::size_t i = 0; left > 0; ++i) {
    RawClient raw(gateway().admin_port(), {});
    raw.send(post_request("/admin/cache/purge", purges[i % 4]));
    EXPECT_EQ(raw.read_response().status, 200);
    std::this_thread::sleep_for(100ms);  // how often somebody purges
  }
  threads.clear();
  EXPECT_GT(answered_.hit, 0);
  EXPECT_GT(answered_.miss, 0);
  EXPECT_GT(answered_.coalesced, 0);
  EXPECT_LT(failed_, count / 2);
  RecordProperty("hit", answered_.hit);
  RecordProperty("miss", answered_.miss);
  RecordProperty("coalesced", answered_.coalesced);
  RecordProperty("stale", answered_.stale);
  RecordProperty("failed", failed_);
  // Nothing of what was under way is left behind.
  EXPECT_TRUE(eventually([&] { return gateway().metrics().sum("sluice_requests_in_flight") == 0; }));
  const auto metrics = gateway().metrics();
  EXPECT_LE(metrics.sum("sluice_cache_entries"), kQuestions);
  EXPECT_EQ(metrics.sum("sluice_cache_corrupt_total"), 0);
}

INSTANTIATE_TEST_SUITE_P(Store, CacheLoad, ::testing::Bool(),
                         [](const auto& redis) { return redis.param ? "redis" : "memory"; });

}  // namespace
}  // namespace sluice::integration
