// What an operator is told about a good file on a certain day.

#include "sluice/config/review.hpp"

#include "sluice/config/units.hpp"
#include "unit/config/support.hpp"

namespace sluice::config {
namespace {

std::vector<std::string> review_on(std::string_view day, const std::string& yaml) {
  return review(load_good(yaml).config, *parse_instant(day));
}

constexpr std::string_view kToday = "2026-11-25";
const std::string kBudget = "groups: {g: {limits: {budget: 5 USD/month}}}\n";
const std::string kPriceOfX = "prices: {rows: [{model: x, from: 2026-01-01, input: 1 USD, output: 1 USD}]}\n";

TEST(Review, AGatewayWithoutBudgetsNeedsNoPrices) {
  EXPECT_TRUE(review_on(kToday, with_top("")).empty());
  EXPECT_TRUE(review_on(kToday, with_top("groups: {g: {limits: {requests: 1/s}}}")).empty());
  EXPECT_TRUE(review_on(kToday, with_top("prices: {rows: [{model: other, input: 1 USD, output: 1 USD}]}")).empty());
}

TEST(Review, BudgetsWithoutPricesAreToldLoudly) {
  EXPECT_EQ(
      review_on(kToday, with_top(kBudget)),
      std::vector<std::string>{"THERE ARE BUDGETS BUT NO PRICES: every model costs prices.default; see prices.file"});
  EXPECT_EQ(review_on(kToday, with_top(kBudget + "prices: {unknown: refuse}")),
            std::vector<std::string>{"THERE ARE BUDGETS BUT NO PRICES: every model is refused; see prices.file"});
}

TEST(Review, ABudgetAnywhereCounts) {
  const std::string budget = "{budget: 1 USD/day}";
  for (const std::string& yaml :
       {in_key("  limits: " + budget), in_key("  limits: {each_user: " + budget + "}"),
        with_top("groups: {g: {limits: {each_user: " + budget + "}}}"), in_upstream("    limits: " + budget),
        in_models("  m: {target: p/x, limits: " + budget + "}")}) {
    EXPECT_EQ(review_on(kToday, yaml).size(), 1U) << yaml;
  }
}

TEST(Review, ModelsWithoutAPriceAreNamed) {
  EXPECT_TRUE(review_on(kToday, with_top(kBudget + kPriceOfX)).empty());
  EXPECT_EQ(review_on("2025-12-31", with_top(kBudget + kPriceOfX)),
            std::vector<std::string>{"THERE ARE BUDGETS BUT NO PRICE FOR m: what has no price costs prices.default"})
      << "the row has not begun";
  const std::string models = in_models(
      "  a: p/x\n  b: p/y\n  c: p/*\n  x: p/*\n  \"x*\": p/*\n  \"z*\": p/*\n  busy: house/any\n  d: p/1\n  e: p/1\n  "
      "f: p/1\n"
      "  g: p/1");
  EXPECT_EQ(
      review_on(kToday, models + kBudget + kPriceOfX),
      std::vector<std::string>{
          "THERE ARE BUDGETS BUT NO PRICE FOR b, c, z*, d, e and 2 more: what has no price costs prices.default"});
}

TEST(Review, ExpiredKeysAreNamed) {
  const auto yaml =
      with_top("keys:\n- {name: old, hash: \"" + hash_with("aaaaaaaaaaaa") + "\", expires: 2026-11-25}\n" +
               "- {name: off, hash: \"" + hash_with("bbbbbbbbbbbb") + "\", expires: 2026-11-01, enabled: false}\n" +
               "- {name: young, hash: \"" + hash_with("cccccccccccc") + "\", expires: 2026-11-26}");
  EXPECT_EQ(review_on("2026-11-25", yaml), std::vector<std::string>{"expired keys: old"});
  EXPECT_TRUE(review_on("2026-11-24T23:59:59Z", yaml).empty());
}

}  // namespace
}  // namespace sluice::config
