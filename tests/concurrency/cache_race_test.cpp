// Many clients who ask the same few questions at the same time, on several workers: leaders and followers leave at
// random moments, read slowly, want a stream or a body, and purges come in between. Whoever stays gets all of it.

#include <atomic>
#include <random>
#include <thread>

#include "integration/fixture.hpp"

namespace sluice::integration {
namespace {

using Random = std::mt19937;

class CacheRace : public GatewayTest {
 protected:
  CacheRace() : GatewayTest(UpstreamOptions{.keep_requests = false}) {}

  void SetUp() override {
    upstream_.set_script([this](const ObservedRequest& request) -> std::optional<Behaviour> {
      ++asked_;
      if (request.body.find("\"stream\":true") == std::string::npos) return Behaviour().json(chat_answer(kWhole));
      auto events = chat_stream(std::vector<std::string>(20, "word "));
      return Behaviour().stream(std::move(events)).event_gap(1ms);
    });
    start({.workers = 3,
           .provider = "pool: {idle_timeout: 100ms}",
           .models = R"("any-*": "up/*")",
           .more = "cache: {policy: all, ttl: 150ms, stale_while_revalidate: 100ms}\n"});
  }

  static std::string text_of(const Response& answer, bool streamed) {
    if (!streamed) return json::parse(answer.body)["choices"][0]["message"].value("content", "");
    std::string text;
    for (const std::string& event : data_of(answer)) {
      if (event == "[DONE]") continue;
      const json chunk = json::parse(event);
      if (!chunk["choices"].empty()) text += chunk["choices"][0]["delta"].value("content", "");
    }
    return text;
  }

  void come_and_leave(Random& random, int number) {
    const std::string model = "any-" + std::to_string(number / 50) + "-" + std::to_string(random() % 3);
    const bool streamed = random() % 4 != 0;
    RawClient raw = client(random() % 5 == 0 ? 2048 : 0);
    raw.send(post_request(kChat, streamed ? stream_body(model) : chat_body(model)));
    switch (random() % 4) {
      case 0:
        std::this_thread::sleep_for(std::chrono::microseconds(random() % 25'000));
        return random() % 2 == 0 ? raw.reset() : raw.close();
      case 1:
        if (streamed) raw.read_head();
        std::this_thread::sleep_for(std::chrono::microseconds(random() % 25'000));
        [[fallthrough]];
      default:
        break;
    }
    const bool begun = raw.response().status != 0;
    const Response answer = begun ? raw.finish() : raw.read_response();
    const std::string text = answer.status == 200 && answer.complete ? text_of(answer, streamed) : answer.body;
    whole_ += text == kWhole ? 1 : 0;
    ++stayed_;
    if (text != kWhole) ADD_FAILURE() << model << ": " << answer.status << " " << text.substr(0, 300);
  }

  void purge() {
    RawClient raw(gateway().admin_port(), {});
    raw.send(post_request("/admin/cache/purge", R"({"all":true})"));
    EXPECT_EQ(raw.read_response().status, 200);
  }

  const std::string kWhole = [] {
    std::string all;
    for (int i = 0; i < 20; ++i) all += "word ";
    return all;
  }();
  std::atomic<int> asked_{0}, stayed_{0}, whole_{0};
};

TEST_F(CacheRace, F66WhoeverStaysGetsAllOfIt) {
  const int count = scaled(600);
  constexpr int kThreads = 12;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, i] {
        Random random(static_cast<unsigned>(i));
        for (int at = i; at < count; at += kThreads) {
          come_and_leave(random, at);
          if (at % 97 == 0) purge();
        }
      });
    }
  }
  EXPECT_EQ(whole_, stayed_);
  EXPECT_LT(asked_, count / 2) << "they are asked for once, or nearly";
  EXPECT_TRUE(eventually(
      [&] {
        const Metrics metrics = gateway().metrics();
        return metrics.sum("sluice_requests_in_flight") == 0 && metrics.sum("sluice_client_connections") == 0;
      },
      20s))
      << gateway().admin("/metrics").body;
}

}  // namespace
}  // namespace sluice::integration
