// F68: whatever happens to the trace's file, no request notices, and every line is written or counted as dropped.

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <array>
#include <csignal>
#include <fstream>

#include "integration/trace_files.hpp"
#include "support/paths.hpp"

namespace sluice::integration {
namespace {

namespace fs = std::filesystem;

class TraceSink : public GatewayTest {
 protected:
  std::size_t lines_in_trace() override {
    const Metrics all = gateway().metrics();
    return static_cast<std::size_t>(all.sum("sluice_trace_lines_total") - config_lines(all));
  }
  // One at the start, and one for each reload.
  static double config_lines(const Metrics& all) { return 1 + all.sum("sluice_config_reloads_total"); }
  std::string trace_path() { return gateway().directory().path("trace.jsonl"); }
  double metric(std::string_view name, std::initializer_list<std::string_view> labels = {}) {
    return gateway().metrics().sum(name, labels);
  }
  // Until every request counted so far is written or dropped.
  ::testing::AssertionResult settles() {
    const bool settled = eventually(
        [&] {
          const Metrics all = gateway().metrics();
          return all.sum("sluice_requests_total") + config_lines(all) ==
                     all.sum("sluice_trace_lines_total") + all.sum("sluice_trace_dropped_total") &&
                 all.sum("sluice_trace_queue_bytes") == 0;
        },
        20s);
    return settled ? ::testing::AssertionSuccess() : ::testing::AssertionFailure() << gateway().admin("/metrics").body;
  }
  // Until so many requests are answered under load; then none has failed.
  void load(std::size_t requests) {
    Load clients(gateway().port(), 4);
    EXPECT_TRUE(eventually([&] { return clients.answered() >= requests; }, 30s));
    clients.stop();
    EXPECT_EQ(clients.failed(), 0U);
    EXPECT_LT(clients.slowest(), 2s);
  }
  void reload(const Scenario& scenario) {
    const double before = metric("sluice_config_reloads_total");
    gateway().replace_config(config_text(scenario, upstream_.url()));
    gateway().signal(SIGHUP);
    ASSERT_TRUE(eventually([&] { return metric("sluice_config_reloads_total") > before; }));
  }
  // No gateway in these directories any more; what is there is whole.
  void expect_whole(std::size_t lines) {
    const TraceText text = read_trace(trace_path());
    EXPECT_EQ(text.lines, lines);
    EXPECT_TRUE(text.bad.empty()) << text.bad.front();
    EXPECT_EQ(text.tail, "");
  }
};

TEST_F(TraceSink, F68RotationUnderLoadLosesNoLine) {
  start({.trace = "path: {DIR}/trace.jsonl, rotate: {size: 64KiB, keep: 10000}"});
  {
    Load clients(gateway().port(), 4);
    for (int i = 0; i < 5; ++i) {
      const auto answered = clients.answered();
      ASSERT_TRUE(eventually([&] { return clients.answered() >= answered + 200; }, 30s));
      gateway().signal(SIGHUP);
    }
    clients.stop();
    EXPECT_EQ(clients.failed(), 0U);
  }
  ASSERT_TRUE(settles());
  EXPECT_EQ(metric("sluice_trace_dropped_total"), 0);
  expect_whole(static_cast<std::size_t>(metric("sluice_requests_total")));
  EXPECT_GE(put_aside(trace_path()).size(), 3U);
  EXPECT_EQ(metric("sluice_trace_rotations_total", {R"(result="ok")"}), put_aside(trace_path()).size());
  for (const auto& file : put_aside(trace_path())) EXPECT_LE(fs::file_size(file), 64U * 1024);
}

TEST_F(TraceSink, F68RotationByAgeNeedsNoLineToHappen) {
  start({.trace = "path: {DIR}/trace.jsonl, rotate: {age: 1s}"});
  get("/v1/models");
  ASSERT_TRUE(settles());
  EXPECT_TRUE(eventually([&] { return put_aside(trace_path()).size() == 1; }));
  EXPECT_TRUE(eventually([&] { return fs::exists(trace_path()) && fs::file_size(trace_path()) == 0; }));
  expect_whole(1);
}

TEST_F(TraceSink, F68MovedOrDeletedUnderLoadItGoesOnInANewFile) {
  start();
  Load clients(gateway().port(), 4);
  for (int i = 0; i < 12; ++i) {
    const auto answered = clients.answered();
    ASSERT_TRUE(eventually([&] { return clients.answered() >= answered + 50; }, 30s));
    fs::rename(trace_path(), trace_path() + "." + std::to_string(10 + i));
    if (i % 2 == 0) gateway().signal(SIGHUP);
    ASSERT_TRUE(eventually([&] { return fs::exists(trace_path()); }));
  }
  clients.stop();
  EXPECT_EQ(clients.failed(), 0U);
  ASSERT_TRUE(settles());
  expect_whole(static_cast<std::size_t>(metric("sluice_requests_total")));
  fs::remove(trace_path());
  get("/v1/models");
  ASSERT_TRUE(settles());
  EXPECT_EQ(gateway().trace(1).size(), 1U);
}

TEST_F(TraceSink, F68ADiskThatHangsCostsLinesAndNoRequest) {
  const TempDir disk;
  const std::string pipe = disk.path("pipe");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const int reader = ::open(pipe.c_str(), O_RDWR);
  start({.trace = "queue_bytes: 256KiB, path: " + pipe});
  {
    Load clients(gateway().port(), 4);
    EXPECT_TRUE(
        eventually([&] { return metric("sluice_trace_dropped_total", {R"(reason="queue_full")"}) >= 100; }, 30s));
    clients.stop();
    EXPECT_EQ(clients.failed(), 0U);
    EXPECT_LT(clients.slowest(), 2s);
  }
  EXPECT_LE(metric("sluice_trace_queue_bytes"), 256 * 1024);
  EXPECT_TRUE(gateway().wait_output("lines are being dropped"));
  TraceText text;
  std::string got;
  std::thread drain([&] {
    std::string chunk(65'536, '\0');
    for (ssize_t size = 0; (size = ::read(reader, chunk.data(), chunk.size())) > 0 && chunk[0] != '!';) {
      got.append(chunk.data(), static_cast<std::size_t>(size));
    }
  });
  EXPECT_TRUE(settles());
  EXPECT_TRUE(gateway().wait_output("is written again; lines lost: "));
  while (::write(reader, "!", 1) != 1) {
  }
  drain.join();
  text.add(got);
  EXPECT_EQ(text.lines, lines_in_trace());
  EXPECT_TRUE(text.bad.empty());
  ::close(reader);
}

TEST_F(TraceSink, F68ADiskThatHangsDoesNotHoldUpTheEnd) {
  const TempDir disk;
  const std::string pipe = disk.path("pipe");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const int holder = ::open(pipe.c_str(), O_RDWR);
  start({.trace = "queue_bytes: 256KiB, path: " + pipe});
  load(300);
  EXPECT_GT(metric("sluice_trace_queue_bytes"), 0) << "the pipe is full";
  const auto begun = Clock::now();
  stop();
  EXPECT_LT(Clock::now() - begun, 8s);
  ::close(holder);
}

// A pipe that somebody holds open and nobody reads.
class HangingPipe {
 public:
  HangingPipe() {
    if (::mkfifo(path().c_str(), 0600) != 0) throw std::runtime_error("mkfifo failed");
    end_ = Fd(::open(path().c_str(), O_RDWR | O_CLOEXEC));
  }
  std::string path() const { return disk_.path("pipe"); }
  // Everything in it, until so many lines about requests have come, behind the one about the configuration.
  TraceText read(std::size_t lines) {
    std::string got;
    for (std::string chunk(65'536, '\0'); static_cast<std::size_t>(std::ranges::count(got, '\n')) <= lines;) {
      const ssize_t size = ::read(end_.get(), chunk.data(), chunk.size());
      if (size <= 0) break;
      got.append(chunk.data(), static_cast<std::size_t>(size));
    }
    TraceText text;
    text.add(got);
    return text;
  }

 private:
  TempDir disk_;
  Fd end_;
};

TEST_F(TraceSink, F68ADiskThatHangsIsLeftByAReloadAndLetGoOnceItAnswers) {
  HangingPipe pipe;
  start({.trace = "path: " + pipe.path()});
  const std::size_t fds = gateway().open_fds();
  load(300);
  const auto hanging = static_cast<std::size_t>(metric("sluice_requests_total"));
  EXPECT_GT(metric("sluice_trace_queue_bytes"), 0) << "the pipe is full";
  reload({});
  get("/v1/models");
  EXPECT_EQ(gateway().trace(1).size(), 1U) << "what comes now is written";
  EXPECT_GT(gateway().open_fds(), fds) << "the pipe is still open";
  const TraceText text = pipe.read(hanging);
  EXPECT_EQ(text.lines, hanging) << "what had to wait is not lost";
  EXPECT_TRUE(text.bad.empty());
  ASSERT_TRUE(settles());
  EXPECT_TRUE(eventually([&] { return gateway().open_fds() <= fds; })) << gateway().open_fds() << " > " << fds;
  EXPECT_EQ(metric("sluice_trace_dropped_total"), 0);
}

TEST_F(TraceSink, F68NoMoreThanAFewHangingDisksAreLeft) {
  constexpr std::size_t kMost = 4;
  std::array<HangingPipe, kMost + 1> pipes;
  start({.trace = "path: " + pipes[0].path()});
  std::array<std::size_t, kMost + 1> lines{};
  for (std::size_t i = 0; i <= kMost; ++i) {
    const double before = metric("sluice_requests_total");
    load(200);
    lines.at(i) = static_cast<std::size_t>(metric("sluice_requests_total") - before);
    ASSERT_GT(metric("sluice_trace_queue_bytes"), 0);
    if (i < kMost) reload({.trace = "path: " + pipes.at(i + 1).path()});
  }
  EXPECT_EQ(metric("sluice_config_reloads_total", {R"(result="ok")"}), kMost);
  reload({});
  EXPECT_EQ(metric("sluice_config_reloads_total", {R"(result="failed")"}), 1);
  EXPECT_TRUE(gateway().wait_output("trace.path: cannot be written: 4 files that were left before still hang"));
  EXPECT_EQ(get("/v1/models").status, 200);
  pipes[0].read(lines[0]);
  EXPECT_TRUE(eventually([&] {
    reload({});
    return metric("sluice_config_reloads_total", {R"(result="ok")"}) == kMost + 1;
  }));
  for (std::size_t i = 1; i < kMost; ++i) EXPECT_EQ(pipes.at(i).read(lines.at(i)).lines, lines.at(i));
  pipes[kMost].read(lines[kMost] + 1);
  EXPECT_TRUE(settles());
}

// The limit on the size of files stands in for the size of a disk: the system refuses the bytes in the same way.
TEST_F(TraceSink, F68AFullDiskCostsNoRequestAndNoLineAsLongAsTheQueueLasts) {
  start();
  rlimit before{};
  ASSERT_EQ(::prlimit(gateway().process().pid(), RLIMIT_FSIZE, nullptr, &before), 0);
  const rlimit small{.rlim_cur = 20'000, .rlim_max = before.rlim_max};
  ASSERT_EQ(::prlimit(gateway().process().pid(), RLIMIT_FSIZE, &small, nullptr), 0);
  load(300);
  EXPECT_TRUE(eventually([&] { return metric("sluice_trace_write_errors_total") >= 3; }));
  EXPECT_TRUE(gateway().wait_output("cannot be written: File too large"));
  const TraceText full = read_trace(trace_path());
  EXPECT_GT(full.lines, 10U);
  EXPECT_EQ(full.tail, "") << "cut at a line";
  ASSERT_EQ(::prlimit(gateway().process().pid(), RLIMIT_FSIZE, &before, nullptr), 0);
  ASSERT_TRUE(settles());
  EXPECT_EQ(metric("sluice_trace_dropped_total"), 0);
  EXPECT_TRUE(gateway().wait_output("is written again; lines lost: 0"));
  expect_whole(static_cast<std::size_t>(metric("sluice_requests_total")));
}

TEST_F(TraceSink, F68WhatAFullDiskMakesUsLoseIsCounted) {
  start({.trace = "path: {DIR}/trace.jsonl, queue_bytes: 256KiB"});
  const rlimit small{.rlim_cur = 20'000, .rlim_max = RLIM_INFINITY};
  ASSERT_EQ(::prlimit(gateway().process().pid(), RLIMIT_FSIZE, &small, nullptr), 0);
  Load clients(gateway().port(), 4);
  EXPECT_TRUE(eventually([&] { return metric("sluice_trace_dropped_total", {R"(reason="write_error")"}) >= 50; }, 30s));
  clients.stop();
  EXPECT_EQ(clients.failed(), 0U);
  EXPECT_LT(clients.slowest(), 2s);
  const rlimit wide{.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
  ASSERT_EQ(::prlimit(gateway().process().pid(), RLIMIT_FSIZE, &wide, nullptr), 0);
  ASSERT_TRUE(settles());
  const auto lost = static_cast<std::size_t>(metric("sluice_trace_dropped_total"));
  EXPECT_TRUE(gateway().wait_output("is written again; lines lost: " + std::to_string(lost)));
  expect_whole(static_cast<std::size_t>(metric("sluice_requests_total")) - lost);
}

TEST_F(TraceSink, AFileOfAnotherProcessIsRefusedAtTheStartAndInAReload) {
  start();
  Gateway second(
      {.binary = support::sluice_binary(), .config = config_text({.trace = "path: " + trace_path()}, upstream_.url())});
  EXPECT_EQ(second.wait_exit(), 1);
  EXPECT_NE(second.output().find("trace.jsonl: another process writes to it"), std::string::npos) << second.output();
  Gateway other({.binary = support::sluice_binary(), .config = config_text({}, upstream_.url())});
  ASSERT_TRUE(other.wait_ready());
  other.replace_config(config_text({.trace = "path: " + trace_path()}, upstream_.url()));
  other.signal(SIGHUP);
  EXPECT_TRUE(other.wait_output("another process writes to it"));
  EXPECT_TRUE(other.wait_output("reload refused"));
  EXPECT_EQ(fetch(other.port(), get_request("/v1/models")).status, 200);
  EXPECT_EQ(other.trace(1).size(), 1U) << "its own goes on";
}

TEST_F(TraceSink, APathThatCannotBeRightIsRefused) {
  Gateway wrong({.binary = support::sluice_binary(),
                 .config = config_text({.trace = "path: {DIR}/gateway.yaml/trace.jsonl"}, upstream_.url())});
  EXPECT_EQ(wrong.wait_exit(), 1);
  EXPECT_NE(wrong.output().find("trace.path: cannot be written"), std::string::npos) << wrong.output();
  EXPECT_FALSE(wrong.wait_ready(0ms));
}

}  // namespace
}  // namespace sluice::integration
