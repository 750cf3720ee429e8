// reports.

#include <algorithm>

#include "unit/config/support.hpp"

namespace sluice::config {
namespace {

using namespace std::chrono_literals;

const Variables kVariables = {{"SECRET", "whsec_abc"}};

constexpr const char* kTrace = "trace: {path: t.jsonl}\n";
constexpr const char* kAlerts = "alerts: {webhook: \"https://hooks.test\", secret: \"${SECRET}\"}\n";
constexpr const char* kPrices = "prices: {rows: [{model: x, input: 1 USD, output: 1 USD}]}\n";

std::string weekly(const std::string& text, const std::string& before = kTrace) {
  return with_top(before + "reports: {weekly: {" + text + "}}");
}

TEST(Reports, AreReadWhole) {
  const auto loaded = load_good(weekly("folder: /srv/reports, webhook: true, at: \"sun 23:59\", by: group",
                                       std::string(kTrace) + kAlerts + kPrices),
                                kVariables);
  EXPECT_EQ(loaded.config.weekly_report, (WeeklyReport{.folder = "/srv/reports",
                                                       .webhook = true,
                                                       .at = std::chrono::days(6) + 23h + 59min,
                                                       .by = ReportBy::kGroup}));
  EXPECT_TRUE(loaded.notes.empty());
}

TEST(Reports, WithoutAFolderTheyNeedNothing) {
  EXPECT_EQ(load_good(with_top("reports: {weekly: {folder: \"\", webhook: true}}")).config.weekly_report.folder, "");
  EXPECT_EQ(load_good(with_top("reports: {}")).config.weekly_report, WeeklyReport{});
}

TEST(Reports, TheTraceMayBeKeptForJustLongEnough) {
  EXPECT_EQ(load_good(weekly("folder: r", "trace: {path: t, rotate: {age: 1d, keep: 8}}\n")).config.trace.rotate.keep,
            8U);
  load_good(weekly("folder: r", "trace: {path: t, rotate: {age: 0s, keep: 1}}\n"));
  load_good(weekly("folder: r, at: \"mon 00:00\"", "trace: {path: t, rotate: {age: 7d, keep: 1}}\n"));
}

TEST(Reports, WithoutPricesOperatorsAreToldThatThereIsNoCost) {
  const auto notes = load_good(weekly("folder: r")).notes;
  EXPECT_EQ(
      std::ranges::count_if(notes, [](const auto& note) { return note.starts_with("reports.weekly: there are no"); }),
      1);
}

BadCase bad(const std::string& name, const std::string& text, int column, const std::string& path, std::string fragment,
            const std::string& before = kTrace) {
  return {name, weekly(text, before), 2, column, "reports.weekly" + path, std::move(fragment)};
}

constexpr const char* kTimeAdvice = "write a day and a time in UTC, e.g. mon 06:00";
const BadCase kCases[] = {
    {"without_a_trace", with_top("\nreports: {weekly: {folder: r}}"), 2, 11, "reports.weekly", "needs trace.path"},
    bad("files_of_too_few_days", "folder: r", 11, "", "a trace.rotate.keep of 8 or more",
        "trace: {path: t, rotate: {age: 1d, keep: 7}}\n"),
    bad("files_of_too_few_hours", "folder: r", 11, "", "a trace.rotate.age of 1h a trace.rotate.keep of 174",
        "trace: {path: t, rotate: {age: 1h}}\n"),
    bad("a_webhook_to_nowhere", "folder: r, webhook: true", 11, "", "webhook needs alerts.webhook"),
    bad("a_webhook_of_its_own", "folder: r, webhook: https://h.test", 40, ".webhook", "neither true nor false"),
    bad("no_day", "at: \"06:00\"", 24, ".at", kTimeAdvice),
    bad("no_time", "at: mon", 24, ".at", kTimeAdvice),
    bad("another_day", "at: \"Mon 06:00\"", 24, ".at", kTimeAdvice),
    bad("another_time", "at: \"mon 6:00\"", 24, ".at", kTimeAdvice),
    bad("a_time_too_late", "at: \"mon 24:01\"", 24, ".at", kTimeAdvice),
    bad("by_somebody", "by: key", 24, ".by", "expected team or group"),
    bad("another_key", "file: r", 20, ".file", "unknown key"),
};

class BadReports : public testing::TestWithParam<BadCase> {};

TEST_P(BadReports, AreRefusedAtTheirPlace) { expect_only_problem(GetParam(), kVariables); }

INSTANTIATE_TEST_SUITE_P(All, BadReports, testing::ValuesIn(kCases), [](const auto& bad) { return bad.param.name; });

}  // namespace
}  // namespace sluice::config
