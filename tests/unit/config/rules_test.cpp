// Rules of a model and their conditions, as they are written and as they are understood.

#include "unit/config/support.hpp"

namespace sluice::config {
namespace {

constexpr double kMost = std::numeric_limits<double>::infinity();

Condition condition_of(std::string_view when) {
  const auto loaded =
      load_good(in_models("  n: p/n\n  m: {rules: [{when: {" + std::string(when) + "}, use: n}, {use: n}]}"));
  if (loaded.config.models.empty()) return {};
  const auto& conditions = loaded.config.models.back().rules.at(0).when;
  EXPECT_EQ(conditions.size(), 1U) << when;
  return conditions.empty() ? Condition{} : conditions[0];
}

std::vector<Span> spans_of(std::string_view when) { return condition_of(when).spans; }

TEST(RuleConditions, NumbersAreComparedRangedAndListed) {
  EXPECT_EQ(spans_of("complexity: \"<= 0.3\""), std::vector{Span{.most = 0.3}});
  EXPECT_EQ(spans_of("complexity: \"<0.3\""), std::vector({Span{.most = 0.3, .open_most = true}}));
  EXPECT_EQ(spans_of("input_tokens: \">= 2k\""), std::vector{Span{.least = 2000}});
  EXPECT_EQ(spans_of("input_tokens: \"> 2M\""), std::vector({Span{.least = 2e6, .open_least = true}}));
  EXPECT_EQ(spans_of("turns: 10..20"), std::vector({Span{.least = 10, .most = 20}}));
  EXPECT_EQ(spans_of("turns: 7"), std::vector({Span{.least = 7, .most = 7}}));
  EXPECT_EQ(spans_of("turns: [1, \"> 5\"]"),
            (std::vector{Span{.least = 1, .most = 1}, Span{.least = 5, .most = kMost, .open_least = true}}));
  EXPECT_EQ(spans_of("max_latency: \"< 2s\""), std::vector({Span{.most = 2000, .open_most = true}}));
  EXPECT_EQ(spans_of("budget_left: \"< 20%\""), std::vector({Span{.most = 20, .open_most = true}}));
  EXPECT_EQ(condition_of("turns: [1, \"> 5\"]").test, "1 or > 5");
}

TEST(RuleConditions, WhatMayBeAbsentIsAskedForByASwitch) {
  EXPECT_EQ(condition_of("tools: false").present, false);
  EXPECT_EQ(condition_of("user: true").present, true);
  EXPECT_EQ(condition_of("json_schema: true").present, true);
  const auto either = condition_of("max_tokens: [false, \"<= 1k\"]");
  EXPECT_EQ(either.present, false);
  EXPECT_EQ(either.spans, std::vector{Span{.most = 1000}});
}

TEST(RuleConditions, WordsBecomeSets) {
  EXPECT_EQ(condition_of("day: [mon-wed, sun]").words, 0b1000111U);
  EXPECT_EQ(condition_of("day: sat-mon").words, 0b1100001U);
  EXPECT_EQ(condition_of("code: [c, sql]").words,
            1U << static_cast<unsigned>(CodeLanguage::kC) | 1U << static_cast<unsigned>(CodeLanguage::kSql));
  EXPECT_EQ(condition_of("endpoint: chat").words, 1U << static_cast<unsigned>(Endpoint::kChat));
}

TEST(RuleConditions, TextsAreGlobsAndTagsHaveNames) {
  EXPECT_EQ(condition_of("group: [acme, \"acme/*\"]").globs, (std::vector<std::string>{"acme", "acme/*"}));
  const auto tag = condition_of("tags: {beta: true}");
  EXPECT_EQ(tag.fact, Fact::kTags);
  EXPECT_EQ(tag.tag, "beta");
  EXPECT_EQ(tag.globs, std::vector<std::string>{"true"}) << "a tag is text";
}

TEST(RuleConditions, TimesMayGoPastMidnight) {
  EXPECT_EQ(condition_of("time: \"22:00-06:30\"").hours, (std::vector<Hours>{{22 * 60, 6 * 60 + 30}}));
  EXPECT_EQ(condition_of("time: \"09:00-24:00\"").hours, (std::vector<Hours>{{9 * 60, 24 * 60}}));
}

TEST(Rules, KeepTheirOrderAndMayBeShadows) {
  const auto loaded =
      load_good(in_models("  n: p/n\n  m: {max_output: 5, rules: [{name: a, shadow: true, use: p/z}, {when: {stream: "
                          "true}, use: n}, {use: p/x}]}"));
  const Model& model = loaded.config.models.back();
  EXPECT_TRUE(model.targets.empty());
  ASSERT_EQ(model.rules.size(), 3U);
  EXPECT_EQ(model.rules[0], (Rule{"a", {}, "p/z", true}));
  EXPECT_EQ(model.rules[1].use, "n");
  EXPECT_EQ(model.rules[2].when, Conditions{});
}

BadCase when(std::string name, const std::string& test, int column, const std::string& path, std::string fragment) {
  return {std::move(name),
          in_models("  m: {rules: [{when: {" + test + "}, use: p/x}, {use: p/x}]}"),
          5,
          23 + column,
          "models.m.rules[0].when." + path,
          std::move(fragment)};
}
BadCase rules(std::string name, const std::string& list, int column, const std::string& path, std::string fragment) {
  return {std::move(name),    in_models("  n: p/n\n  m: {rules: [" + list + "]}"), 6, 15 + column, "models.m." + path,
          std::move(fragment)};
}

const BadCase kCases[] = {
    when("fact_near", "complexty: 1", 0, "complexty", "did you mean \"complexity\"?"),
    when("fact_far", "weather: 1", 0, "weather", "expected complexity, input_tokens"),
    when("complexity_above_one", "complexity: \"<= 3\"", 12, "complexity", "a number from 0 to 1"),
    when("complexity_nan", "complexity: nan", 12, "complexity", "a number from 0 to 1"),
    when("complexity_flag", "complexity: true", 12, "complexity", "every request has complexity"),
    when("count_with_fraction", "turns: 1.5", 7, "turns", "write a whole number"),
    when("range_backwards", "turns: 5..2", 7, "turns", "the first number is larger"),
    when("range_open", "turns: 5..", 7, "turns", "write a whole number"),
    when("comparison_of_nothing", "turns: \"<=\"", 7, "turns", "write a whole number"),
    when("latency_without_unit", "max_latency: \"< 2\"", 13, "max_latency", "write a unit"),
    when("budget_without_sign", "budget_left: \"< 20\"", 13, "budget_left", "write a percentage"),
    when("flags_both", "tools: [true, false]", 14, "tools[1]", "beside another true or false"),
    when("no_alternative", "turns: []", 7, "turns", "an empty list"),
    when("test_map", "turns: {a: b}", 7, "turns", "expected text, found a map"),
    when("switch_number", "stream: 1", 8, "stream", "neither true nor false"),
    when("language", "code: pyton", 6, "code", "did you mean \"python\"?"),
    when("endpoint_unserved", "endpoint: models", 10, "endpoint", "not known"),
    when("day_unknown", "day: mon-sunday", 5, "day", "did you mean \"sun\"?"),
    when("time_without_end", "time: \"22:00\"", 6, "time", "two times of the day"),
    when("time_of_25_hours", "time: \"22:00-25:00\"", 6, "time", "two times of the day"),
    when("time_of_nothing", "time: \"22:00-22:00\"", 6, "time", "begins when it ends"),
    when("text_empty", "key: \"\"", 5, "key", "must not be empty"),
    when("tag_name", "tags: {A: x}", 7, "tags.A", "a tag's name is made of"),
    when("tags_none", "tags: {}", 6, "tags", "is empty"),

    rules("none", "", -1, "rules", "end with one that has no `when`"),
    rules("without_default", "{when: {stream: true}, use: n}", -1, "rules", "no rule takes all other requests"),
    rules("all_shadows", "{shadow: true, use: n}", -1, "rules", "no rule takes all other requests"),
    rules("never_reached", "{use: n}, {when: {stream: true}, use: n}", 10, "rules[1]", "rule 1 has no conditions"),
    rules("names_twice", "{name: a, when: {stream: true}, use: n}, {name: a, use: n}", 41, "rules[1]",
          "another rule has the name \"a\""),
    rules("without_use", "{name: a}", 0, "rules[0].use", "is missing"),
    rules("use_unknown", "{use: nn}", 6, "rules[0].use", "unknown model \"nn\"; did you mean \"n\"?"),
    rules("use_empty", "{use: \"\"}", 6, "rules[0].use", "must not be empty"),
    rules("use_itself", "{use: m}", 6, "rules[0].use", "leads back to where it began: \"m\" → \"m\""),
    {"rules_and_target", in_models("  m: {target: p/x, rules: [{use: p/y}]}"), 5, 7, "models.m.target",
     "has no meaning beside rules"},
    {"rules_and_split", in_models("  m: {rules: [{use: p/y}], split: []}"), 5, 28, "models.m.split", "beside rules"},
    {"circle_of_three",
     in_models("  a: {rules: [{use: b}]}\n  b: {target: p/x, fallback: [c]}\n  c: {target: p/x, split: [{percent: 1%, "
               "use: a}]}"),
     7, 47, "models.c.split[0].use", "\"c\" → \"a\" → \"b\" → \"c\""},
    {"circle_through_a_glob", in_models("  \"g*\": {target: p/*, fallback: [gpt]}"), 5, 34, "models.\"g*\".fallback[0]",
     "leads back"},
};

class BadRules : public testing::TestWithParam<BadCase> {};

TEST_P(BadRules, IsRefusedAtItsPlace) { expect_only_problem(GetParam(), {}); }

INSTANTIATE_TEST_SUITE_P(Files, BadRules, testing::ValuesIn(kCases), [](const auto& info) { return info.param.name; });

TEST(Rules, TwoCirclesAreTwoProblems) {
  const auto problems = problems_of(in_models(
      "  a: {target: p/x, fallback: [b]}\n  b: {target: p/x, fallback: [a, c]}\n  c: {target: p/x, fallback: [b]}"));
  EXPECT_EQ(problems.size(), 2U) << listing(problems);
}

TEST(Rules, AreSixtyFourAtTheMost) {
  std::string many;
  for (int i = 0; i < 64; ++i) many += "{when: {stream: true}, use: p/x}, ";
  const auto problems = problems_of(in_models("  m: {rules: [" + many + "{use: p/x}]}"));
  ASSERT_EQ(problems.size(), 1U) << listing(problems);
  EXPECT_NE(problems[0].message.find("more than 64 rules"), std::string::npos);
}

}  // namespace
}  // namespace sluice::config
