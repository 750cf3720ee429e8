#include "routing/facts.hpp"

#include "unit/routing/facts_fixture.hpp"

namespace sluice::routing {
namespace {

using config::Fact;
using namespace testing;

config::WordSet set_of(config::CodeLanguage language) { return 1U << static_cast<unsigned>(language); }

TEST(Facts, CountMessagesToolsAndTokens) {
  const Asked asked(
      R"({"model":"m","messages":[{"role":"system","content":"a"},{"role":"user","content":"b"},)"
      R"({"role":"assistant","content":"c"},{"role":"user","content":"d"}],"tools":[{},{}],"max_tokens":7})");
  EXPECT_EQ(asked.number(Fact::kTurns), 4);
  EXPECT_EQ(asked.number(Fact::kTools), 2);
  EXPECT_EQ(asked.number(Fact::kMaxTokens), 7);
  EXPECT_GT(asked.number(Fact::kInputTokens), 12);
  EXPECT_FALSE(asked.facts().flag(Fact::kStream));
}

TEST(Facts, OfOtherEndpoints) {
  const Asked embeddings(R"({"model":"m","input":["a","b"]})", Endpoint::kEmbeddings);
  EXPECT_EQ(embeddings.number(Fact::kTurns), 1);
  EXPECT_EQ(embeddings.facts().words(Fact::kEndpoint), 1U << static_cast<unsigned>(Endpoint::kEmbeddings));
  const Asked responses(
      R"({"model":"m","max_output_tokens":9,"input":[{"role":"user","content":[{"type":"input_image"},)"
      R"({"type":"input_text","text":"select * from t"}]},{"type":"function_call"}],)"
      R"("text":{"format":{"type":"json_schema"}}})",
      Endpoint::kResponses);
  EXPECT_EQ(responses.number(Fact::kTurns), 2);
  EXPECT_EQ(responses.number(Fact::kMaxTokens), 9);
  EXPECT_EQ(responses.number(Fact::kImages), 1);
  EXPECT_TRUE(responses.facts().flag(Fact::kJsonSchema));
  EXPECT_EQ(responses.facts().words(Fact::kCode), set_of(config::CodeLanguage::kSql));
  const Asked completion(R"({"model":"m","prompt":"fn main() {}"})", Endpoint::kCompletions);
  EXPECT_EQ(completion.facts().words(Fact::kCode), set_of(config::CodeLanguage::kRust));
  const Asked nothing(R"({"model":"m"})", Endpoint::kResponses);
  EXPECT_EQ(nothing.number(Fact::kTurns), 0);
  EXPECT_EQ(nothing.number(Fact::kComplexity), 0);
}

TEST(Facts, PicturesAndSoundsAreParts) {
  const Asked asked(R"({"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"image_url"},)"
                    R"({"type":"image_url","image_url":{"url":"data:,"}},{"image_url":{},"type":"image_url"},)"
                    R"({"type":"input_audio","input_audio":{}},7,null,"x",[]]}]})");
  EXPECT_EQ(asked.number(Fact::kImages), 2);
  EXPECT_EQ(asked.number(Fact::kAudio), 1);
  EXPECT_EQ(Asked(chat("\"type\":\"image_url\"")).number(Fact::kImages), 0);
}

TEST(Facts, ASchemaIsAskedForByItsType) {
  EXPECT_TRUE(Asked(chat("a", R"(,"response_format":{"type":"json_schema","json_schema":{}})"))
                  .facts()
                  .flag(Fact::kJsonSchema));
  for (const char* other : {R"(,"response_format":{"type":"json_object"})", R"(,"response_format":null)",
                            R"(,"response_format":{"json_schema":{}})", R"(,"text":7)", ""}) {
    EXPECT_FALSE(Asked(chat("a", other)).facts().flag(Fact::kJsonSchema)) << other;
  }
}

