// `sluice report runs`, and what becomes of more groups than are told apart.

#include "unit/report/support.hpp"

namespace sluice::report {
namespace {

std::string turn(const std::string& run, const std::string& cost, const std::string& time = kTime,
                 const std::string& more = R"("key":"web")") {
  return line(R"("run_id":")" + run + R"(","cost_usd":)" + cost + R"(,"duration_us":1500000,)" + more, time);
}

std::string call_in(const std::string& run, const std::string& time = kTime) {
  return tool_call("t", R"("run_id":")" + run + R"(","duration_us":1,"failed":false,"retries":0)", time);
}

TEST(Runs, EachHasItsTurnsItsCostItsTimeAndWhatStoppedIt) {
  const Table table = ask(
      "runs", {},
      {turn("a", "0.1", "2026-11-21T04:00:10.250000Z"), call_in("a", "2026-11-21T04:00:00.000000Z"),
       turn("a", "0.2", "2026-11-21T04:01:00.000000Z"), guard("a", "turns", "refused", "2026-11-21T04:01:01.000000Z"),
       guard("a", "tokens", "refused", "2026-11-21T04:00:59.000000Z"), guard("b", "cost_usd", "observed"),
       turn("b", "5", "2026-11-21T04:00:00.000000Z"), line(R"("cost_usd":9)")});
  ASSERT_EQ(table.rows.size(), 2U) << "what belongs to no run is not told";
  EXPECT_EQ(table.rows[0][0], "b") << "the dearest comes first";
  auto a = row_of(table, "a");
  EXPECT_EQ(a["requests"], "2");
  EXPECT_EQ(a["refused"], "2");
  EXPECT_EQ(a["tool_calls"], "1");
  EXPECT_EQ(a["input_tokens"], "20");
  EXPECT_EQ(a["output_tokens"], "10");
  EXPECT_EQ(a["cost_usd"], "0.3");
  EXPECT_EQ(a["wall_s"], "61.500") << "from the first line to the end of the last request";
  EXPECT_EQ(a["stopped_by"], "turns") << "the one that refused it last, in whatever order files are read";
  EXPECT_EQ(a["first"], "2026-11-21T04:00:00Z");
  EXPECT_EQ(row_of(table, "b")["stopped_by"], "") << "a cap that is only observed stops nothing";
}

TEST(Runs, OfAGroupAreCountedAndSoIsWhatStoppedThem) {
  const Table table =
      ask("runs", {"team"},
          {turn("a", "1"), turn("a", "1"), turn("b", "1"), turn("c", "1"), guard("a", "turns"), guard("a", "turns"),
           guard("a", "cost_usd"), guard("b", "turns"), guard("c", "turns", "observed")});
  ASSERT_EQ(table.rows.size(), 1U);
  auto acme = row_of(table, "acme");
  EXPECT_EQ(acme["runs"], "3");
  EXPECT_EQ(acme["stopped"], "2");
  EXPECT_EQ(acme["by_turns"], "2");
  EXPECT_EQ(acme["by_cost_usd"], "1");
  EXPECT_EQ(acme["by_tokens"], "0");
  EXPECT_EQ(acme["refused"], "4");
  EXPECT_EQ(acme["cost_usd"], "4");
}

TEST(Runs, ThatSeveralGroupsHaveCountInEach) {
  const Table table = ask(
      "runs", {"day"}, {turn("a", "1", "2026-11-21T23:59:59.000000Z"), turn("a", "1", "2026-11-22T00:00:01.000000Z")});
  EXPECT_EQ(row_of(table, "2026-11-21")["runs"], "1");
  EXPECT_EQ(row_of(table, "2026-11-22")["runs"], "1");
}

// The dear ones are spread over the whole of the trace, and so are those that go on for long.
TEST(Runs, OfVeryManyTheDearestAreKeptAndTheRestIsOneRow) {
  const auto question = make_question("runs", {}, 100);
  EXPECT_EQ(question->note(), "");
  for (int at = 0; at < 5000; ++at) {
    const std::string name = std::to_string(at);
    tell(*question, {turn(name, at % 1000 == 500 ? "70" : "0.001"), turn("long", "0.1")});
  }
  const Table table = question->answer();
  ASSERT_EQ(table.rows.size(), 101U);
  EXPECT_EQ(row_of(table, "long")["requests"], "5000");
  for (const char* dear : {"500", "1500", "2500", "3500", "4500"}) EXPECT_EQ(row_of(table, dear)["cost_usd"], "70");
  EXPECT_EQ(table.rows.back()[0], "(other)");
  auto other = row_of(table, "(other)");
  EXPECT_EQ(other["requests"], std::to_string(5000 - 99));
  EXPECT_EQ(other["wall_s"] + other["stopped_by"], "");
  EXPECT_EQ(question->note(), "4901 rows that weigh least, of more than can be told apart, are one: (other)");
}

TEST(Runs, TheyAreCountedInBoundedMemoryAndWhoeverComesBackLateIsCountedAgain) {
  const auto question = make_question("runs", {"team"}, 2);
  for (int at = 0; at < 100; ++at) tell(*question, {turn("r" + std::to_string(at), "1"), turn("long", "1")});
  EXPECT_EQ(row_of(question->answer(), "acme")["runs"], "101") << "what goes on all the time is known all the time";
  EXPECT_NE(question->note(), "");
  tell(*question, {turn("r0", "1")});
  EXPECT_EQ(row_of(question->answer(), "acme")["runs"], "102");
}

TEST(Groups, OfOtherQuestionsAreBoundedLikewise) {
  const auto users = make_question("cost", {"user"}, 10);
  for (int at = 0; at < 1000; ++at) {
    tell(*users, {line(R"("user":"u)" + std::to_string(at) + R"(","cost_usd":)" + (at == 3 ? "8" : "0.001"))});
  }
  const Table table = users->answer();
  EXPECT_EQ(table.rows.size(), 11U);
  EXPECT_EQ(table.rows[0][0], "u3");
  EXPECT_EQ(row_of(table, "(other)")["requests"], "990");
  EXPECT_NE(users->note(), "");
}

}  // namespace
}  // namespace sluice::report
