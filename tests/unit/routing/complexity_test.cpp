#include "routing/complexity.hpp"

#include "routing/text_sample.hpp"
#include "unit/routing/facts_fixture.hpp"

namespace sluice::routing {
namespace {

using namespace testing;

double score(const std::string& prompt, const std::string& more = "") {
  return Asked(chat(prompt, more)).facts().complexity().score();
}
unsigned part(const Complexity& complexity, Feature feature) {
  return complexity.parts[static_cast<std::size_t>(feature)];
}
TextSignals signals(std::string_view text) { return read_signals(text); }

TEST(Complexity, EasyThingsAreLowAndHardOnesHigh) {
  for (const char* easy : {"hi", "", "Translate 'good morning' into French.", "What is the capital of France?",
                           "Write a friendly birthday greeting for my aunt."}) {
    EXPECT_LE(score(easy), 0.15) << easy;
  }
  for (const char* hard :
       {"Prove step by step that the square root of 2 is irrational.",
        "Beweise Schritt für Schritt, dass es unendlich viele Primzahlen gibt.",
        "Démontrez puis analysez étape par étape ce théorème.", "请一步一步证明这个定理，并分析它。",
        "Докажи теорему шаг за шагом.", "このアルゴリズムを分析し、理由を証明してください。",
        "Compare these two algorithms and derive the worst case; it must be at most O(n log n), exactly."}) {
    EXPECT_GE(score(hard), 0.35) << hard;
  }
}

TEST(Complexity, IsBetweenNothingAndOne) {
  EXPECT_EQ(Complexity{}.score(), 0);
  ComplexityInput most{
      .tokens = std::int64_t{1} << 62, .turns = 1 << 20, .tools = 1 << 20, .json_schema = true, .text = {}};
  most.text = {
      .reasoning = ~0U, .constraints = ~0U, .questions = ~0U, .math = ~0U, .fences = 1U << 30, .languages = ~0U};
  EXPECT_EQ(complexity_of(most).score(), 1);
  ComplexityInput least{.tokens = -5, .turns = -5, .tools = -5, .json_schema = false, .text = {}};
  EXPECT_EQ(complexity_of(least).score(), 0);
}

TEST(Complexity, EachFeatureAddsItsWeightAtMost) {
  ComplexityInput input;
  input.tokens = 8192;
  EXPECT_EQ(part(complexity_of(input), Feature::kLength), 300U);
  input.tokens = 64;
  EXPECT_EQ(part(complexity_of(input), Feature::kLength), 0U);
  input.tokens = 1024;
  EXPECT_EQ(part(complexity_of(input), Feature::kLength), 300U * 4 / 7);
  input.turns = 7;
  EXPECT_EQ(part(complexity_of(input), Feature::kTurns), 50U);
  input.tools = 3;
  EXPECT_EQ(part(complexity_of(input), Feature::kTools), 75U);
  input.json_schema = true;
  EXPECT_EQ(part(complexity_of(input), Feature::kJsonSchema), 100U);
  input.text = {.reasoning = 1, .constraints = 1, .questions = 1, .math = 1, .fences = 2, .languages = 1};
  const Complexity all = complexity_of(input);
  EXPECT_EQ(part(all, Feature::kReasoning), 175U);
  EXPECT_EQ(part(all, Feature::kConstraints), 30U);
  EXPECT_EQ(part(all, Feature::kQuestions), 12U);
  EXPECT_EQ(part(all, Feature::kMath), 37U);
  EXPECT_EQ(part(all, Feature::kCode), 100U);
  input.text.fences = 0;
  EXPECT_EQ(part(complexity_of(input), Feature::kCode), 50U);
}

TEST(Complexity, GrowsWithTheLengthAndNeverShrinks) {
  unsigned before = 0;
  for (std::int64_t tokens = 0; tokens < 10'000; ++tokens) {
    const unsigned now = part(
        complexity_of({.tokens = tokens, .turns = 1, .tools = 0, .json_schema = false, .text = {}}), Feature::kLength);
    EXPECT_GE(now, before) << tokens;
    before = now;
  }
}

TEST(Complexity, TellsItsPartsTheLargestFirst) {
  Complexity complexity;
  complexity.parts[static_cast<std::size_t>(Feature::kLength)] = 80;
  complexity.parts[static_cast<std::size_t>(Feature::kReasoning)] = 350;
  EXPECT_EQ(explain(complexity), "0.43: reasoning 0.35, length 0.08");
  EXPECT_EQ(explain(Complexity{}), "0");
  EXPECT_EQ(format_score(1), "1");
  EXPECT_EQ(format_score(0.05), "0.05");
  EXPECT_EQ(format_score(0.123), "0.123");
}

TEST(TextSignals, WordsAreWholeWordsUnlessTheyMayGoOn) {
  EXPECT_EQ(signals("prove it").reasoning, 1U);
  EXPECT_EQ(signals("i approve; improve; proven").reasoning, 0U);
  EXPECT_EQ(signals("analyzing is no analysis, deriving no derivation").reasoning, 2U);
  EXPECT_EQ(signals("step by step, and step-by-step").reasoning, 2U);
  EXPECT_EQ(signals("mustard, must").constraints, 1U);
  EXPECT_EQ(signals("请证明并分析").reasoning, 2U);
}

TEST(TextSignals, QuestionsAndMathInSeveralScripts) {
  EXPECT_EQ(signals("a? b？ c؟").questions, 3U);
  EXPECT_EQ(signals("x^2 ≤ √y ± 3 × 4, \\frac{a}{b}").math, 6U);
  EXPECT_EQ(signals("c:\\ and plain text").math, 0U);
}

std::string sample(const std::string& body) { return std::string(TextSample(Asked(body).view).text()); }

TEST(TextSample, ReadsEscapesAndLowersLetters) {
  EXPECT_EQ(
      sample(R"({"model":"m","messages":[{"role":"user","content":"A\nB\tC\"\\\/ \u00C9\u0414\u8BC1ÉД\u0041"}]})"),
      "a\nb c\"\\/ éд证éдa\n");
  EXPECT_EQ(sample(R"({"model":"m","messages":[{"role":"user","content":"\uD83D\uDE00РС×"}]})"), "  рс×\n");
}