TEST(Facts, TheLatencyIsADurationInAHeader) {
  for (const auto& [text, wanted] :
       std::initializer_list<std::pair<const char*, std::optional<double>>>{{"800ms", 800},
                                                                            {"2s", 2000},
                                                                            {"1min", 60'000},
                                                                            {"2", {}},
                                                                            {"", {}},
                                                                            {"-1s", {}},
                                                                            {"9999999999s", {}},
                                                                            {"1 s", {}},
                                                                            {"fast", {}}}) {
    Asked asked(chat("a"));
    asked.header("X-Sluice-Max-Latency", text);
    EXPECT_EQ(asked.number(Fact::kMaxLatency), wanted) << text;
  }
  EXPECT_EQ(Asked(chat("a")).number(Fact::kMaxLatency), std::nullopt);
}

TEST(Facts, OwnersComeFromTheKey) {
  config::Key key;
  key.name = "search-web";
  key.group = "acme/search";
  Asked asked(chat("a"));
  EXPECT_EQ(asked.facts().text(Fact::kKey), "");
  EXPECT_EQ(asked.facts().tag("feature"), "");
  asked.key = &key;
  asked.tags = {{"feature", "search"}};
  asked.user = "u1";
  EXPECT_EQ(asked.facts().text(Fact::kKey), "search-web");
  EXPECT_EQ(asked.facts().text(Fact::kGroup), "acme/search");
  EXPECT_EQ(asked.facts().text(Fact::kUser), "u1");
  EXPECT_EQ(asked.facts().tag("feature"), "search");
  EXPECT_EQ(asked.facts().tag("team"), "");
}

TEST(Facts, OfAnEndlessUserTheBeginningCounts) {
  Asked asked(chat("a"));
  asked.user = std::string(1'000'000, 'u');
  EXPECT_EQ(asked.facts().text(Fact::kUser).size(), 1024U);
}

TEST(Facts, TheTimeIsThatOfTheDayInUtc) {
  Asked asked(chat("a"));
  asked.now = at(23, 59) + std::chrono::seconds(59);
  EXPECT_EQ(asked.facts().minute(), 23U * 60 + 59);
  EXPECT_EQ(asked.facts().words(Fact::kDay), 1U << 2);
  asked.now = at(0, 0, 30);
  EXPECT_EQ(asked.facts().minute(), 0U);
  EXPECT_EQ(asked.facts().words(Fact::kDay), 1U << 0);
}

TEST(Facts, CodeIsKnownByItsFencesAndByItsWords) {
  using enum config::CodeLanguage;
  const auto code = [](const std::string& prompt) { return Asked(chat(prompt)).facts().words(Fact::kCode); };
  EXPECT_EQ(code("hello\n```Python\nx = 1\n```\n"), set_of(kPython));
  EXPECT_EQ(code("```c++\n```\nand\n~~~ts\n~~~\n"), set_of(kCpp) | set_of(kTypescript));
  EXPECT_EQ(code("```\nx\n```"), set_of(kOther));
  EXPECT_EQ(code("```brainfuck\n+\n```"), set_of(kOther));
  EXPECT_EQ(code("why does std::vector grow"), set_of(kCpp));
  EXPECT_EQ(code("SELECT * FROM t"), set_of(kSql));
  EXPECT_EQ(code("I go to school and rust is red; select a gift"), 0U);
  EXPECT_EQ(code("inline `x` and ``y``"), 0U);
}

TEST(Facts, OnlyWhatTheUserSaysFirstAndLastIsRead) {
  const std::string body =
      R"({"model":"m","messages":[{"role":"system","content":"fn main"},{"role":"user","content":"self.x"},)"
      R"({"role":"user","content":"console.log"},{"role":"assistant","content":"fn main"},)"
      R"({"role":"user","content":[{"type":"text","text":"inner join"}]},{"role":"tool","tool_call_id":"t","content":"fn main"}]})";
  EXPECT_EQ(Asked(body).facts().words(Fact::kCode),
            set_of(config::CodeLanguage::kPython) | set_of(config::CodeLanguage::kSql));
}

}  // namespace
}  // namespace sluice::routing
