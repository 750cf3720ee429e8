#include "routing/rules.hpp"

#include "sluice/config/load.hpp"
#include "unit/routing/facts_fixture.hpp"

namespace sluice::routing {
namespace {

using namespace testing;

// Read as an administrator writes them; `list` is what stands between the brackets of `rules`.
Rules rules_of(const std::string& list) {
  const std::string yaml =
      "providers: {p: {base_url: \"http://h.test\"}}\nmodels:\n  small: p/s\n  large: p/l\n  m: {rules: [" + list +
      "]}\n";
  const auto loaded = config::load_text(yaml, [](const std::string&) { return std::nullopt; });
  EXPECT_TRUE(loaded.has_value()) << (loaded ? "" : to_string("x", loaded.error().at(0)));
  return Rules(loaded ? loaded->config.models.back().rules : std::vector<config::Rule>{});
}

std::string used(const Rules& rules, const Asked& asked) {
  const Decision decision = choose(rules, asked.facts());
  return decision.rule == nullptr ? "nothing" : decision.rule->use;
}

// Whether a request meets the conditions.
bool meets(const Asked& asked, const std::string& when) {
  return used(rules_of("{when: {" + when + "}, use: small}, {use: large}"), asked) == "small";
}

TEST(Rules, TheFirstThatHoldsDecides) {
  const Rules rules = rules_of(
      "{name: cheap, when: {tools: false, complexity: \"<= 0.3\"}, use: small}, {when: {stream: true}, use: large}, "
      "{use: p/x}");
  EXPECT_EQ(used(rules, Asked(chat("hi"))), "small");
  EXPECT_EQ(used(rules, Asked(chat("hi", R"(,"tools":[{}],"stream":true)"))), "large");
  EXPECT_EQ(used(rules, Asked(chat("hi", R"(,"tools":[{}])"))), "p/x");
  EXPECT_EQ(choose(rules, Asked(chat("hi", R"(,"tools":[{}])")).facts()).index, 2U);
}

TEST(Rules, ShadowsAreToldAndNeverDecide) {
  const Rules rules = rules_of(
      "{shadow: true, use: large}, {shadow: true, when: {stream: true}, use: large}, {when: {tools: false}, use: "
      "small}, {use: large}");
  const Decision decision = choose(rules, Asked(chat("hi")).facts());
  EXPECT_EQ(decision.index, 2U);
  EXPECT_EQ(decision.rule->use, "small");
  EXPECT_EQ(decision.shadows, 0b1U);
  EXPECT_EQ(choose(rules, Asked(chat("hi", R"(,"stream":true)")).facts()).shadows, 0b11U);
}

TEST(Rules, WhatKeptOneFromHoldingIsTold) {
  const Rules rules = rules_of(
      "{name: cheap, when: {tools: false, complexity: \"<= 0.3\"}, use: small}, {when: {stream: true}, use: small}, "
      "{when: {tags: {feature: search}}, use: small}, {use: large}");
  const Asked asked(chat("hi", R"(,"tools":[{}])"));
  EXPECT_EQ(obstacle(rules, 0, asked.facts()), "rule \"cheap\": tools is 1, not false");
  EXPECT_EQ(obstacle(rules, 1, asked.facts()), "rule 2: stream is false, not true");
  EXPECT_EQ(obstacle(rules, 2, asked.facts()), "rule 3: tags feature is absent, not search");
  EXPECT_EQ(obstacle(rules, 3, asked.facts()), "") << "nothing did";
}

TEST(Rules, WithoutOneThatHoldsNothingIsDecided) {
  config::Rule never{.name = {}, .when = {{.fact = config::Fact::kStream, .present = true}}, .use = "x"};
  const Rules rules({never});
  EXPECT_EQ(choose(rules, Asked(chat("hi")).facts()).rule, nullptr);
  EXPECT_EQ(choose(Rules({}), Asked(chat("hi")).facts()).rule, nullptr);
}

TEST(Rules, KnowWhatTheyAskFor) {
  const Rules rules = rules_of("{when: {budget_left: \"< 10%\"}, use: small}, {use: large}");
  EXPECT_TRUE(rules.ask_for(config::Fact::kBudgetLeft));
  EXPECT_FALSE(rules.ask_for(config::Fact::kComplexity));
}

TEST(RuleTests, OfNumbersHoldAtTheirEnds) {
  const Asked one(chat("hi"));  // one turn
  for (const char* good : {"turns: 1", "turns: \"<= 1\"", "turns: \">= 1\"", "turns: 1..3", "turns: 0..1",
                           "turns: [7, 1]", "turns: \"< 2\""}) {
    EXPECT_TRUE(meets(one, good)) << good;
  }
  for (const char* bad : {"turns: 2", "turns: \"< 1\"", "turns: \"> 1\"", "turns: 2..3", "turns: [7, 9]", "turns: 0"}) {
    EXPECT_FALSE(meets(one, bad)) << bad;
  }
}

TEST(RuleTests, OfWhatTheRequestDoesNotHaveHoldOnlyIfTheySaySo) {
  const Asked bare(chat("hi"));
  for (const char* fact : {"max_tokens", "max_latency", "budget_left", "key", "group", "user", "code"}) {
    EXPECT_TRUE(meets(bare, std::string(fact) + ": false")) << fact;
    EXPECT_FALSE(meets(bare, std::string(fact) + ": true")) << fact;
  }
  EXPECT_FALSE(meets(bare, "max_tokens: \">= 0\""));
  EXPECT_TRUE(meets(bare, "max_tokens: [false, \"<= 10\"]"));
  EXPECT_TRUE(meets(Asked(chat("hi", R"(,"max_tokens":10)")), "max_tokens: [false, \"<= 10\"]"));
  EXPECT_FALSE(meets(Asked(chat("hi", R"(,"max_tokens":11)")), "max_tokens: [false, \"<= 10\"]"));
  EXPECT_FALSE(meets(bare, "group: \"*\""));
  EXPECT_FALSE(meets(bare, "tags: {feature: \"*\"}"));
  EXPECT_TRUE(meets(bare, "tools: 0, images: false, audio: false"));
}

TEST(RuleTests, OfOwnersAreGlobs) {
  config::Key key;
  key.name = "search-web";
  key.group = "acme/search";
  Asked asked(chat("hi"));
  asked.key = &key;
  asked.tags = {{"feature", "search"}, {"beta", "true"}};
  asked.user = "u-17";
  for (const char* good : {"key: search-web", "key: [other, \"search-*\"]", "group: \"acme/*\"", "user: \"u-*\"",
                           "user: true", "tags: {feature: search, beta: true}", "tags: {feature: [chat, \"s*\"]}"}) {
    EXPECT_TRUE(meets(asked, good)) << good;
  }
  for (const char* bad : {"key: search", "group: acme", "user: u-1", "tags: {feature: chat}",
                          "tags: {feature: search, other: \"*\"}", "key: false"}) {
    EXPECT_FALSE(meets(asked, bad)) << bad;
  }
}

TEST(RuleTests, OfTimesIncludeTheFirstMinuteAndNotTheLast) {
  Asked asked(chat("hi"));
  const auto meets_at = [&](int hour, int minute, const char* when) {
    asked.now = at(hour, minute);
    return meets(asked, when);
  };
  const char* const kNight = "time: \"22:00-06:00\"";
  EXPECT_TRUE(meets_at(22, 0, kNight));
  EXPECT_TRUE(meets_at(0, 0, kNight));
  EXPECT_TRUE(meets_at(5, 59, kNight));
  EXPECT_FALSE(meets_at(6, 0, kNight));
  EXPECT_FALSE(meets_at(21, 59, kNight));
  EXPECT_TRUE(meets_at(23, 59, "time: \"12:00-24:00\""));
  EXPECT_TRUE(meets_at(9, 0, "time: [\"08:00-10:00\", \"20:00-21:00\"]"));
  EXPECT_TRUE(meets_at(9, 0, "day: wed"));
  EXPECT_TRUE(meets_at(9, 0, "day: [sat-mon, tue-thu]"));
  EXPECT_FALSE(meets_at(9, 0, "day: thu-tue"));
}

TEST(RuleTests, OfSwitchesAndWords) {
  const Asked asked(chat("```py\nx\n```", R"(,"stream":true,"response_format":{"type":"json_schema"})"));
  for (const char* good : {"stream: true", "json_schema: true", "code: [sql, python]", "code: true", "endpoint: chat"})
    EXPECT_TRUE(meets(asked, good)) << good;
  for (const char* bad :
       {"stream: false", "json_schema: false", "code: [sql, c]", "code: false", "endpoint: [embeddings, responses]"})
    EXPECT_FALSE(meets(asked, bad)) << bad;
}

TEST(RuleTests, OfLatencyAndBudget) {
  Asked asked(chat("hi"));
  asked.header("x-sluice-max-latency", "1500ms");
  asked.budget_left = 12.5;
  EXPECT_TRUE(meets(asked, "max_latency: \"<= 2s\", budget_left: 10%..20%"));
  EXPECT_FALSE(meets(asked, "max_latency: \"<= 1s\""));
  EXPECT_FALSE(meets(asked, "budget_left: \"< 12%\""));
}

TEST(Reasons, TellWhatWasMetWithItsValue) {
  config::Key key;
  key.name = "k";
  key.group = "acme/search";
  Asked asked(chat("Prove it.", R"(,"stream":true)"));
  asked.key = &key;
  asked.tags = {{"feature", "search"}};
  asked.user = "jane@example.org";
  asked.budget_left = 8;
  const auto told = [&](const std::string& when) {
    const Rules rules = rules_of("{name: cheap, when: {" + when + "}, use: small}, {use: large}");
    EXPECT_EQ(used(rules, asked), "small") << when;
    return reason(rules, 0, asked.facts());
  };
  EXPECT_EQ(told("complexity: \"<= 0.3\", tools: false"), "rule \"cheap\": tools absent, complexity 0.175 <= 0.3");
  EXPECT_EQ(told("turns: [1, \"> 5\"], stream: true"), "rule \"cheap\": turns 1 in 1 or > 5, stream true");
  EXPECT_EQ(told("group: \"acme/*\", key: k"), "rule \"cheap\": key k, group acme/search like acme/*");
  EXPECT_EQ(told("tags: {feature: search}"), "rule \"cheap\": tags feature search");
  EXPECT_EQ(told("time: \"10:00-13:00\", day: mon-fri"), "rule \"cheap\": day wed, time 12:00 in 10:00-13:00");
  EXPECT_EQ(told("budget_left: \"< 10%\", max_tokens: false"),
            "rule \"cheap\": max_tokens absent, budget_left 8% < 10%");
  EXPECT_EQ(told("endpoint: chat, code: false"), "rule \"cheap\": endpoint chat, code absent");
  EXPECT_EQ(told("user: \"*@example.org\""), "rule \"cheap\": user like *@example.org") << "and not who it is";
  EXPECT_EQ(reason(rules_of("{use: large}"), 0, asked.facts()), "rule 1: no conditions");
}

}  // namespace
}  // namespace sluice::routing
