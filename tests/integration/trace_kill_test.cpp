// F73: a process that is killed leaves at most one unfinished line, and the next one puts that right.

#include <csignal>
#include <fstream>
#include <random>

#include "integration/trace_files.hpp"
#include "support/paths.hpp"

namespace sluice::integration {
namespace {

namespace fs = std::filesystem;

int kills() {
  const char* wanted = std::getenv("SLUICE_KILLS");
  return wanted == nullptr ? 12 : std::atoi(wanted);
}

TEST(TraceKill, F73KilledUnderLoadItLeavesOneUnfinishedLineAtMost) {
  const TempDir directory;
  const std::string path = directory.path("trace.jsonl");
  ScriptedUpstream upstream;
  std::mt19937 random(20261121);
  std::size_t unfinished = 0, lines = 0, answered = 0;
  milliseconds slowest_start{0};
  for (int i = 0; i < kills(); ++i) {
    const auto begun = Clock::now();
    Gateway gateway(
        {.binary = support::sluice_binary(),
         .config = config_text({.trace = "rotate: {size: 256KiB, keep: 10000}, path: " + path}, upstream.url())});
    ASSERT_TRUE(gateway.wait_ready()) << gateway.output();
    EXPECT_EQ(fetch(gateway.port(), get_request("/v1/models")).status, 200);
    slowest_start = std::max(slowest_start, std::chrono::duration_cast<milliseconds>(Clock::now() - begun));
    const TraceText before = read_trace(path);
    EXPECT_EQ(before.tail, "") << "an unfinished line is gone before the first new one";
    EXPECT_TRUE(before.bad.empty()) << before.bad.front();
    EXPECT_GE(before.lines, lines) << "and nothing else is";
    Load clients(gateway.port(), 4);
    const auto until = random() % 120;
    EXPECT_TRUE(eventually([&] { return clients.answered() >= until; }, 20s));
    gateway.signal(SIGKILL);
    ASSERT_EQ(gateway.wait_exit(), 128 + SIGKILL);
    clients.stop();
    answered += clients.answered();
    EXPECT_EQ(clients.failed(), 0U);
    const TraceText after = read_trace(path);
    EXPECT_TRUE(after.bad.empty()) << after.bad.front();
    unfinished += after.tail.empty() ? 0U : 1U;
    lines = after.lines;
  }
  RecordProperty("unfinished", static_cast<int>(unfinished));
  RecordProperty("slowest_start_ms", static_cast<int>(slowest_start.count()));
  std::cout << kills() << " kills: " << answered << " answered, " << lines << " lines, " << unfinished
            << " unfinished, slowest start " << slowest_start.count() << " ms\n";
}

TEST(TraceKill, F73TheUnfinishedLineOfAKilledProcessIsRemovedAtTheStart) {
  const TempDir directory;
  const std::string path = directory.path("trace.jsonl");
  directory.write("trace.jsonl", "{\"a\":1}\n{\"time\":\"2026-11-21T05:");
  ScriptedUpstream upstream;
  Gateway gateway(
      {.binary = support::sluice_binary(), .config = config_text({.trace = "path: " + path}, upstream.url())});
  ASSERT_TRUE(gateway.wait_ready());
  EXPECT_TRUE(gateway.wait_output("removed 23 bytes of an unfinished last line"));
  fetch(gateway.port(), get_request("/v1/models"));
  ASSERT_TRUE(eventually([&] { return read_trace(path).lines == 2; }));
  EXPECT_TRUE(read_trace(path).bad.empty());
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
