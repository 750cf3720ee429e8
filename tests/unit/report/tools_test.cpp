// `sluice report tools`.

#include "unit/report/support.hpp"

namespace sluice::report {
namespace {

std::string call(const std::string& tool, int duration_us, bool failed = false, int retries = 0) {
  return tool_call(tool, R"("duration_us":)" + std::to_string(duration_us) + R"(,"failed":)" +
                             (failed ? "true" : "false") + R"(,"retries":)" + std::to_string(retries));
}

TEST(Tools, AreCountedByNameAndTheMostCalledComesFirst) {
  std::vector<std::string> lines = {line(""), guard("a", "turns")};
  for (int at = 1; at <= 100; ++at) lines.push_back(call("search", at * 1000, at % 4 == 0));
  lines.push_back(call("send_mail", 2'000'000, true));
  const Table table = ask("tools", {}, lines);
  ASSERT_EQ(table.rows.size(), 2U);
  EXPECT_EQ(table.rows[0][0], "search");
  auto search = row_of(table, "search");
  EXPECT_EQ(search["calls"], "100");
  EXPECT_EQ(search["failed"], "25");
  EXPECT_EQ(search["failed_percent"], "25.00");
  EXPECT_NEAR(std::stod(search["p50_ms"]), 50, 1);
  EXPECT_NEAR(std::stod(search["p95_ms"]), 95, 1.5);
  EXPECT_NEAR(std::stod(search["p99_ms"]), 99, 1.5);
  EXPECT_EQ(row_of(table, "send_mail")["failed_percent"], "100.00");
}

TEST(Tools, ACallIsARetryOnceHoweverManyCameBeforeIt) {
  EXPECT_EQ(row_of(ask("tools", {}, {call("t", 1), call("t", 1, false, 1), call("t", 1, false, 2)}), "t")["retries"],
            "2");
}

TEST(Tools, AreToldByWhateverLinesHave) {
  const std::vector<std::string> lines = {call("a", 1), call("b", 1)};
  EXPECT_EQ(ask("tools", {"key", "team", "day"}, lines).rows[0],
            (std::vector<std::string>{"web", "acme", "2026-11-21", "2", "0", "0.00", "0", "0.001", "0.001", "0.001"}));
  EXPECT_EQ(ask("tools", {"tool", "model"}, lines).rows.size(), 2U);
}

TEST(Tools, WithoutADurationThereIsNoPercentile) {
  EXPECT_EQ(row_of(ask("tools", {}, {tool_call("t", R"("failed":false,"retries":0)")}), "t")["p50_ms"], "");
}

}  // namespace
}  // namespace sluice::report
