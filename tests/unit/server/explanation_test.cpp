#include "server/explanation.hpp"

#include <gtest/gtest.h>

#include "server/guess_endpoint.hpp"

namespace sluice::server {
namespace {

Explanation small() {
  Explanation it;
  it.endpoint = "chat";
  it.model = it.entry = "auto";
  it.key = "app";
  it.rules = {
      {.entry = "auto", .verdict = ExplainedRule::Verdict::kShadow, .why = "rule 1: stream true", .use = "big"},
      {.entry = "auto", .verdict = ExplainedRule::Verdict::kChosen, .why = "rule 2: no conditions", .use = "m"}};
  it.splits = {"m: 30 % as \"try\" to new"};
  it.decision = "m: rule 2: no conditions";
  it.answers = {.name = "m", .strategy = "weighted", .targets = {}};
  it.answers.targets.resize(2);
  it.answers.targets[0].name = "p/x";
  it.answers.targets[0].provider = "p";
  it.answers.targets[0].model = "x";
  it.answers.targets[0].input_price = "2.5";
  it.answers.targets[0].output_price = "10";
  it.answers.targets[1].name = "spare";
  it.answers.targets[1].provider = "p";
  it.answers.targets[1].model = "y";
  it.answers.targets[1].left_out = "its `when` does not hold";
  it.limits = {{.node = "key app", .meter = "budget", .most = "1 USD per day", .amount = 1'500'000, .money = true}};
  it.input_tokens = 7;
  it.output_tokens = 100;
  it.priced = true;
  it.cost = Money::nanodollars(1'500'000);
  return it;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST(Explanation, TellsPeopleWhoAnswersAndWhy) {
  const std::string text = text_of(small());
  for (const char* part :
       {"chat for auto", "Asked by key app\n", "shadow  auto, rule 1: stream true -> would use big",
        "chosen  auto, rule 2: no conditions -> use m", "Splits\n  m: 30 % as \"try\" to new",
        "Answered by m, strategy weighted", "1. p/x: tier 0, weight 1, 2.5 USD in and 10 out per million tokens",
        "-  spare (p/y): tier 0, weight 1, left out: its `when` does not hold",
        "key app: at most 1 USD per day, of which this takes 0.0015 USD", "7 tokens in (estimated), 100 out (at most)",
        "0.0015 USD in the worst case"}) {
    EXPECT_TRUE(has(text, part)) << part << "\n" << text;
  }
}

TEST(Explanation, SaysWhereThereIsNothingToSay) {
  const std::string text = text_of(Explanation{});
  EXPECT_TRUE(has(text, "Asked by nobody in particular")) << text;
  EXPECT_TRUE(has(text, "Limits\n  none")) << text;
  EXPECT_TRUE(has(text, "no prices are configured")) << text;
  EXPECT_FALSE(has(text, "Rules")) << text;
}

TEST(Explanation, IsOneLineOfJson) {
  const std::string text = json_of(small());
  EXPECT_EQ(text.find('\n'), text.size() - 1);
  for (const char* part :
       {R"("verdict":"shadow")", R"("takes_usd":0.0015)", R"("cost_usd":0.0015)", R"("input_usd_per_million":2.5)",
        R"("user":null)", R"("splits":["m: 30 %)", R"("left_out":"its)"}) {
    EXPECT_TRUE(has(text, part)) << part << "\n" << text;
  }
}

TEST(Explanation, ARefusalNamesTheMemberAtFault) {
  const auto refused = fail_param(ErrorKind::kInvalidValue, "messages", "It must be an array.");
  EXPECT_EQ(text_of(refused.error()),
            "The gateway would answer 400 (invalid_value), param messages: It must be an array.\n");
}

TEST(GuessEndpoint, GoesByWhatOnlyOneEndpointHas) {
  EXPECT_EQ(guess_endpoint(R"({"messages":[]})"), Endpoint::kChat);
  EXPECT_EQ(guess_endpoint(R"({"prompt":"x"})"), Endpoint::kCompletions);
  EXPECT_EQ(guess_endpoint(R"({"input":"x"})"), Endpoint::kResponses);
  EXPECT_EQ(guess_endpoint(R"({"input":[{"role":"user","content":"x"}]})"), Endpoint::kResponses);
  EXPECT_EQ(guess_endpoint(R"({"input":["x","y"]})"), Endpoint::kEmbeddings);
  EXPECT_EQ(guess_endpoint(R"({"input":"x","dimensions":8})"), Endpoint::kEmbeddings);
  EXPECT_EQ(guess_endpoint("{"), Endpoint::kChat) << "whose error is told";
}

TEST(GuessEndpoint, NamesAreThoseOfTheConfiguration) {
  EXPECT_EQ(endpoint_named("embeddings"), Endpoint::kEmbeddings);
  EXPECT_EQ(endpoint_named("models"), std::nullopt) << "it takes no body";
  EXPECT_EQ(endpoint_named(""), std::nullopt);
}

}  // namespace
}  // namespace sluice::server