TEST(TextSample, KeepsHeadAndTailOfWhatIsLong) {
  const std::string text = sample(chat("head" + std::string(1'000'000, 'x') + "tail"));
  EXPECT_LE(text.size(), kMostOfOneText + 8);
  EXPECT_TRUE(text.starts_with("headxxx"));
  EXPECT_TRUE(text.ends_with("xxxtail\n"));
}

TEST(TextSample, IsBoundedForHostileBodies) {
  std::string many = R"({"model":"m","messages":[)";
  for (int i = 0; i < 20'000; ++i) many += R"({"role":"user","content":"\\\\\\"},)";
  many += R"({"role":"user","content":[)";
  for (int i = 0; i < 20'000; ++i) many += R"({"type":"text","text":"prove"},)";
  many += R"("x"]}]})";
  EXPECT_LE(sample(many).size(), 2 * kMostOfOneText + 1024);
  // An escape may be cut where head and tail meet.
  std::string escapes;
  for (int i = 0; i < 10'000; ++i) escapes += "\\u8BC1";
  for (int shift = 0; shift < 6; ++shift) {
    const std::string body = R"({"model":"m","messages":[{"role":"user","content":")" +
                             std::string(static_cast<std::size_t>(shift), 'a') + escapes + "\"}]}";
    EXPECT_LE(sample(body).size(), kMostOfOneText + 8);
  }
}

TEST(TextSample, HasNothingOfContentsThatAreNoText) {
  for (const char* content : {"null", "[]", "[7, null, [], {}]", R"([{"type":"text"}])", R"([{"text":7}])",
                              R"([{"type":"image_url","image_url":{"url":"prove"}}])"}) {
    EXPECT_EQ(sample(R"({"model":"m","messages":[{"role":"user","content":)" + std::string(content) + "}]}"), "")
        << content;
  }
  EXPECT_EQ(sample(R"({"model":"m","messages":[{"role":"assistant","content":"prove"}]})"), "");
}

}  // namespace
}  // namespace sluice::routing
