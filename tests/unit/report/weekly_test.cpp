// A week, added up.

#include "sluice/report/weekly.hpp"

#include "support/temp_dir.hpp"
#include "unit/report/support.hpp"

namespace sluice::report {
namespace {

using std::chrono::sys_days;
using std::chrono::year;

constexpr sys_days kMonday = year(2026) / 11 / 16;

std::string of(const std::string& group, const std::string& cost, const std::string& time, const std::string& usage) {
  return R"({"time":")" + time + R"(","schema":1,"event":"request","outcome":"ok","group":")" + group +
         R"(","usage":)" + usage + R"(,"cost_usd":)" + cost + "}\n";
}
std::string of(const std::string& group, const std::string& cost, const std::string& time) {
  return of(group, cost, time,
            R"({"input":10,"output":5,"cached":4,"cache_write":3,"reasoning":2,"source":"reported"})");
}

class Weekly : public ::testing::Test {
 protected:
  WeeklyAnswer answer(const std::string& text, bool older = false, const std::string& by = "team") {
    folder_.write("t", text);
    const auto answer =
        add_up_week({.monday = kMonday, .by = by, .files = {folder_.path("t")}, .older = older}, [] { return true; });
    if (answer) return *answer;
    ADD_FAILURE() << answer.error();
    return {};
  }
  support::TempDir folder_;
};

TEST_F(Weekly, TeamsAreToldWithTheirChangeAndTheWeekIsFromMondayToSunday) {
  const auto told =
      answer(of("old", "9", "2026-11-08T23:59:59.999999Z") +       // older than both weeks
             of("acme/web", "1", "2026-11-09T00:00:00.000000Z") +  // the week before
             of("gone", "0.5", "2026-11-15T23:59:59.999999Z") + of("acme/web", "2.5", "2026-11-16T00:00:00.000000Z") +
             of("acme/search", "0.25", "2026-11-22T23:59:59.999999Z") + of("new", "3", "2026-11-18T12:00:00.000000Z") +
             of("late", "9", "2026-11-23T00:00:00.000000Z"));
  EXPECT_TRUE(told.known && told.complete);
  EXPECT_EQ(told.skipped, 0U);
  EXPECT_EQ(told.rows,
            "[\n {\"team\":\"new\",\"requests\":1,\"input_tokens\":10,\"output_tokens\":5,\"cached_tokens\":4,"
            "\"cache_write_tokens\":3,\"reasoning_tokens\":2,\"cost_usd\":3,\"saved_usd\":0,\"week_before_usd\":0,"
            "\"change_usd\":3},"
            "\n {\"team\":\"acme\",\"requests\":2,\"input_tokens\":20,\"output_tokens\":10,\"cached_tokens\":8,"
            "\"cache_write_tokens\":6,\"reasoning_tokens\":4,\"cost_usd\":2.75,\"saved_usd\":0,\"week_before_usd\":1,"
            "\"change_usd\":1.75},"
            "\n {\"team\":\"gone\",\"requests\":0,\"input_tokens\":0,\"output_tokens\":0,\"cached_tokens\":0,"
            "\"cache_write_tokens\":0,\"reasoning_tokens\":0,\"cost_usd\":0,\"saved_usd\":0,\"week_before_usd\":0.5,"
            "\"change_usd\":-0.5}\n]");
  EXPECT_EQ(told.total,
            "{\"requests\":3,\"input_tokens\":30,\"output_tokens\":15,\"cached_tokens\":12,\"cache_write_tokens\":9,"
            "\"reasoning_tokens\":6,\"cost_usd\":5.75,\"saved_usd\":0,\"week_before_usd\":1.5,\"change_usd\":4.25}");
  EXPECT_TRUE(told.csv.starts_with("week,team,requests,")) << told.csv;
  EXPECT_NE(told.csv.find("\r\n2026-11-16,acme,2,20,10,8,6,4,2.75,0,1,1.75\r\n"), std::string::npos) << told.csv;
}

TEST_F(Weekly, WhatTheCacheSavedIsTold) {
  const auto told = answer(R"({"time":"2026-11-18T12:00:00.000000Z","schema":1,"event":"request",)"
                           R"("outcome":"cache_hit","saved":{"input":7,"output":8,"usd":0.125}})"
                           "\n");
  EXPECT_NE(told.total.find(R"("cost_usd":0,"saved_usd":0.125)"), std::string::npos) << told.total;
  EXPECT_NE(told.rows.find(R"("team":"-")"), std::string::npos) << "requests of no group have a row as well";
}

TEST_F(Weekly, ChangesAreToldOnlyIfTheWeekBeforeIsKnownFromItsBeginning) {
  const std::string week = of("a", "2", "2026-11-17T00:00:00.000000Z");
  const std::string middle = of("a", "1", "2026-11-12T00:00:00.000000Z");
  EXPECT_NE(answer(middle + week).rows.find(R"("week_before_usd":null,"change_usd":null)"), std::string::npos);
  EXPECT_TRUE(answer(middle + week).complete);
  EXPECT_FALSE(answer(week).complete);
  EXPECT_TRUE(answer(week).known);
  EXPECT_NE(answer(week, true).rows.find(R"("week_before_usd":0,"change_usd":2)"), std::string::npos);
  EXPECT_TRUE(answer(week, true).complete);
}

TEST_F(Weekly, OfAWeekThatTheTraceDoesNotReachNothingIsKnown) {
  EXPECT_FALSE(answer("").known);
  EXPECT_FALSE(answer(of("a", "2", "2026-11-24T00:00:00.000000Z")).known);
  EXPECT_TRUE(answer(of("a", "2", "2026-11-01T00:00:00.000000Z")).known) << "nobody asked for anything";
}

TEST_F(Weekly, GroupsMayBeToldAsTheyAre) {
  const auto told = answer(of("acme/web", "1", "2026-11-17T00:00:00.000000Z"), false, "group");
  EXPECT_NE(told.rows.find(R"("group":"acme/web")"), std::string::npos) << told.rows;
}

TEST_F(Weekly, LinesThatCannotBeReadAreCounted) {
  EXPECT_EQ(answer("nonsense\n" + of("a", "1", "2026-11-17T00:00:00.000000Z") + "{\"time\":\"torn").skipped, 1U);
}

TEST_F(Weekly, ReadingCanBeGivenUpAndAFileThatIsNotThereIsAnError) {
  folder_.write("t", of("a", "1", "2026-11-17T00:00:00.000000Z"));
  const WeeklyQuestion question{.monday = kMonday, .by = "team", .files = {folder_.path("t")}};
  const auto given_up = add_up_week(question, [] { return false; });
  ASSERT_FALSE(given_up);
  EXPECT_NE(given_up.error().find("was given up"), std::string::npos) << given_up.error();
  const auto missing =
      add_up_week({.monday = kMonday, .by = "team", .files = {folder_.path("none")}}, [] { return true; });
  ASSERT_FALSE(missing);
  EXPECT_TRUE(missing.error().ends_with("none: No such file or directory")) << missing.error();
}

}  // namespace
}  // namespace sluice::report
