// Weekly reports by a clock that the test sets: when they are made, when again, when not.

#include "server/weekly_reports.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "server/trace_files.hpp"
#include "support/gateway.hpp"
#include "support/temp_dir.hpp"

namespace sluice::server {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using std::chrono::sys_days;
using std::chrono::year;

constexpr sys_days kMonday = year(2026) / 11 / 16;  // of the week that is reported
constexpr sys_days kNext = kMonday + std::chrono::days(7);

std::string line(const std::string& time, const std::string& cost, const std::string& group = "acme/web") {
  return R"({"time":")" + time + R"(","schema":1,"event":"request","outcome":"ok","group":")" + group +
         R"(","usage":{"input":10,"output":5},"cost_usd":)" + cost + "}\n";
}

void pack(const std::string& path, const std::string& text) {
  gzFile file = ::gzopen(path.c_str(), "wb");
  ASSERT_EQ(::gzwrite(file, text.data(), static_cast<unsigned>(text.size())), static_cast<int>(text.size()));
  ::gzclose(file);
}

class WeeklyReportsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    config_.trace.path = folder_.path("trace.jsonl");
    config_.weekly_report = {.folder = folder_.path("made/reports"), .webhook = true};
    restart();
  }
  // As a process that takes the place of the one before.
  void restart() {
    reports_.reset();
    reports_ = std::make_unique<WeeklyReports>(
        [this](bool problem, const std::string& text) { told_.push_back((problem ? "warn " : "info ") + text); },
        [this](budget::WebhookMessage message) { sent_.push_back(std::move(message)); },
        WeeklyReportsOptions{.pause = 10min, .wall = [this] { return wall_; }});
    reports_->configure(config_);
  }
  void trace(const std::string& text) { folder_.write("trace.jsonl", text); }
  // Until there is nothing to do.
  void settle() {
    reports_->tick(now_);
    ASSERT_TRUE(support::eventually([&] {
      if (reports_->making()) reports_->tick(now_);
      return !reports_->making();
    }));
  }
  void settle_at(std::chrono::sys_time<milliseconds> time) {
    wall_ = time;
    settle();
  }
  std::string file(const std::string& name = "weekly-2026-11-16.json") const {
    return folder_.read("made/reports/" + name);
  }
  json report() const { return json::parse(file()); }

  support::TempDir folder_;
  config::Config config_;
  std::chrono::system_clock::time_point wall_ = kNext + 6h;
  TimePoint now_ = TimePoint() + 1h;
  std::vector<std::string> told_;
  std::vector<budget::WebhookMessage> sent_;
  std::unique_ptr<WeeklyReports> reports_;
};

TEST_F(WeeklyReportsTest, IsMadeWhenItsTimeHasComeAndOnce) {
  trace(line("2026-11-01T00:00:00.000000Z", "9") + line("2026-11-10T00:00:00.000000Z", "1") +
        line("2026-11-17T00:00:00.000000Z", "2.5"));
  for (const auto early : {sys_days(kNext) - 1ms, sys_days(kNext) + 6h - 1ms}) {
    settle_at(early);
    EXPECT_EQ(file(), "") << "the week is not over, or its last lines may not have come";
  }
  EXPECT_FALSE(file("weekly-2026-11-09.json").empty()) << "the one before was due";
  sent_.clear();
  told_.clear();
  settle_at(sys_days(kNext) + 6h);
  const json made = report();
  EXPECT_EQ(made["type"], "report.weekly");
  EXPECT_EQ(made["from"], "2026-11-16T00:00:00Z");
  EXPECT_EQ(made["until"], "2026-11-23T00:00:00Z");
  EXPECT_EQ(made["time"], "2026-11-23T06:00:00Z");
  EXPECT_EQ(made["complete"], true);
  EXPECT_EQ(made["total"]["cost_usd"], 2.5);
  EXPECT_EQ(made["rows"].size(), 1U);
  EXPECT_EQ(made["rows"][0]["team"], "acme");
  EXPECT_EQ(made["rows"][0]["week_before_usd"], 1);
  EXPECT_EQ(made["rows"][0]["change_usd"], 1.5);
  EXPECT_TRUE(file("weekly-2026-11-16.csv").starts_with("week,team,"));
  ASSERT_EQ(sent_.size(), 1U);
  EXPECT_EQ(sent_[0].body, file());
  EXPECT_EQ(made["id"], sent_[0].id);
  EXPECT_EQ(told_, std::vector<std::string>{
                       "info reports.weekly: " + folder_.path("made/reports/weekly-2026-11-16.json") + " is written"});
  for (const auto later : {6h + 50ms, 100h + 0ms}) settle_at(sys_days(kNext) + later);
  EXPECT_EQ(sent_.size(), 1U);
  EXPECT_EQ(reports_->counts().written, 2U);
  EXPECT_EQ(reports_->counts().failed, 0U);
}

