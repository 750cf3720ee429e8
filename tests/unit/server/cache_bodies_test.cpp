// F65: answers that come as one body, good and bad, through the cache.

#include "unit/server/cache_chain.hpp"

namespace sluice::server {
namespace {

using namespace testing;
using routing::testing::kJson;

struct BodyCase {
  std::string name;
  std::string body;
  bool kept = false;
  int status = 200;
  Endpoint endpoint = Endpoint::kChat;
  fakes::ScriptedStream::Fields fields = kJson;
  std::optional<ErrorKind> end = {};
  std::string request = {};  // empty: a plain one
};
std::ostream& operator<<(std::ostream& out, const BodyCase& one) { return out << one.name; }

std::string answer(const std::string& choices, const std::string& more = "") {
  return R"({"id":"c","object":"chat.completion","created":1,"model":"m","choices":[)" + choices + "]" + more + "}";
}
std::string choice(int index, const std::string& reason) {
  return R"({"index":)" + std::to_string(index) + R"(,"message":{"role":"assistant","content":"a"},"finish_reason":)" +
         reason + "}";
}
std::string texts(const std::string& first, const std::string& second) {
  const auto one = [](int index, const std::string& reason) {
    return R"({"index":)" + std::to_string(index) + R"(,"text":"a","finish_reason":")" + reason + "\"}";
  };
  return R"({"id":"c","object":"text_completion","created":1,"model":"m","choices":[)" + one(0, first) + "," +
         one(1, second) + "]}";
}

std::vector<BodyCase> body_cases() {
  const std::string good = answer(choice(0, "\"stop\""), R"(,"usage":{"prompt_tokens":1,"completion_tokens":2})");
  const std::string prompts = R"({"model":"fast","prompt":["a","b"]})";
  const auto cut = ErrorKind::kUpstreamTruncated;
  const auto completions = Endpoint::kCompletions, responses = Endpoint::kResponses, embeds = Endpoint::kEmbeddings;
  return {
      {.name = "Whole", .body = good, .kept = true},
      {.name = "LoneSurrogate",
       .body = answer(
           R"({"index":0,"message":{"role":"assistant","content":"\ud83d"},"logprobs":null,"finish_reason":"stop"})"),
       .kept = true},
      {.name = "CutBehindIt", .body = good, .end = cut},
      {.name = "CutInside", .body = good.substr(0, good.size() / 2), .end = cut},
      {.name = "CutAtOnce", .body = "", .end = cut},
      {.name = "ShortButClean", .body = good.substr(0, good.size() / 2)},
      {.name = "Nothing", .body = ""},
      {.name = "NoJson", .body = "hello"},
      {.name = "ListOfIt", .body = "[" + good + "]"},
      {.name = "TwoValues", .body = good + good},
      {.name = "Html", .body = "<html>busy</html>", .fields = {{"content-type", "text/html"}}},
      {.name = "HtmlThatSaysJson", .body = "<html>busy</html>"},
      {.name = "ErrorInA200", .body = R"({"error":{"message":"busy","type":"server_error","code":529}})"},
      {.name = "ErrorBesideChoices", .body = answer(choice(0, "\"stop\""), R"(,"error":{"message":"busy"})")},
      {.name = "NoChoices", .body = R"({"id":"c"})"},
      {.name = "Length", .body = answer(choice(0, "\"length\""))},
      {.name = "ContentFilter", .body = answer(choice(0, "\"content_filter\""))},
      {.name = "NoFinish", .body = answer(choice(0, "null"))},
      {.name = "SecondChoiceOfLength", .body = answer(choice(0, "\"stop\"") + "," + choice(1, "\"length\""))},
      {.name = "FirstChoiceOfLength", .body = answer(choice(0, "\"length\"") + "," + choice(1, "\"stop\""))},
      {.name = "ServerError", .body = good, .status = 500},
      {.name = "RateLimit", .body = R"({"error":{"message":"slow"}})", .status = 429},
      {.name = "BadRequest", .body = R"({"error":{"message":"long"}})", .status = 400},
      {.name = "Redirect", .body = "", .status = 302},
      {.name = "PromptsThatAllStop",
       .body = texts("stop", "stop"),
       .kept = true,
       .endpoint = completions,
       .request = prompts},
      {.name = "OneOfThePromptsOfLength", .body = texts("stop", "length"), .endpoint = completions, .request = prompts},
      {.name = "Response",
       .body = R"({"id":"r","object":"response","status":"completed","model":"m","output":[]})",
       .kept = true,
       .endpoint = responses},
      {.name = "ResponseIncomplete",
       .body = R"({"id":"r","object":"response","status":"incomplete","model":"m","output":[]})",
       .endpoint = responses},
      {.name = "ResponseFailed",
       .body = R"({"id":"r","object":"response","status":"failed","model":"m","error":{"message":"x"},"output":[]})",
       .endpoint = responses},
      {.name = "Embedding",
       .body = R"({"object":"list","model":"m","data":[{"object":"embedding","index":0,"embedding":[0.5]}]})",
       .kept = true,
       .endpoint = embeds,
       .request = R"({"model":"fast","input":"hi","encoding_format":"float"})"},
      {.name = "EmbeddingOfNothing",
       .body = R"({"object":"list","model":"m"})",
       .endpoint = embeds,
       .request = R"({"model":"fast","input":"hi","encoding_format":"float"})"},
  };
}

class CacheBodies : public ::testing::TestWithParam<BodyCase> {};

TEST_P(CacheBodies, F65WhatIsNotWholeLeavesNothing) {
  const BodyCase& one = GetParam();
  Chain chain;
  std::vector<Asked> asked;
  for (int i = 0; i < 2; ++i) {
    std::vector<fakes::Step> steps;
    for (std::size_t at = 0; at < one.body.size(); at += 50) steps.emplace_back(one.body.substr(at, 50));
    if (one.end) steps.emplace_back(fail(*one.end, "scripted").error());
    const std::string request = one.request.empty() ? request_for(one.endpoint, false) : one.request;
    asked.push_back(chain.ask(request, one.endpoint, one.status, one.fields, std::move(steps)));
    EXPECT_TRUE(asked.back().result || !one.kept);
  }
  EXPECT_EQ(asked[0].told, "miss");
  EXPECT_EQ(asked[1].told, one.kept ? "hit" : "miss");
  EXPECT_EQ(asked[1].calls, one.kept ? 0U : 1U);
  EXPECT_EQ(asked[1].body, asked[0].body);
  EXPECT_EQ(chain.counts().stored, one.kept ? 1U : 0U);
  EXPECT_EQ(chain.counts().memory.entries, one.kept ? 1U : 0U);
}

INSTANTIATE_TEST_SUITE_P(Case, CacheBodies, ::testing::ValuesIn(body_cases()),
                         [](const auto& one) { return one.param.name; });

}  // namespace
}  // namespace sluice::server
