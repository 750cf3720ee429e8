// Clients that leave at random moments, on many connections at once: whatever phase it hits, everything is given back,
// the upstream is closed at once, and there is one outcome.

#include <array>
#include <map>
#include <mutex>
#include <random>
#include <span>
#include <thread>

#include "integration/fixture.hpp"

namespace sluice::integration {
namespace {

using Random = std::mt19937;
using std::chrono::microseconds;

// How the upstream answers is in the model's name, behind "any-".
constexpr std::array kKinds = {"head", "body", "far", "hang", "silent", "flow", "short", "whole", "late", "large"};
constexpr std::string_view kHello =
    "Say hello, canary-prompt.";  // what every request says; `large` says more, too much for the loop
constexpr std::array kEndless = {"hang", "silent"};  // upstreams that only the gateway's leaving ends

bool is_one_of(const std::string& model, std::span<const char* const> kinds) {
  return std::ranges::any_of(kinds, [&](const char* kind) { return model.starts_with("any-" + std::string(kind)); });
}
bool is(const std::string& model, const char* kind) { return is_one_of(model, std::array{kind}); }

bool one_in(Random& random, unsigned count) { return random() % count == 0; }
void pause(Random& random, int most_us) {
  std::this_thread::sleep_for(microseconds(std::uniform_int_distribution(0, most_us)(random)));
}

Behaviour answer_to(const std::string& model) {
  if (is(model, "hang")) return Behaviour().hang();
  if (is(model, "silent")) return Behaviour().sse({": nothing yet\n\n"}).stall();
  if (is(model, "flow")) return Behaviour().stream(std::vector<std::string>(100, text_chunk("x"))).event_gap(2ms);
  if (is(model, "short")) return Behaviour().stream(chat_stream({"a", "b"}));
  if (is(model, "late")) return Behaviour().stream(chat_stream({"a"})).event_gap(1ms);
  return Behaviour().json(chat_answer());
}

// Who left when, and on which connection the upstream served it. Any thread.
class Departures {
 public:
  void served(const std::string& model, std::size_t connection) {
    const std::lock_guard lock(mutex_);
    served_[model] = connection;
  }
  void left(const std::string& model) {
    const std::lock_guard lock(mutex_);
    left_[model] = Clock::now();
  }
  // From a client's leaving to the end of its upstream connection, in order.
  std::vector<milliseconds> delays(const std::vector<ObservedConnection>& connections) {
    const std::lock_guard lock(mutex_);
    std::vector<milliseconds> result;
    for (const auto& [model, connection] : served_) {
      const ObservedConnection& seen = connections.at(connection);
      if (!is_one_of(model, kEndless)) continue;
      const auto delay = seen.peer == End::kOpen ? 1h : seen.closed_at - left_.at(model);
      result.push_back(std::chrono::ceil<milliseconds>(delay));
    }
    std::ranges::sort(result);
    return result;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::size_t> served_;
  std::map<std::string, Clock::time_point> left_;
};

class AbortRace : public GatewayTest {
 protected:
  AbortRace() : GatewayTest(UpstreamOptions{.keep_requests = false}) {}

