// Deciding by rules neither allocates nor throws, whatever the request is. Not under the thread sanitizer: it has its
// own operator new.
#if !__has_feature(thread_sanitizer)

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "routing/rules.hpp"
#include "support/allocations.hpp"
#include "support/paths.hpp"
#include "unit/routing/facts_fixture.hpp"

namespace sluice::routing {
namespace {

using namespace testing;
using config::Condition;
using config::Fact;

// Every fact, in a shadow of its own so that each is asked for.
Rules all_facts() {
  std::vector<config::Rule> rules;
  for (std::size_t i = 0; i < config::kFacts; ++i) {
    Condition condition{.fact = static_cast<Fact>(i), .tag = "feature", .test = "any"};
    condition.spans = {{.least = 0, .most = 1e18}};
    condition.globs = {"*a*", "*"};
    condition.hours = {{.from = 0, .to = 1440}};
    condition.words = ~0U;
    rules.push_back({.name = "r", .when = {condition}, .use = "x", .shadow = true});
  }
  rules.push_back({.name = "last", .when = {}, .use = "y"});
  return Rules(std::move(rules));
}

std::vector<std::string> hostile_bodies() {
  std::vector<std::string> out = {chat(""), chat("prove it"), chat(std::string(4'000'000, '?')),
                                  chat(std::string(300'000, '`'))};
  std::string deep = "1";
  for (int i = 0; i < 60; ++i) deep = "[" + deep + "]";
  out.push_back(R"({"model":"m","messages":[{"role":"user","content":[)" + deep +
                R"(,{"type":[],"text":{}}]}],"tools":)" + deep + R"(,"response_format":[1]})");
  std::string many = R"({"model":"m","messages":[)";
  for (int i = 0; i < 50'000; ++i) many += R"({"role":"user","content":"a"},)";
  out.push_back(many + R"({"role":"user"}]})");
  std::mt19937 random(7);
  for (int i = 0; i < 200; ++i) {
    std::string prompt;
    static constexpr std::string_view kPieces[] = {
        "```", "\\", "prove", "\n", "?", "é", "证明", "std::", "\"", " ", "~~~py", "^", "≤", "\\u12", "must"};
    for (int j = 0; j < 200; ++j) prompt += kPieces[random() % std::size(kPieces)];
    out.push_back(chat(prompt));
  }
  return out;
}

TEST(RulesProperty, DecidingNeitherAllocatesNorThrows) {
  const Rules rules = all_facts();
  config::Key key;
  key.name = "k";
  key.group = "g";
  for (const std::string& body : hostile_bodies()) {
    Asked asked(body);
    asked.key = &key;
    asked.tags = {{"feature", "a"}};
    asked.user = "u";
    asked.header("x-sluice-max-latency", std::string_view(body).substr(0, 50));
    const Facts facts = asked.facts();
    const std::size_t before = support::allocations();
    Decision decision;
    EXPECT_NO_THROW(decision = choose(rules, facts));
    EXPECT_EQ(support::allocations() - before, 0U) << body.substr(0, 100);
    EXPECT_EQ(decision.index, config::kFacts);
    const double score = facts.complexity().score();
    EXPECT_TRUE(score >= 0 && score <= 1) << score;
    const Decision again = choose(rules, asked.facts());
    EXPECT_EQ(again.shadows, decision.shadows) << "the same request is decided in the same way";
  }
}

TEST(RulesProperty, AnyBodyThatIsLetInCanBeDecided) {
  const Rules rules = all_facts();
  std::size_t decided = 0;
  for (const auto& file : std::filesystem::directory_iterator(support::source_dir() + "/tests/fuzz/corpus/json_gate")) {
    std::ifstream stream(file.path(), std::ios::binary);
    const std::string body{std::istreambuf_iterator<char>(stream), {}};
    for (std::size_t endpoint = 0; endpoint < kEndpoints; ++endpoint) {
      const auto view = api::parse_request(static_cast<Endpoint>(endpoint), body);
      if (!view) continue;
      const Facts facts({.view = *view});
      const std::size_t before = support::allocations();
      const Decision decision = choose(rules, facts);
      EXPECT_EQ(support::allocations() - before, 0U) << file.path();
      EXPECT_EQ(decision.index, config::kFacts);
      ++decided;
    }
  }
  EXPECT_GT(decided, 100U);
}

}  // namespace
}  // namespace sluice::routing

#endif
