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
  RollingRestart() : GatewayTest(UpstreamOptions{.keep_requests = false}) {}

  // On the port of the one before, unless it is the first.
  std::unique_ptr<Gateway> next(std::uint16_t port) {
    std::string text = config_text({.workers = 2, .server = "drain_grace: 300ms, drain_timeout: 10s"}, upstream_.url());
    const std::string_view any = "listen: \"127.0.0.1:0\"";
    text.replace(text.find(any), any.size(), "listen: \"127.0.0.1:" + std::to_string(port) + "\"");
    auto made = std::make_unique<Gateway>(GatewayOptions{.binary = sluice_binary(), .config = text});
    if (!made->wait_ready()) throw std::runtime_error("the gateway did not start:\n" + made->output());
    return made;
  }
};

TEST_F(RollingRestart, F72OneGatewayAfterTheOtherServesEveryRequest) {
  upstream_.set_script([](const ObservedRequest& request) {
    return request.body.contains("\"stream\":true") ? Behaviour().stream(chat_stream({"a", "b"})).event_gap(1ms)
                                                    : Behaviour().json(chat_answer());
  });
  auto running = next(0);
  SteadyLoad keeping({.port = running->port(), .plain = 3, .streaming = 2});
  SteadyLoad always_new({.port = running->port(), .plain = 3, .streaming = 0, .new_connections = true});
  std::size_t served = 0;
  const int restarts = scaled(3);
  for (int i = 0; i < restarts; ++i) {
    auto successor = next(running->port());
    running->signal(SIGTERM);
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
  EXPECT_EQ(served, static_cast<std::size_t>(keeping.requests() + always_new.requests())) << "a trace line each";
}

}  // namespace
}  // namespace sluice::integration