TEST_F(WeeklyReportsTest, AfterARestartItIsNotMadeAgain) {
  trace(line("2026-11-17T00:00:00.000000Z", "2.5"));
  settle();
  const std::string made = file();
  ASSERT_EQ(sent_.size(), 1U);
  trace(line("2026-11-17T00:00:00.000000Z", "100"));
  restart();
  settle_at(sys_days(kNext) + 7h);
  EXPECT_EQ(file(), made);
  EXPECT_EQ(sent_.size(), 1U);
  EXPECT_EQ(reports_->counts().written, 0U);
}

TEST_F(WeeklyReportsTest, WhatWasDueWhileNoProcessRanIsMadeAtTheStart) {
  trace(line("2026-11-17T00:00:00.000000Z", "2.5"));
  settle_at(sys_days(kNext) + 100h);
  EXPECT_EQ(report()["total"]["cost_usd"], 2.5);
  EXPECT_EQ(sent_.size(), 1U);
}

TEST_F(WeeklyReportsTest, TheNextWeekHasTheNextOne) {
  trace(line("2026-11-17T00:00:00.000000Z", "2.5") + line("2026-11-24T00:00:00.000000Z", "4"));
  settle();
  settle_at(sys_days(kNext) + 7 * 24h + 6h);
  EXPECT_EQ(json::parse(file("weekly-2026-11-23.json"))["total"]["cost_usd"], 4);
  EXPECT_EQ(sent_.size(), 2U);
  EXPECT_NE(sent_[0].id, sent_[1].id);
}

TEST_F(WeeklyReportsTest, ATraceThatBeganInTheWeekSaysSo) {
  trace(line("2026-11-17T00:00:00.000000Z", "2.5"));
  settle();
  EXPECT_EQ(report()["complete"], false);
  EXPECT_EQ(report()["rows"][0]["change_usd"], nullptr);
  ASSERT_EQ(told_.size(), 1U);
  EXPECT_TRUE(told_[0].starts_with("warn ") &&
              told_[0].ends_with("the trace does not reach back to the week's beginning"));
}

TEST_F(WeeklyReportsTest, OfAWeekThatNothingIsKnownOfThereIsNone) {
  trace(line("2026-11-23T05:00:00.000000Z", "2.5"));
  settle();
  EXPECT_FALSE(std::filesystem::exists(folder_.path("made")));
  EXPECT_TRUE(told_.empty());
  EXPECT_EQ(reports_->counts().written + reports_->counts().failed, 0U);
}

TEST_F(WeeklyReportsTest, FilesPutAsideCountAndOnlyOnce) {
  folder_.write("trace.jsonl.20261101T000000Z-0000", "nobody reads this");
  folder_.write("trace.jsonl.20261116T100000Z-0000", line("2026-11-16T09:00:00.000000Z", "1"));
  pack(folder_.path("trace.jsonl.20261117T100000Z-0000.gz"), line("2026-11-17T09:00:00.000000Z", "2"));
  pack(folder_.path("trace.jsonl.20261116T100000Z-0000.gz"), line("2026-11-16T09:00:00.000000Z", "1"));
  folder_.write("trace.jsonl.1", line("2026-11-18T09:00:00.000000Z", "4"));
  folder_.write("trace.jsonl-20261119", line("2026-11-19T09:00:00.000000Z", "8"));
  for (const char* other :
       {"trace.jsonl.bak", "trace.jsonl2", "other.jsonl", "trace.jsonl.20261116T100000Z-0000.part"}) {
    folder_.write(other, line("2026-11-18T09:00:00.000000Z", "1000"));
  }
  trace(line("2026-11-20T09:00:00.000000Z", "16") + R"({"time":"2026-11-2)");
  settle();
  EXPECT_EQ(report()["total"]["cost_usd"], 31);
  EXPECT_EQ(report()["skipped_lines"], 0);
  EXPECT_EQ(report()["complete"], true) << "older files have been there";
}

