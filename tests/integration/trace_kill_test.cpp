// F73: a process that is killed leaves at most one unfinished line; the next one puts that right, and is there at once.

#include <csignal>
#include <iostream>
#include <random>

#include "integration/trace_files.hpp"
#include "support/paths.hpp"

namespace sluice::integration {
namespace {

// How long a start may take until a request is answered.
milliseconds start_bound() {
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  return 100 * abort_bound();
#endif
#endif
  return 20 * abort_bound();
}

class Killed : public ::testing::Test {
 protected:
  void SetUp() override { upstream_.on("/v1/chat/completions").stream({role_chunk()}).stall(); }

  // One that takes the place of the one before.
  std::unique_ptr<Gateway> start() {
    const auto begun = Clock::now();
    const std::string config =
        config_text({.trace = "rotate: {size: 256KiB, keep: 10000}, path: " + path()}, upstream_.url());
    auto gateway =
        std::make_unique<Gateway>(GatewayOptions{.binary = support::sluice_binary(), .config = at_port(config, port_)});
    EXPECT_TRUE(gateway->wait_ready()) << gateway->output();
    port_ = gateway->port();
    EXPECT_EQ(fetch(port_, get_request("/v1/models")).status, 200);
    const auto took = std::chrono::duration_cast<milliseconds>(Clock::now() - begun);
    EXPECT_LE(took, start_bound());
    slowest_start_ = std::max(slowest_start_, took);
    return gateway;
  }
  std::string path() const { return directory_.path("trace.jsonl"); }
  std::vector<RawClient> streams(int count) {
    std::vector<RawClient> all;
    for (int i = 0; i < count; ++i) {
      all.emplace_back(port_);
      all.back().send(post_request("/v1/chat/completions", stream_body()));
      EXPECT_TRUE(all.back().read_head() && all.back().next_event());
    }
    return all;
  }

  TempDir directory_;
  ScriptedUpstream upstream_;
  std::uint16_t port_ = 0;
  milliseconds slowest_start_{0};
};

TEST_F(Killed, F73UnderLoadItLeavesOneUnfinishedLineAtMostAndTheNextIsThereAtOnce) {
  std::mt19937 random(20261121);
  std::size_t unfinished = 0, lines = 0, answered = 0;
  const int kills = scaled(5);
  for (int i = 0; i < kills; ++i) {
    const auto gateway = start();
    const TraceText before = read_trace(path());
    EXPECT_EQ(before.tail, "") << "an unfinished line is gone before the first new one";
    EXPECT_TRUE(before.bad.empty()) << before.bad.front();
    EXPECT_GE(before.lines, lines) << "and nothing else is";
    auto cut = streams(3);
    Load clients(port_, 4);
    const auto until = random() % 120;
    EXPECT_TRUE(eventually([&] { return clients.answered() >= until; }, 20s));
    gateway->signal(SIGKILL);
    ASSERT_EQ(gateway->wait_exit(), 128 + SIGKILL);
    clients.stop();
    for (RawClient& stream : cut) EXPECT_FALSE(stream.finish().complete);
    answered += clients.answered();
    EXPECT_EQ(clients.failed(), 0U);
    const TraceText after = read_trace(path());
    EXPECT_TRUE(after.bad.empty()) << after.bad.front();
    unfinished += after.tail.empty() ? 0U : 1U;
    lines = after.lines;
  }
  RecordProperty("unfinished", static_cast<int>(unfinished));
  RecordProperty("slowest_start_ms", static_cast<int>(slowest_start_.count()));
  std::cout << kills << " kills: " << answered << " answered, " << lines << " lines, " << unfinished
            << " unfinished, slowest start " << slowest_start_.count() << " ms\n";
}

TEST_F(Killed, F73ItsUnfinishedLineIsRemovedAtTheNextStart) {
  directory_.write("trace.jsonl", "{\"event\":\"request\"}\n{\"time\":\"2026-11-21T05:");
  const auto gateway = start();
  EXPECT_TRUE(gateway->wait_output("removed 23 bytes of an unfinished last line"));
  const TraceText text = read_trace(path());
  EXPECT_EQ(text.lines, 1U);
  EXPECT_EQ(text.tail, "");
  EXPECT_TRUE(text.bad.empty());
}

// Long lines, so that the pipe and the queue are full soon.
class UnreadLog : public GatewayTest {
 protected:
  void ask_much(int count) {
    std::string model;
    for (int i = 0; i < 60; ++i) model += "\\u0001";
    RawClient raw = client();
    for (int i = 0; i < count; ++i) {
      const auto begun = Clock::now();
      ASSERT_TRUE(raw.send(post_request(kChat, chat_body(model))));
      ASSERT_EQ(raw.read_response().status, 404);
      EXPECT_LT(Clock::now() - begun, 2s);
    }
  }
};

TEST_F(UnreadLog, F68AStandardErrorThatNobodyReadsHoldsUpNobody) {
  start({.more = "log: {queue_bytes: 256KiB}\n"});
  gateway().process().pause_output(true);
  for (int i = 0; i < 40 && gateway().metrics().sum("sluice_log_dropped_total", {R"(reason="queue_full")"}) == 0; ++i) {
    ask_much(100);
  }
  EXPECT_GT(gateway().metrics().sum("sluice_log_dropped_total", {R"(reason="queue_full")"}), 0);
  gateway().replace_config("broken: [");
  gateway().signal(SIGHUP);
  EXPECT_TRUE(
      eventually([&] { return gateway().metrics().sum("sluice_config_reloads_total", {R"(result="failed")"}) == 1; }));
  EXPECT_EQ(gateway().admin("/healthz").status, 200);
  EXPECT_EQ(get("/v1/models").status, 200);
  gateway().process().pause_output(false);
  EXPECT_TRUE(gateway().wait_output("standard error: is written again; lines lost: "));
  EXPECT_TRUE(eventually([&] {
    const Metrics metrics = gateway().metrics();
    return metrics.sum("sluice_log_queue_bytes") == 0;
  }));
}

TEST_F(UnreadLog, F68NorTheEnd) {
  start({.more = "log: {queue_bytes: 256KiB}\n"});
  gateway().process().pause_output(true);
  ask_much(300);
  const auto begun = Clock::now();
  gateway().signal(SIGTERM);
  EXPECT_EQ(gateway().wait_exit(15s), 0);
  EXPECT_LT(Clock::now() - begun, 8s);
  gateway_.reset();
}

}  // namespace
}  // namespace sluice::integration
