// prices: read from a file and from the configuration.

#include "sluice/config/price_table.hpp"
#include "sluice/config/units.hpp"
#include "support/paths.hpp"
#include "unit/config/support.hpp"
#include "unit/config/temporary_folder.hpp"

namespace sluice::config {
namespace {

Prices prices_of(const std::string& text) { return load_good(with_top("prices: {" + text + "}")).config.prices; }

Price dollars(std::string_view text) { return *parse_price(text); }

TEST(PricesSection, ARowIsReadWhole) {
  const auto prices = prices_of(
      "rows: [{provider: p, model: \"gpt-*\", from: 2026-01-31, input: 2.50 USD, output: 10 USD, cached_input: 1.25 "
      "USD, "
      "cache_write: 3 USD, reasoning: 12 USD, per_request: 0.01 USD}, {model: m, input: 1 USD, output: 2 USD}]");
  ASSERT_EQ(prices.rows.size(), 2U);
  const PriceRow expected{.provider = "p",
                          .model = "gpt-*",
                          .from = *parse_day("2026-01-31"),
                          .input = Price::picodollars(2'500'000),
                          .output = Price::picodollars(10'000'000),
                          .cached_input = dollars("1.25 USD"),
                          .cache_write = dollars("3 USD"),
                          .reasoning = dollars("12 USD"),
                          .per_request = Money::nanodollars(10'000'000)};
  EXPECT_EQ(prices.rows[0], expected);
  EXPECT_EQ(prices.rows[1], (PriceRow{.model = "m", .input = dollars("1 USD"), .output = dollars("2 USD")}));
}

TEST(PricesSection, WhatNobodyKnowsIsDearUnlessItIsRefused) {
  EXPECT_EQ(prices_of(""), Prices{});
  EXPECT_EQ(Prices{}.unknown_row.input, dollars("15 USD"));
  EXPECT_EQ(Prices{}.unknown_row.output, dollars("75 USD"));
  const auto prices = prices_of("unknown: refuse, default: {input: 1 USD, per_request: 1 USD}");
  EXPECT_EQ(prices.unknown, UnknownPrice::kRefuse);
  EXPECT_EQ(prices.unknown_row.input, dollars("1 USD"));
  EXPECT_EQ(prices.unknown_row.output, dollars("75 USD"));
  EXPECT_EQ(prices.unknown_row.per_request, Money::nanodollars(1'000'000'000));
}

class PriceFile : public testing::Test {
 protected:
  std::string problems(const std::string& text, const std::string& more = "") {
    folder_.write("prices.yaml", text);
    folder_.write("gateway.yaml", with_top("prices: {file: prices.yaml" + more + "}"));
    loaded_ = load_file(folder_.path() + "/gateway.yaml", environment_of({}));
    std::string out = loaded_ ? "" : listing(loaded_.error());
    const std::string prefix = folder_.path() + "/";
    for (auto at = out.find(prefix); at != out.npos; at = out.find(prefix)) out.erase(at, prefix.size());
    return out;
  }

  TemporaryFolder folder_;
  std::expected<Loaded, std::vector<Problem>> loaded_;
};

TEST_F(PriceFile, RowsOfTheConfigurationReplaceItsRowsForTheSameModel) {
  ASSERT_EQ(
      problems("rows:\n- {model: m, from: 2026-01-01, input: 1 USD, output: 1 USD}\n"
               "- {model: m, from: 2026-06-01, input: 2 USD, output: 2 USD}\n"
               "- {model: n, input: 3 USD, output: 3 USD}\n- {provider: p, model: m, input: 4 USD, output: 4 USD}\n",
               ", rows: [{model: m, input: 9 USD, output: 9 USD}]"),
      "");
  const auto& rows = loaded_->config.prices.rows;
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].model, "n");
  EXPECT_EQ(rows[1].provider, "p");
  EXPECT_EQ(rows[2].input, dollars("9 USD"));
  EXPECT_EQ(loaded_->files, std::vector{folder_.path() + "/prices.yaml"});
}

TEST_F(PriceFile, ProblemsHaveItsNameAndTheirPlace) {
  EXPECT_EQ(problems("rows:\n- {model: m, input: 1, output: 1 USD}\n- {modl: m, input: 1 USD, output: 1 USD}\n"),
            "prices.yaml:2:21: rows[0].input: \"1\": write what a million tokens cost, with at most six decimals, e.g. "
            "2.50 USD\n"
            "prices.yaml:3:3: rows[1].model: is missing; expected the upstream's name of a model\n"
            "prices.yaml:3:4: rows[1].modl: unknown key; did you mean \"model\"?\n");
  EXPECT_EQ(problems("rows: [\n"), "prices.yaml:2:1: YAML syntax: end of sequence flow not found\n");
  EXPECT_EQ(problems("{}"), "prices.yaml:1:1: rows: is missing; expected a list of prices\n");
  EXPECT_EQ(problems("rows: !!seq []"), "prices.yaml:1:7: rows: tags are not supported; write the plain value\n");
}

TEST_F(PriceFile, MayNameProvidersThatThisGatewayDoesWithout) {
  EXPECT_EQ(problems("rows: [{provider: elsewhere, model: m, input: 1 USD, output: 1 USD}]"), "");
}

TEST_F(PriceFile, AnEmptyOneHasNoRows) {
  EXPECT_EQ(problems("# nothing yet\n"), "");
  EXPECT_TRUE(loaded_->config.prices.rows.empty());
}

// The table that comes with the gateway.
TEST(PriceList, KnowsTheModelsOfOpenaiUnderEveryNameOfTheirs) {
  const auto file = support::source_dir() + "/config/prices.yaml";
  const auto loaded = load_good(with_top("prices: {file: \"" + file + "\"}"));
  const PriceTable table(loaded.config.prices.rows);
  const auto input = [&](std::string_view provider, std::string_view model, std::string_view today) {
    const PriceRow* found = table.find(provider, model, *parse_day(today));
    return found == nullptr ? std::string("none") : format_price(found->input);
  };
  EXPECT_EQ(input("openai", "gpt-4o", "2026-01-01"), "2.5 USD");
  EXPECT_EQ(input("azure-eu", "gpt-4o-2024-11-20", "2026-01-01"), "2.5 USD");
  EXPECT_EQ(input("openai", "gpt-4o-2024-05-13", "2026-01-01"), "5 USD");
  EXPECT_EQ(input("openai", "gpt-4o-mini-2024-07-18", "2026-01-01"), "0.15 USD");
  EXPECT_EQ(input("openai", "gpt-4o-audio-preview", "2026-01-01"), "none");
  EXPECT_EQ(input("openai", "gpt-5-mini-2025-08-07", "2026-01-01"), "0.25 USD");
  EXPECT_EQ(input("openai", "gpt-5-2025-08-07", "2026-01-01"), "1.25 USD");
  EXPECT_EQ(input("openai", "o3", "2025-06-09"), "10 USD");
  EXPECT_EQ(input("openai", "o3", "2025-06-10"), "2 USD");
  EXPECT_EQ(input("openai", "o3-mini", "2025-06-10"), "1.1 USD");
  EXPECT_EQ(input("groq", "llama-3.1-8b-instant", "2026-01-01"), "0.05 USD");
  EXPECT_EQ(input("together", "llama-3.1-8b-instant", "2026-01-01"), "none");
  EXPECT_EQ(input("ollama", "llama3.2", "2026-01-01"), "0 USD");
}

TEST(PriceList, NoRowOfItIsCheaperForAnswersThanForQuestions) {
  const auto file = support::source_dir() + "/config/prices.yaml";
  const auto rows = load_good(with_top("prices: {file: \"" + file + "\"}")).config.prices.rows;
  EXPECT_GE(rows.size(), 50U);
  for (const PriceRow& row : rows) {
    EXPECT_TRUE(row.output >= row.input || row.output == Price{}) << row.model;
    EXPECT_LE(row.cached_input.value_or(row.input), row.input) << row.model;
    EXPECT_GE(row.cache_write.value_or(row.input), row.input) << row.model;
  }
}

}  // namespace
}  // namespace sluice::config