TEST_F(WeeklyReportsTest, WhatCannotBeWrittenIsToldOnceAndTriedAgain) {
  trace(line("2026-11-17T00:00:00.000000Z", "2.5"));
  folder_.write("made", "is in the way");
  settle();
  EXPECT_EQ(reports_->counts().failed, 1U);
  ASSERT_EQ(told_.size(), 1U);
  EXPECT_TRUE(told_[0].starts_with("warn reports.weekly: there is none, and it is tried again in 10min: ")) << told_[0];
  settle();
  EXPECT_EQ(reports_->counts().failed, 1U) << "not at once";
  now_ += 10min;
  settle();
  EXPECT_EQ(reports_->counts().failed, 2U);
  EXPECT_EQ(told_.size(), 1U);
  EXPECT_TRUE(sent_.empty());
  std::filesystem::remove(folder_.path("made"));
  now_ += 10min;
  settle();
  EXPECT_EQ(report()["total"]["cost_usd"], 2.5);
  EXPECT_EQ(sent_.size(), 1U);
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path("made/reports"))) {
    EXPECT_NE(entry.path().extension(), ".part");
  }
}

TEST_F(WeeklyReportsTest, AReloadCountsAtOnce) {
  trace(line("2026-11-17T00:00:00.000000Z", "2.5"));
  config_.weekly_report.folder.clear();
  reports_->configure(config_);
  settle();
  EXPECT_EQ(file(), "");
  config_.weekly_report = {.folder = folder_.path("made/reports"), .webhook = false, .by = config::ReportBy::kGroup};
  reports_->configure(config_);
  settle();
  EXPECT_EQ(report()["rows"][0]["group"], "acme/web");
  EXPECT_TRUE(sent_.empty()) << "nobody wants it";
}

TEST_F(WeeklyReportsTest, AClockThatGoesBackMakesNothingTwice) {
  trace(line("2026-11-01T00:00:00.000000Z", "1") + line("2026-11-17T00:00:00.000000Z", "2.5"));
  settle();
  settle_at(sys_days(kNext) - 1h);
  settle_at(sys_days(kNext) + 6h);
  EXPECT_EQ(sent_.size(), 2U) << "that and the one of the week before";
  EXPECT_EQ(reports_->counts().written, 2U);
}

class WeeklyReportTest : public ::testing::Test {
 protected:
  // `rotations`: how often the trace is put aside while it is read.
  std::expected<WeeklyOutcome, std::string> make(int rotations) {
    folder_.write("trace.jsonl", line("2026-11-17T00:00:00.000000Z", "2"));
    int made = 0;
    const auto rotate = [&] {
      if (made == rotations) return true;
      const std::string aside = "trace.jsonl.2026112" + std::to_string(made++) + "T000000Z-0000";
      std::filesystem::rename(folder_.path("trace.jsonl"), folder_.path(aside));
      folder_.write("trace.jsonl", line("2026-11-18T00:00:00.000000Z", "4"));
      return true;
    };
    config::WeeklyReport config;
    config.folder = folder_.path("reports");
    return make_weekly_report({config, folder_.path("trace.jsonl"), kMonday, kNext + 6h}, rotate);
  }
  support::TempDir folder_;
};

TEST_F(WeeklyReportTest, ATraceThatIsRotatedWhileItIsReadIsReadAgain) {
  const auto made = make(1);
  ASSERT_TRUE(made) << made.error();
  EXPECT_EQ(json::parse(folder_.read("reports/weekly-2026-11-16.json"))["total"]["cost_usd"], 6);
}

TEST_F(WeeklyReportTest, ButNotForEver) {
  const auto made = make(9);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error(), "the trace is rotated faster than it can be read");
  EXPECT_FALSE(std::filesystem::exists(folder_.path("reports")));
}

TEST_F(WeeklyReportsTest, AnEndInTheMiddleIsNotWaitedFor) {
  std::string large;
  while (large.size() < 32'000'000) large += line("2026-11-17T00:00:00.000000Z", "1");
  trace(large);
  reports_->tick(now_);
  ASSERT_TRUE(reports_->making());
  reports_.reset();
  EXPECT_FALSE(has_unfinished_reports());
  EXPECT_EQ(file(), "");
}

}  // namespace
}  // namespace sluice::server
