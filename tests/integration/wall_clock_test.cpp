// F69: the wall clock jumps, goes back or stands still, and nothing but the times that are written down follows it.

#include <csignal>
#include <ctime>
#include <ostream>

#include "hooks/shared.hpp"
#include "hooks/wall_clock.hpp"
#include "integration/trace_files.hpp"
#include "support/paths.hpp"

namespace sluice::integration {
namespace {

using hooks::WallClock;
using std::chrono::nanoseconds;

constexpr auto kTimeout = 300ms;  // of everything that is timed here

class WallClockTest : public GatewayTest {
 protected:
  using GatewayTest::start;

  // False: preloading has no effect here.
  bool start_shifted(const Scenario& scenario) {
    Scenario shifted = scenario;
    shifted.environment = {{"LD_PRELOAD", support::shifted_clock_library()}, {hooks::kWallClock, clock_.path()}};
    start(shifted);
    clock_->ahead_ns = nanoseconds(48h).count();
    const bool seen = seconds_ahead() > 3600;
    clock_->ahead_ns = 0;
    return seen;
  }
  // By the `date` of an answer.
  double seconds_ahead() {
    std::tm parts{};
    const std::string date = gateway().admin("/version").header("date");
    ::strptime(date.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    return std::difftime(::timegm(&parts), std::time(nullptr));
  }

  std::size_t lines_in_trace() override { return read_trace(gateway().directory().path("trace.jsonl")).lines; }

  hooks::Shared<WallClock> clock_;
};

struct Jump {
  const char* name;
  void (*make)(WallClock&);
  friend void PrintTo(const Jump& jump, std::ostream* out) { *out << jump.name; }
};
const Jump kJumps[] = {
    {"AnHourAhead", [](WallClock& clock) { clock.ahead_ns = nanoseconds(1h).count(); }},
    {"AnHourBack", [](WallClock& clock) { clock.ahead_ns = -nanoseconds(1h).count(); }},
    {"StandsStill", [](WallClock& clock) { clock.frozen = true; }},
    {"GoesBackWards", [](WallClock& clock) { clock.back_per_ask = nanoseconds(20ms).count(); }},
};

class WallClockJump : public WallClockTest, public ::testing::WithParamInterface<Jump> {};

::testing::AssertionResult in_time(Clock::time_point begun) {
  const auto took = std::chrono::duration_cast<milliseconds>(Clock::now() - begun);
  if (took >= kTimeout && took <= kTimeout + 10 * abort_bound()) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << took.count() << " ms";
}

// Three that run into a time-out and one that does not are under way when the clock jumps.
TEST_P(WallClockJump, F69NoTimeOutComesEarlyOrLateAndNoDurationIsNegative) {
  const auto gate = std::make_shared<Gate>();
  upstream_.on_model("any-hang").hang();
  upstream_.on_model("any-stall").stream({role_chunk()}).stall();
  upstream_.on_model("any-good").stream({role_chunk()}).then_wait_for(gate).stream({finish_chunk(), kDone});
  if (!start_shifted({.timeouts = "first_byte: 300ms, first_token: 300ms, idle: 300ms, total: 20s",
                      .limits = "head_timeout: 300ms"})) {
    GTEST_SKIP() << "preloading has no effect in this build";
  }
  RawClient hang = client(), stall = client(), good = client(), slow = client();
  good.send(post_request(kChat, stream_body("any-good")));
  ASSERT_TRUE(good.read_head());
  stall.send(post_request(kChat, stream_body("any-stall")));
  ASSERT_TRUE(stall.read_head() && stall.next_event());
  const auto stalls = Clock::now();
  hang.send(post_request(kChat, chat_body("any-hang")));
  slow.send("POST /v1/chat/completions HTTP/1.1\r\n");
  GetParam().make(*clock_);
  gate->open();
  EXPECT_TRUE(good.finish().complete);
  EXPECT_TRUE(ends_in_error(stall.finish(), "upstream_idle_timeout"));
  EXPECT_TRUE(in_time(stalls));
  EXPECT_TRUE(is_error(hang.read_response(), 504, "upstream_timeout"));
  EXPECT_TRUE(in_time(stalls));
  EXPECT_TRUE(is_error(slow.read_response(), 408, "request_timeout"));
  EXPECT_TRUE(in_time(stalls));
  const auto lines = gateway().trace(3);
  EXPECT_EQ(lines.size(), 3U);
  for (const json& line : lines) {
    for (const auto& [stage, span] : line["ledger_us"].items()) {
      EXPECT_GE(span, 0) << line;
      EXPECT_LT(span, 5'000'000) << line;
    }
    EXPECT_LT(line["duration_us"], 5'000'000) << line;
  }
  const Metrics metrics = gateway().metrics();
  for (const char* sum : {"gen_ai_server_request_duration_seconds_sum", "sluice_overhead_seconds_sum",
                          "gen_ai_server_time_to_first_token_seconds_sum", "sluice_loop_lag_seconds_sum"}) {
    EXPECT_GE(metrics.sum(sum), 0) << sum;
    EXPECT_LT(metrics.sum(sum), 10) << sum;
  }
}

// Neither the time that is given to streams nor the end of the process.
TEST_P(WallClockJump, F69ADrainTakesItsTime) {
  upstream_.on(kChat).stream({role_chunk()}).stall();
  if (!start_shifted({.server = "drain_grace: 0s, drain_timeout: 300ms", .timeouts = "idle: 20s, total: 60s"})) {
    GTEST_SKIP() << "preloading has no effect in this build";
  }
  RawClient stream = client();
  stream.send(post_request(kChat, stream_body()));
  ASSERT_TRUE(stream.read_head() && stream.next_event());
  const auto asked = Clock::now();
  gateway().signal(SIGTERM);
  ASSERT_TRUE(eventually([&] { return gateway().admin("/readyz").status == 503; }));
  GetParam().make(*clock_);
  EXPECT_TRUE(ends_in_error(stream.finish(), "draining"));
  EXPECT_TRUE(in_time(asked));
  EXPECT_EQ(gateway().wait_exit(5s), 0);
}

TEST_P(WallClockJump, F69TheTraceAgesAsItDid) {
  const auto reload = [this](const std::string& age) {
    const double before = gateway().metrics().sum("sluice_config_reloads_total");
    gateway().replace_config(
        config_text({.trace = "path: {DIR}/trace.jsonl, rotate: {age: " + age + "}"}, upstream_.url()));
    gateway().signal(SIGHUP);
    ASSERT_TRUE(eventually([&] { return gateway().metrics().sum("sluice_config_reloads_total") > before; }));
  };
  if (!start_shifted({.trace = "path: {DIR}/trace.jsonl, rotate: {age: 30m}"})) {
    GTEST_SKIP() << "preloading has no effect in this build";
  }
  get("/v1/models");
  ASSERT_TRUE(eventually([&] { return lines_in_trace() == 1; }));
  GetParam().make(*clock_);
  reload("30m");  // the file is looked at
  get("/v1/models");
  ASSERT_TRUE(eventually([&] { return lines_in_trace() == 2; }));
  EXPECT_EQ(gateway().metrics().sum("sluice_trace_rotations_total"), 0);
  reload("1s");
  EXPECT_TRUE(eventually([&] { return gateway().metrics().sum("sluice_trace_rotations_total") == 1; }));
  EXPECT_EQ(read_trace(gateway().directory().path("trace.jsonl")).lines, 2U);
}

INSTANTIATE_TEST_SUITE_P(With, WallClockJump, ::testing::ValuesIn(kJumps),
                         [](const auto& jump) { return jump.param.name; });

}  // namespace
}  // namespace sluice::integration
