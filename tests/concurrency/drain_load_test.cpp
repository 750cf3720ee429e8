// F72 with many: a drain of hundreds of streams, and a gateway that is replaced again and again on one port.

#include <sys/resource.h>

#include <csignal>
#include <set>

#include "concurrency/steady_load.hpp"
#include "support/paths.hpp"

namespace sluice::integration {
namespace {

using DrainLoad = GatewayTest;

// Both ends of every stream are ours, and the gateway's two come from its own limit.
void allow_descriptors(rlim_t count) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = std::max(limit.rlim_cur, std::min(count, limit.rlim_max));
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

TEST_F(DrainLoad, F72FiveHundredStreamsEndWellOrWithADrainingEvent) {
  constexpr std::size_t kStreams = 500;
  allow_descriptors(4'000);
  const auto gate = std::make_shared<Gate>();
  upstream_.set_script([gate](const ObservedRequest& request) {
    Behaviour behaviour;
    behaviour.stream({role_chunk()});
    if (request.model == "any-stays") return behaviour.stall();
    return behaviour.then_wait_for(gate).stream({finish_chunk(), kDone});
  });
  start({.workers = 3, .server = "drain_grace: 0s, drain_timeout: 3s", .timeouts = "idle: 60s, total: 2m"});
  std::vector<RawClient> streams;
  for (std::size_t i = 0; i < kStreams; ++i) {
    streams.push_back(client());
    streams.back().send(post_request(kChat, stream_body(i % 2 == 0 ? "any-ends" : "any-stays")));
  }
  for (RawClient& stream : streams) {
    ASSERT_TRUE(stream.read_head());
    ASSERT_TRUE(stream.next_event());
  }
  const auto asked = Clock::now();
  gateway().signal(SIGTERM);
  EXPECT_TRUE(eventually([&] { return gateway().admin("/readyz").status == 503; }));
  EXPECT_LE(Clock::now() - asked, 10 * abort_bound());
  gate->open();
  for (std::size_t i = 0; i < kStreams; i += 2) {
    const Response response = streams[i].finish();
    ASSERT_TRUE(response.complete) << response.body;
    ASSERT_EQ(data_of(response).back(), kDone);
  }
  for (std::size_t i = 1; i < kStreams; i += 2) ASSERT_TRUE(ends_in_error(streams[i].finish(), "draining"));
  EXPECT_EQ(gateway().wait_exit(20s), 0);
  const auto lines = gateway().trace(kStreams);
  EXPECT_EQ(lines.size(), kStreams);
  EXPECT_EQ(std::ranges::count_if(lines, [](const json& line) { return line["outcome"] == "ok"; }), kStreams / 2);
  EXPECT_EQ(std::ranges::count_if(lines, [](const json& line) { return line["outcome"] == "shed"; }), kStreams / 2);
}

class RollingRestart : public GatewayTest {
 protected:
  static constexpr auto kDrainTimeout = 500ms;

  RollingRestart() : GatewayTest(UpstreamOptions{.keep_requests = false}) {}

  void SetUp() override {
    upstream_.set_script([this](const ObservedRequest& request) {
      Behaviour behaviour;
      if (request.model == "any-stays") return behaviour.stream({role_chunk()}).stall();
      if (request.model.starts_with("any-ends-")) {
        const auto gate = gates_.at(static_cast<std::size_t>(std::stoi(request.model.substr(9))));
        return behaviour.stream({role_chunk()}).then_wait_for(gate).stream({finish_chunk(), kDone});
      }
      return request.body.contains("\"stream\":true") ? behaviour.stream(chat_stream({"a", "b"})).event_gap(1ms)
                                                      : behaviour.json(chat_answer());
    });
    for (int i = 0; i < restarts_; ++i) gates_.push_back(std::make_shared<Gate>());
  }

  // On the port of the one before, unless it is the first.
  std::unique_ptr<Gateway> next(std::uint16_t port) {
    const std::string text = config_text(
        {.workers = 2, .server = "drain_grace: 200ms, drain_timeout: 500ms", .timeouts = "idle: 60s, total: 2m"},
        upstream_.url());
    auto made = std::make_unique<Gateway>(GatewayOptions{.binary = sluice_binary(), .config = at_port(text, port)});
    if (!made->wait_ready()) throw std::runtime_error("the gateway did not start:\n" + made->output());
    return made;
  }
  static RawClient stream(std::uint16_t port, const std::string& model) {
    RawClient raw(port);
    raw.send(post_request(kChat, stream_body(model)));
    EXPECT_TRUE(raw.read_head() && raw.next_event());
    return raw;
  }

  const int restarts_ = scaled(5);
  std::vector<std::shared_ptr<Gate>> gates_;  // one per restart
};

// Under load, and with two long streams each time: one that ends while the gateway drains, and one that never would.
TEST_F(RollingRestart, F72OneGatewayAfterTheOtherServesEveryRequestAndCutsNoStreamEarly) {
  auto running = next(0);
  SteadyLoad keeping({.port = running->port(), .plain = 3, .streaming = 2, .pause = 8ms});
  SteadyLoad always_new({.port = running->port(), .plain = 3, .streaming = 0, .new_connections = true, .pause = 8ms});
  std::size_t served = 0;
  for (int i = 0; i < restarts_; ++i) {
    RawClient ends = stream(running->port(), "any-ends-" + std::to_string(i));
    RawClient stays = stream(running->port(), "any-stays");
    auto successor = next(running->port());
    const auto asked = Clock::now();
    running->signal(SIGTERM);
    ASSERT_TRUE(eventually([&] { return running->admin("/readyz").status == 503; }));
    gates_[static_cast<std::size_t>(i)]->open();
    EXPECT_EQ(data_of(ends.finish()).back(), kDone);
    EXPECT_TRUE(ends_in_error(stays.finish(), "draining"));
    EXPECT_GE(Clock::now() - asked, kDrainTimeout);
    ASSERT_EQ(running->wait_exit(20s), 0) << running->output();
    EXPECT_EQ(running->sanitizer_report(), "");
    served += running->trace().size();
    running = std::move(successor);
  }
  keeping.stop();
  always_new.stop();
  EXPECT_EQ(keeping.failed(), 0) << keeping.first_failure();
  EXPECT_EQ(always_new.failed(), 0) << always_new.first_failure();
  running->signal(SIGTERM);
  EXPECT_EQ(running->wait_exit(20s), 0);
  served += running->trace().size();
  RecordProperty("requests", static_cast<int>(served));
  EXPECT_EQ(served, static_cast<std::size_t>(keeping.requests() + always_new.requests() + 2 * restarts_))
      << "a trace line each";
}

}  // namespace
}  // namespace sluice::integration