  void SetUp() override {
    upstream_.set_script([this](const ObservedRequest& request) -> std::optional<Behaviour> {
      departures_.served(request.model, request.connection);
      return answer_to(request.model);
    });
    const std::string far = "http://127.0.0.1:" + std::to_string(blackhole_.port());
    start({.workers = 3,
           .timeouts = "connect: 100s, first_byte: 100s, first_token: 100s, idle: 100s, total: 200s",
           .provider = "pool: {idle_timeout: 100ms}",
           .providers = "  far: {dialect: openai, base_url: \"" + far + "\"}\n",
           .models = R"("any-far-*": "far/*", "any-*": "up/*")"});
  }

  // `count` clients come and leave, several at once, each with a seeded source and a number of its own.
  void many(int count, const std::function<void(Random&, int)>& come_and_leave) {
    constexpr int kThreads = 8;
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, i] {
        Random random(static_cast<unsigned>(first_ + i));
        for (int at = i; at < count; at += kThreads) come_and_leave(random, first_ + at);
      });
    }
    for (auto& thread : threads) thread.join();
    first_ += count;
  }

  void abort_somewhere(Random& random, int number) {
    const char* kind = kKinds.at(random() % kKinds.size());
    const std::string model = "any-" + std::string(kind) + "-" + std::to_string(number);
    RawClient raw = client();
    raw.send(request_of(random, model));
    pause(random, 5'000);
    if (is(model, "flow") && one_in(random, 2)) raw.read_head();
    departures_.left(model);
    leave(raw, random);
  }

  // All of it, a part of it, or with company: another before it or one that comes too early behind it.
  static std::string request_of(Random& random, const std::string& model) {
    const bool stream =
        !is(model, "whole") && (is_one_of(model, std::array{"silent", "flow", "short", "late"}) || one_in(random, 2));
    std::string body = stream ? stream_body(model) : chat_body(model);
    if (is(model, "large")) body.replace(body.find(kHello), kHello.size(), std::string(300 * 1024, 'x'));
    std::string request = post_request(kChat, body);
    const auto head = request.find("\r\n\r\n") + 4;
    if (is(model, "head")) request.resize(random() % head);
    if (is(model, "body")) request.resize(head + random() % (request.size() - head));
    if (one_in(random, 5)) request = get_request("/v1/models") + request;
    if (one_in(random, 5)) request += get_request("/v1/models");
    return request;
  }

  static void leave(RawClient& raw, Random& random) {
    if (one_in(random, 3)) return raw.reset();
    if (one_in(random, 2)) return raw.close();
    raw.shutdown_write();
    raw.wait_end(10s);
  }

  bool eventually_quiet() {
    return eventually(
        [&] {
          const Metrics metrics = gateway().metrics();
          return metrics.sum("sluice_requests_in_flight") == 0 && metrics.sum("sluice_client_connections") == 0;
        },
        20s);
  }

  BlackholePort blackhole_;
  Departures departures_;
  int first_ = 1;  // number that has not been used
};

TEST_F(AbortRace, F05F06F07RandomMomentsLeaveNothingBehind) {
  constexpr std::size_t kMebibyte = 1024 * 1024;
  const auto once = [this](Random& random, int number) { abort_somewhere(random, number); };
  many(200, once);  // whatever is opened or grown once
  ASSERT_TRUE(eventually_quiet());
  const std::size_t fds = gateway().open_fds();
  const std::size_t resident = gateway().resident_bytes();
  many(scaled(1'000), once);
  ASSERT_TRUE(eventually_quiet()) << gateway().admin("/metrics").body;
  EXPECT_TRUE(eventually([&] { return gateway().open_fds() <= fds; })) << gateway().open_fds() << " > " << fds;
  const std::size_t grown = std::max(gateway().resident_bytes(), resident) - resident;
  RecordProperty("grown_kib", static_cast<int>(grown / 1024));
  EXPECT_LT(grown, 16 * kMebibyte);
  const auto delays = departures_.delays(upstream_.connections());
  ASSERT_FALSE(delays.empty());
  RecordProperty("closed_after_ms", static_cast<int>(delays[delays.size() * 99 / 100].count()));
  EXPECT_LE(delays[delays.size() * 99 / 100], 2 * abort_bound()) << "the slowest " << delays.back().count() << " ms";
}

// A client that has only stopped sending hears how its answer ended, and the record must say the same.
TEST_F(AbortRace, F08AnAnswerIsCompleteOrCutAndTheRecordAgrees) {
  std::mutex mutex;
  std::map<std::string, Response> seen;
  const int count = scaled(1'000);
  many(count, [&](Random& random, int number) {
    const std::string kind = std::array{"any-short-", "any-whole-", "any-late-"}.at(random() % 3);
    const std::string model = kind + std::to_string(number);
    RawClient raw = client();
    raw.send(post_request(kChat, is(model, "whole") ? chat_body(model) : stream_body(model)));
    pause(random, is(model, "late") ? 60'000 : 4'000);
    if (one_in(random, 4)) return one_in(random, 2) ? raw.reset() : raw.close();
    raw.shutdown_write();
    Response response = raw.read_response();
    const std::lock_guard lock(mutex);
    seen.emplace(model, std::move(response));
  });
  ASSERT_TRUE(eventually_quiet());
  int complete = 0;
  const auto lines = gateway().trace(static_cast<std::size_t>(count), 20s);
  EXPECT_EQ(lines.size(), static_cast<std::size_t>(count));
  for (const json& line : lines) {
    EXPECT_TRUE(line["outcome"] == "ok" || line["outcome"] == "client_abort") << line;
    const auto found = seen.find(line["model"]);
    if (found == seen.end()) continue;
    const Response& response = found->second;
    complete += response.complete ? 1 : 0;
    EXPECT_EQ(response.complete, line["outcome"] == "ok") << line << "\n" << response.body;
    EXPECT_TRUE(response.complete || response.body.find("[DONE]") == std::string::npos) << line;
    EXPECT_EQ(response.body.find("\"error\""), std::string::npos) << response.body;
  }
  RecordProperty("complete", complete);
  EXPECT_GT(complete, 0) << "the race was never lost";
  EXPECT_LT(complete, static_cast<int>(seen.size())) << "the race was never won";
}

}  // namespace
}  // namespace sluice::integration
