#include "sluice/report/report.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

#include <random>

#include "report/lines.hpp"
#include "report/spread.hpp"
#include "support/temp_dir.hpp"
#include "unit/report/support.hpp"

namespace sluice::report {
namespace {

TEST(Spread, PercentilesAreRightWithinOnePerCent) {
  Spread spread;
  EXPECT_EQ(spread.percentile(50), 0);
  std::mt19937 random(7);
  std::vector<std::int64_t> values;
  for (int i = 0; i < 10'000; ++i) {
    const auto value = static_cast<std::int64_t>(std::exp(std::uniform_real_distribution(0.0, 18.0)(random)));
    values.push_back(value);
    spread.add(value);
  }
  std::ranges::sort(values);
  for (const double percent : {1.0, 50.0, 95.0, 99.0, 100.0}) {
    const auto exact = static_cast<double>(values[static_cast<std::size_t>(percent / 100 * 9'999)]);
    EXPECT_NEAR(static_cast<double>(spread.percentile(percent)), exact, 1 + exact * 0.012) << percent;
  }
}

TEST(Spread, TwoAddedUpAreAsOneOfAll) {
  Spread all, first, second;
  for (const std::int64_t value : {0, 5, 5, 1'000'000, 7, 0, 123'456}) {
    all.add(value);
    (value % 2 == 0 ? first : second).add(value);
  }
  first += second;
  for (int percent = 1; percent <= 100; ++percent) EXPECT_EQ(first.percentile(percent), all.percentile(percent));
}

TEST(TraceLine, TimesAreReadToTheMicrosecond) {
  EXPECT_EQ(microseconds_of("1970-01-02T00:00:01.000250Z"), 86'401'000'250);
  EXPECT_EQ(microseconds_of("1970-01-01T00:00:00.5Z"), 500'000);
  EXPECT_EQ(microseconds_of("1970-01-01T00:00:07Z"), 7'000'000);
  EXPECT_EQ(microseconds_of("yesterday"), std::nullopt);
}

TEST(TraceLine, SaysWhatItIs) {
  TraceLine read;
  const std::string text = line(R"("cost_usd":0.0105,"ttft_us":1200)");
  EXPECT_EQ(read_line(text, read), Kind::kKnown);
  EXPECT_EQ(read.cost.nanodollars(), 10'500'000);
  EXPECT_EQ(read.input, 10);
  EXPECT_EQ(read.ttft_us, 1200);
  EXPECT_FALSE(read.failed());
  EXPECT_EQ(dimension(read, "group"), "acme/web");
  EXPECT_EQ(dimension(read, "team"), "acme");
  EXPECT_EQ(dimension(read, "user"), "-");
  EXPECT_EQ(dimension(read, "feature"), "search");
  EXPECT_EQ(dimension(read, "tag:none"), "-");
  EXPECT_EQ(dimension(read, "day"), "2026-11-21");
  EXPECT_EQ(dimension(read, "hour"), "2026-11-21T04");
  EXPECT_EQ(read_line(R"({"time":"x","schema":1,"event":"attempt"})", read), Kind::kOther);
  EXPECT_EQ(read_line(R"({"time":"x","schema":2,"event":"request"})", read), Kind::kNewer);
  for (const char* broken : {"", "{", "[]", "x", R"({"schema":1,"event":"request"})"}) {
    EXPECT_EQ(read_line(broken, read), Kind::kBroken) << broken;
  }
}

TEST(Questions, CostIsAddedUpExactlyAndTheDearestComesFirst) {
  const Table table = ask("cost", {"feature"},
                          {line(R"("cost_usd":0.1)"), line(R"("cost_usd":0.2,"lost_usd":0.05)"),
                           line(R"("cost_usd":0.000000001,"outcome":"client_abort")"),
                           R"({"time":"t","schema":1,"event":"request","outcome":"ok","cost_usd":5})"});
  ASSERT_EQ(table.rows.size(), 2U);
  EXPECT_EQ(table.rows[0], (std::vector<std::string>{"-", "1", "0", "0", "5", "0", "0", "0"}));
  EXPECT_EQ(table.rows[1][0], "search");
  EXPECT_EQ(table.rows[1][1], "3");
  EXPECT_EQ(table.rows[1][4], "0.300000001");
  EXPECT_EQ(table.rows[1][6], "0.05");
}

TEST(Questions, CostIsToldByEndUser) {
  const Table table = ask("cost", {"user"},
                          {line(R"("cost_usd":0.1,"user":"ann")"), line(R"("cost_usd":0.4,"user":"bob")"),
                           line(R"("cost_usd":0.2,"user":"ann")"), line(R"("cost_usd":0.05)"),
                           R"({"time":"t","schema":1,"event":"tool_call","key":"k","cost_usd":7})"});
  ASSERT_EQ(table.rows.size(), 3U);
  EXPECT_EQ(table.rows[0][0] + table.rows[0][4], "bob0.4");
  EXPECT_EQ(table.rows[1][0] + table.rows[1][4], "ann0.3");
  EXPECT_EQ(table.rows[2][0] + table.rows[2][4], "-0.05");
}

TEST(Questions, LatencyIsOfAnswersAndTtftOfStreams) {
  const Table table = ask("latency", {},
                          {line(R"("stream":true,"ttft_us":100000,"duration_us":900000,"gateway_us":50)"),
                           line(R"("duration_us":200000)"), line(R"("outcome":"timeout","duration_us":1)")});
  ASSERT_EQ(table.rows.size(), 1U);
  EXPECT_EQ(table.rows[0][0], "chat");
  EXPECT_EQ(table.rows[0][1], "2");
  EXPECT_NEAR(std::stod(table.rows[0][2]), 100, 1);
  EXPECT_NEAR(std::stod(table.rows[0][7]), 900, 9);
  EXPECT_EQ(ask("latency", {}, {line("")}).rows[0][2], "") << "of nothing nothing is said";
}

TEST(Questions, ErrorsHaveAShareOfAllAndAFirstAndALastTime) {
  const Table table = ask(
      "errors", {},
      {line(R"("outcome":"timeout","error":"upstream_timeout")", "2026-11-21T04:00:00.000000Z"),
       line(R"("outcome":"timeout","error":"upstream_timeout")", "2026-11-20T04:00:00.000000Z"), line(""), line("")});
  ASSERT_EQ(table.rows.size(), 1U);
  EXPECT_EQ(table.rows[0], (std::vector<std::string>{"upstream_timeout", "2", "50.00", "2026-11-20T04:00:00.000000Z",
                                                     "2026-11-21T04:00:00.000000Z"}));
}

TEST(Questions, ALineOfASampleWeighsAsMuchAsItStandsFor) {
  const std::string tenth = line(R"("sample_rate":0.1,"cost_usd":0.01,"duration_us":1000)");
  const std::string itself = line(R"("cost_usd":0.5,"duration_us":9000000)");
  const Table cost = ask("cost", {}, {tenth, tenth, itself});
  ASSERT_EQ(cost.rows.size(), 1U);
  EXPECT_EQ(cost.rows[0], (std::vector<std::string>{"chat", "21", "210", "105", "0.7", "0", "0", "0"}));
  const Table latency = ask("latency", {}, {tenth, tenth, itself});
  EXPECT_EQ(latency.rows[0][1], "21");
  EXPECT_NEAR(std::stod(latency.rows[0][5]), 1, 0.01) << "what was kept for being slow does not weigh more";
  EXPECT_NEAR(std::stod(latency.rows[0][7]), 9000, 90);
  const Table errors = ask("errors", {}, {tenth, line(R"("outcome":"timeout","error":"upstream_timeout")")});
  EXPECT_EQ(errors.rows[0][1], "1");
  EXPECT_EQ(errors.rows[0][2], "9.09");
}

TEST(Questions, ARateThatCannotBeIsNone) {
  for (const char* rate : {"0", "-0.1", "2", "1e-9", "\"x\"", "null", "true", "1e300"}) {
    EXPECT_EQ(ask("cost", {}, {line("\"sample_rate\":" + std::string(rate))}).rows[0][1], "1") << rate;
  }
}

TEST(Tables, AreWrittenSoThatNobodysNameBreaksThem) {
  const Table table{.columns = {{"name"}, {"count", true}}, .rows = {{"a,\"b\"", "1"}, {"\x1b[2Jé", ""}}};
  EXPECT_EQ(as_csv(table), "name,count\r\n\"a,\"\"b\"\"\",1\r\n\x1b[2Jé,\r\n");
  EXPECT_EQ(as_json(table),
            "[\n {\"name\":\"a,\\\"b\\\"\",\"count\":1},\n {\"name\":\"\\u001b[2Jé\",\"count\":null}\n]\n");
  EXPECT_EQ(as_text(table, 0), "name   count\na,\"b\"      1\n?[2Jé\n");
  EXPECT_NE(as_text(table, 1).find("1 more"), std::string::npos);
  EXPECT_EQ(as_json({.columns = {{"a"}}, .rows = {}}), "[]\n");
}

TEST(Lines, TornLastLinesAreCountedAndCompressedFilesAreRead) {
  const support::TempDir folder;
  const std::string text = line("") + "\n" + line("") + "\n{\"time\":\"2026";
  folder.write("plain", text);
  const std::string packed = folder.path("packed.gz");
  gzFile file = ::gzopen(packed.c_str(), "wb");
  ASSERT_EQ(::gzwrite(file, text.data(), static_cast<unsigned>(text.size())), static_cast<int>(text.size()));
  ::gzclose(file);
  for (const std::string& path : {folder.path("plain"), packed}) {
    std::vector<std::string> lines;
    const auto read =
        read_lines(path, [&](std::string_view one) { lines.emplace_back(one); }, [](std::uint64_t) { return true; });
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(read->lines, 2U);
    EXPECT_EQ(read->torn, 1U);
    EXPECT_EQ(lines, std::vector<std::string>(2, line("")));
  }
  EXPECT_FALSE(
      read_lines(folder.path("none"), [](std::string_view) {}, [](std::uint64_t) { return true; }).has_value());
}

TEST(Lines, OneThatGoesOverManyReadsIsWhole) {
  const support::TempDir folder;
  const std::string large(5'000'000, 'x');
  folder.write("large", "a\n" + large + "\nb\n");
  std::vector<std::size_t> sizes;
  const auto read = read_lines(
      folder.path("large"), [&](std::string_view one) { sizes.push_back(one.size()); },
      [](std::uint64_t) { return true; });
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(sizes, (std::vector<std::size_t>{1, 5'000'000, 1}));
  EXPECT_EQ(read->torn, 0U);
}

}  // namespace
}  // namespace sluice::report
