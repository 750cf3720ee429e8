// `sluice report` as it is called: files of all kinds go in, and a table, CSV or JSON comes out.

#include "sluice/report/report.hpp"

#include <zlib.h>

#include <ostream>

#include "support/temp_dir.hpp"
#include "unit/report/support.hpp"

namespace sluice::report {
namespace {

struct Printed {
  int code = 0;
  std::string out, err;
};

Printed run_with(const Options& options) {
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  const int code = run(options);
  return {code, ::testing::internal::GetCapturedStdout(), ::testing::internal::GetCapturedStderr()};
}

void pack(const std::string& path, const std::string& text) {
  gzFile file = ::gzopen(path.c_str(), "wb");
  ASSERT_EQ(::gzwrite(file, text.data(), static_cast<unsigned>(text.size())), static_cast<int>(text.size()));
  ::gzclose(file);
}

// One file that was put aside and compressed, and one that ends in the middle of a line.
class ReportCommand : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    const std::string more = R"("run_id":"run-7","duration_us":2500,"failed":true,"retries":1)";
    pack(aside_, tool_call("search", more) + "\n" + line(R"("run_id":"run-7","cost_usd":0.25)") + "\n");
    folder_.write("sluice.jsonl", tool_call("search", more) + "\nno line\n" + guard("run-7", "turns") + "\n{\"time\"");
  }
  Options options(const std::string& what) const {
    return {.what = what,
            .by = {},
            .since = {},
            .until = {},
            .format = GetParam(),
            .files = {aside_, folder_.path("sluice.jsonl")}};
  }

  support::TempDir folder_;
  std::string aside_ = folder_.path("sluice.jsonl.20261121T052758Z-0000.gz");
};

constexpr const char* kSkipped = "1 torn last lines were skipped\n1 lines were skipped: they are no trace lines\n";

TEST_P(ReportCommand, ToolsAreToldInEveryFormat) {
  const Printed printed = run_with(options("tools"));
  EXPECT_EQ(printed.code, 0);
  EXPECT_EQ(printed.err, kSkipped);
  const std::map<std::string, std::string> expected = {
      {"table",
       "tool    calls  failed  failed_percent  retries  p50_ms  p95_ms  p99_ms\n"
       "search      2       2          100.00        2   2.505   2.505   2.505\n"},
      {"csv",
       "tool,calls,failed,failed_percent,retries,p50_ms,p95_ms,p99_ms\r\nsearch,2,2,100.00,2,2.505,2.505,2.505\r\n"},
      {"json",
       "[\n {\"tool\":\"search\",\"calls\":2,\"failed\":2,\"failed_percent\":100.00,\"retries\":2,\"p50_ms\":2.505,"
       "\"p95_ms\":2.505,\"p99_ms\":2.505}\n]\n"}};
  EXPECT_EQ(printed.out, expected.at(GetParam()));
}

TEST_P(ReportCommand, RunsAreToldInEveryFormat) {
  const Printed printed = run_with(options("runs"));
  EXPECT_EQ(printed.code, 0);
  EXPECT_EQ(printed.err, kSkipped);
  const std::map<std::string, std::string> expected = {
      {"table",
       "run    requests  refused  tool_calls  input_tokens  output_tokens  cost_usd  wall_s  stopped_by  first\n"
       "run-7         1        1           2            10              5      0.25   0.000  turns       "
       "2026-11-21T04:53:36Z\n"},
      {"csv",
       "run,requests,refused,tool_calls,input_tokens,output_tokens,cost_usd,wall_s,stopped_by,first\r\n"
       "run-7,1,1,2,10,5,0.25,0.000,turns,2026-11-21T04:53:36Z\r\n"},
      {"json",
       "[\n {\"run\":\"run-7\",\"requests\":1,\"refused\":1,\"tool_calls\":2,\"input_tokens\":10,\"output_tokens\":5,"
       "\"cost_usd\":0.25,\"wall_s\":0.000,\"stopped_by\":\"turns\",\"first\":\"2026-11-21T04:53:36Z\"}\n]\n"}};
  EXPECT_EQ(printed.out, expected.at(GetParam()));
}

TEST_P(ReportCommand, TimesBoundWhatIsTold) {
  Options none = options("tools");
  none.since = "2026-11-22";
  EXPECT_EQ(run_with(none).out.find("search"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Of, ReportCommand, ::testing::Values("table", "csv", "json"),
                         [](const auto& format) { return std::string(format.param); });

TEST(ReportCommandLine, WhatNobodyKnowsIsRefused) {
  const Printed printed = run_with({.what = "tools", .by = {"weather"}, .since = {}, .until = {}, .files = {"none"}});
  EXPECT_EQ(printed.code, 2);
  EXPECT_NE(printed.err.find("--by weather: use"), std::string::npos);
  EXPECT_NE(printed.err.find("tool"), std::string::npos);
}

}  // namespace
}  // namespace sluice::report
