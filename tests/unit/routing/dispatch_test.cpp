// Whole answers and errors through the dispatch stage.

#include <nlohmann/json.hpp>

#include "unit/routing/support.hpp"

namespace sluice::routing {
namespace {

using namespace std::chrono_literals;
using namespace testing;
using nlohmann::json;
using Fields = fakes::ScriptedStream::Fields;

const std::string kAnswer =
    R"({ "id":"c","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},)"
    R"("finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":1,"total_tokens":10}, "x": 1.0 })";

// The error that a chat request ends with when the upstream answers so.
Error error_of(int status, const std::string& body, Fields fields = kJson, const std::string& request = kChatBody) {
  Conversation one(request);
  one.client.add(status, std::move(fields), {body});
  const auto result = one.dispatch();
  EXPECT_FALSE(result.has_value());
  EXPECT_FALSE(one.sink.started());
  EXPECT_EQ(one.client.asked.size(), 1U);
  return result ? Error{} : result.error();
}

TEST(Dispatch, PassesAWholeAnswerByteForByte) {
  Conversation one(kChatBody);
  const auto fate = one.client.add(200, kJson, {kAnswer.substr(0, 50), kAnswer.substr(50)});
  ASSERT_TRUE(one.dispatch().has_value());
  EXPECT_EQ(one.sink.body(), kAnswer);
  EXPECT_EQ(one.sink.status, 200);
  EXPECT_EQ(one.sink.content_type, "application/json");
  EXPECT_TRUE(one.sink.finished);
  EXPECT_TRUE(fate->destroyed);
  EXPECT_EQ(one.record.usage.input, 9);
  EXPECT_EQ(one.record.usage.output, 1);
  EXPECT_EQ(one.record.usage.source, UsageSource::kReported);
  EXPECT_EQ(one.record.finish_reason, "stop");
  EXPECT_EQ(one.record.attempts[0].result, "ok");
}

TEST(Dispatch, NothingIsSentBeforeTheAnswerIsWhole) {
  Conversation one(kChatBody);
  one.client.add(200, kJson, {kAnswer.substr(0, 50), fail(ErrorKind::kUpstreamTruncated, "cut").error()});
  const auto result = one.dispatch();
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind, ErrorKind::kUpstreamTruncated);
  EXPECT_FALSE(one.sink.started());
}

TEST(Dispatch, WhatIsNoAnswerIsRefusedAndHidden) {
  for (auto bad :
       {"", "canary", "<html>canary</html>", "[]", "{\"canary\":1", "{\"choices\":null}", "{\"canary\":1}"}) {
    const auto error = error_of(200, bad);
    EXPECT_EQ(error.kind, ErrorKind::kUpstreamInvalidResponse) << bad;
    EXPECT_EQ(error.message.find("canary"), std::string::npos) << bad;
  }
}

TEST(Dispatch, AnAnswerMayBeAsLargeAsTheLimitAndNotAByteLarger) {
  auto config = small_config();
  for (const std::size_t less : {0U, 1U}) {
    config.limits.response_bytes = kAnswer.size() - less;
    Conversation one(kChatBody);
    one.client.add(200, kJson, {kAnswer});
    EXPECT_EQ(one.dispatch(config).has_value(), less == 0);
  }
}

TEST(Dispatch, StatusesOfTheUpstreamAreMapped) {
  const std::string body = R"({"error":{"message":"said the upstream","type":"t","param":"p","code":"c"}})";
  const std::pair<int, int> passed[] = {{400, 400}, {404, 404}, {408, 408}, {409, 409}, {413, 413}, {422, 422},
                                        {429, 429}, {500, 502}, {502, 502}, {503, 503}, {504, 504}, {529, 503}};
  for (const auto& [upstream, client] : passed) {
    const auto error = error_of(upstream, body);
    EXPECT_EQ(error.kind, ErrorKind::kUpstreamStatus) << upstream;
    EXPECT_EQ(error.http_status(), client) << upstream;
    EXPECT_EQ(error.message, "said the upstream") << upstream;
    EXPECT_EQ(error.param, "p");
    EXPECT_EQ(error.error_code(), "c");
  }
}

TEST(Dispatch, F38TheOperatorsCredentialIsNeverTheClientsConcern) {
  for (int status : {401, 402, 403}) {
    const auto error = error_of(status, R"({"error":{"message":"Incorrect API key provided: sk-up"}})");
    EXPECT_EQ(error.kind, ErrorKind::kUpstreamAuth) << status;
    EXPECT_EQ(error.http_status(), 502) << status;
    EXPECT_EQ(error.message.find("sk-up"), std::string::npos) << status;
    EXPECT_EQ(error.detail.find("sk-up"), std::string::npos) << status;
  }
}

TEST(Dispatch, F36AnUnreadableErrorBodyIsHidden) {
  for (const std::string& body : {std::string("<html>canary</html>"), std::string(), std::string("{\"error\":\"can"),
                                  std::string(5'000'000, 'c')}) {
    const auto error = error_of(500, body);
    EXPECT_EQ(error.http_status(), 502);
    EXPECT_FALSE(error.message.empty());
    EXPECT_LT(error.message.size(), 200U);
    EXPECT_EQ(error.message.find("canary"), std::string::npos);
  }
}

TEST(Dispatch, F36NoMoreOfAnErrorBodyIsReadThanTheLimit) {
  auto config = small_config();
  config.limits.error_bytes = 10'000;
  Conversation one(kChatBody);
  const auto fate = one.client.add(503, kJson, std::vector<fakes::Step>(1000, fakes::Step(std::string(1000, ' '))));
  EXPECT_FALSE(one.dispatch(config).has_value());
  EXPECT_LE(fate->reads, 11);
}

TEST(Dispatch, U41TheWaitOfAnUpstreamIsPassedOn) {
  const auto with = [](Fields fields) { return error_of(429, "{}", std::move(fields)); };
  EXPECT_EQ(with({{"retry-after-ms", "350"}, {"Retry-After", "2"}}).retry_after, 350ms);
  EXPECT_EQ(with({{"Retry-After", "0.5"}}).retry_after, 500ms);
  EXPECT_EQ(with({{"Retry-After", "soon"}}).retry_after, std::nullopt);
  EXPECT_EQ(with({}).retry_after, std::nullopt);
  EXPECT_FALSE(with({{"Retry-After", "120"}}).no_retry);
  for (auto longer : {"121", "1e9"}) {
    const auto error = with({{"Retry-After", longer}});
    EXPECT_EQ(error.retry_after, 120s);
    EXPECT_TRUE(error.no_retry);
  }
}

TEST(Dispatch, F46RedirectsAndOtherSuccessesAreNoAnswer) {
  for (int status : {201, 202, 204, 206, 301, 302, 304, 307, 308}) {
    const auto error = error_of(status, kAnswer, {{"location", "http://169.254.169.254/"}});
    EXPECT_EQ(error.kind, ErrorKind::kUpstreamInvalidResponse) << status;
    EXPECT_EQ(error.message.find("169.254"), std::string::npos);
  }
}

TEST(Dispatch, F45CompressedAnswersAreRefused) {
  for (auto encoding : {"gzip", "br", "deflate", "GZIP", "gzip, identity", "zstd"}) {
    EXPECT_EQ(error_of(200, kAnswer, {{"Content-Encoding", encoding}}).kind, ErrorKind::kUpstreamInvalidResponse);
    const auto limited = error_of(429, "\x1f\x8b", {{"Content-Encoding", encoding}, {"retry-after", "7"}});
    EXPECT_EQ(limited.http_status(), 429) << "the status says enough";
    EXPECT_EQ(limited.retry_after, std::chrono::seconds(7));
    EXPECT_EQ(
        error_of(200, kDone, {{"content-type", "text/event-stream"}, {"content-encoding", encoding}}, kStreamBody).kind,
        ErrorKind::kUpstreamInvalidResponse);
  }
  Conversation one(kChatBody);
  one.client.add(200, {{"Content-Encoding", "identity"}}, {kAnswer});
  EXPECT_TRUE(one.dispatch().has_value());
}

TEST(Dispatch, AnErrorInsideA200IsAnError) {
  const auto error = error_of(200, R"({"error":{"message":"slow down","type":"rate_limit_error"}})");
  EXPECT_EQ(error.kind, ErrorKind::kUpstreamStatus);
  EXPECT_EQ(error.http_status(), 429);
}

TEST(Dispatch, SomeFieldsOfTheUpstreamGoAlongAndNoOthers) {
  Conversation one(kChatBody);
  one.client.add(200,
                 {{"X-Request-Id", "up-7"},
                  {"X-RateLimit-Remaining-Tokens", "99"},
                  {"OpenAI-Processing-Ms", "5"},
                  {"Set-Cookie", "canary"},
                  {"Server", "canary"},
                  {"OpenAI-Organization", "canary"},
                  {"Content-Type", "application/json"}},
                 {kAnswer});
  ASSERT_TRUE(one.dispatch().has_value());
  EXPECT_EQ(one.sink.field("x-upstream-request-id"), "up-7");
  EXPECT_EQ(one.sink.field("x-ratelimit-remaining-tokens"), "99");
  EXPECT_EQ(one.sink.field("openai-processing-ms"), "5");
  EXPECT_EQ(one.sink.fields.size(), 6U) << "these, and three of ours";
  EXPECT_EQ(one.record.upstream_request_id, "up-7");
}

TEST(Dispatch, F23U49FieldsThatConnectionListsDoNotGoAlong) {
  Conversation one(kChatBody);
  one.client.add(200,
                 {{"X-Request-Id", "up-7"}, {"OpenAI-Version", "2020"}, {"Connection", "x-request-id, openai-version"}},
                 {kAnswer});
  EXPECT_TRUE(one.dispatch().has_value());
  EXPECT_EQ(one.sink.field("x-upstream-request-id"), "(absent)");
  EXPECT_EQ(one.sink.field("openai-version"), "(absent)");
}

TEST(Dispatch, TheFieldsOfAnErrorAreKeptForItsAnswer) {
  Conversation one(kChatBody);
  one.client.add(429, {{"x-ratelimit-remaining-requests", "0"}, {"x-request-id", "up-8"}}, {"{}"});
  EXPECT_FALSE(one.dispatch().has_value());
  EXPECT_EQ(one.exchange.passed_on.size(), 2U);
  EXPECT_EQ(one.record.upstream_request_id, "up-8");
}

TEST(Dispatch, AnUpstreamThatCannotBeReachedIsOnTheRecord) {
  Conversation one(kChatBody);
  one.client.add(fail(ErrorKind::kUpstreamConnectFailed, "no").error());
  const auto result = one.dispatch();
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind, ErrorKind::kUpstreamConnectFailed);
  ASSERT_EQ(one.record.attempts.size(), 1U);
  EXPECT_EQ(one.record.attempts[0].provider, "up");
  EXPECT_EQ(one.record.attempts[0].result, "upstream_connect_failed");
}

TEST(Dispatch, TimeoutsOfTheRouteBoundTheRequest) {
  auto config = small_config();
  config.providers["up"].timeouts = {.connect = 3s, .first_byte = 40s, .first_token = 5s, .idle = 6s, .total = 50s};
  for (const bool stream : {false, true}) {
    Conversation one(stream ? kStreamBody : kChatBody);
    const auto before = Clock::now();
    EXPECT_FALSE(one.dispatch(config).has_value());
    ASSERT_EQ(one.client.asked.size(), 1U);
    EXPECT_EQ(one.client.asked[0].connect_timeout, 3s);
    const auto wait = stream ? 5s : 40s;
    EXPECT_GE(one.client.asked[0].head_due, before + wait);
    EXPECT_LE(one.client.asked[0].head_due, Clock::now() + wait);
  }
}

TEST(Dispatch, AModelThatIsNotThereReachesNobody) {
  for (auto [name, kind] : {std::pair{"nope", ErrorKind::kModelNotFound}, {"dark", ErrorKind::kProviderOff}}) {
    Conversation one(R"({"model":")" + std::string(name) + R"(","messages":[{"role":"user","content":"x"}]})");
    const auto result = one.dispatch();
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().kind, kind);
    EXPECT_TRUE(one.client.asked.empty());
    EXPECT_TRUE(one.record.attempts.empty());
    EXPECT_EQ(one.record.route, "other") << "no label from what a client says";
  }
}

TEST(Dispatch, AGlobsTargetGetsTheNameThatWasAskedFor) {
  Conversation one(R"({"model":"gpt-9","messages":[{"role":"user","content":"x"}]})");
  one.client.add(200, kJson, {kAnswer});
  ASSERT_TRUE(one.dispatch().has_value());
  EXPECT_EQ(one.client.asked[0].body, one.body);
  EXPECT_EQ(one.record.upstream_model, "gpt-9");
  EXPECT_EQ(one.record.route, "gpt-*");
}

json embeddings(const std::string& encoding, const std::string& upstream) {
  Conversation one(R"({"model":"fast","input":"x")" + encoding + "}", Endpoint::kEmbeddings);
  one.client.add(200, kJson,
                 {R"({"object":"list","data":[{"object":"embedding","index":0,"embedding":)" + upstream +
                  R"(}],"usage":{"prompt_tokens":4,"total_tokens":4}})"});
  EXPECT_TRUE(one.dispatch().has_value());
  EXPECT_EQ(one.record.usage.input, 4);
  return json::parse(one.sink.body(), nullptr, false)["data"][0]["embedding"];
}

TEST(Dispatch, EmbeddingsComeInTheFormThatWasAskedFor) {
  const std::string floats = "[1.0,-2.5]", base64 = "\"AACAPwAAIMA=\"";
  EXPECT_EQ(embeddings(R"(,"encoding_format":"base64")", floats), json::parse(base64));
  EXPECT_EQ(embeddings(R"(,"encoding_format":"base64")", base64), json::parse(base64));
  EXPECT_EQ(embeddings(R"(,"encoding_format":"float")", base64), json::parse(floats));
  EXPECT_EQ(embeddings(R"(,"encoding_format":"float")", floats), json::parse(floats));
  EXPECT_EQ(embeddings("", base64), json::parse(floats)) << "the default of the API";
}

TEST(Dispatch, ModerationsWithoutAModelGoToTheDefaultOne) {
  auto config = small_config();
  Conversation missing(R"({"input":"x"})", Endpoint::kModerations);
  EXPECT_FALSE(missing.dispatch(config).has_value());
  config.models.push_back(model("omni-moderation-latest", "up"));
  Conversation found(R"({"input":"x"})", Endpoint::kModerations);
  found.client.add(200, kJson, {R"({"id":"m","results":[]})"});
  EXPECT_TRUE(found.dispatch(config).has_value());
  EXPECT_EQ(found.client.asked[0].body, found.body);
}

TEST(Dispatch, AStaticProviderAnswersWithoutAnUpstream) {
  Conversation one(R"({"model":"house","messages":[{"role":"user","content":"x"}]})");
  ASSERT_TRUE(one.dispatch().has_value());
  EXPECT_TRUE(one.client.asked.empty());
  EXPECT_EQ(json::parse(one.sink.body())["choices"][0]["message"]["content"], "Please try again.");
  EXPECT_EQ(one.record.usage.output, 3);
}

TEST(Dispatch, AClientThatLeftGetsNoSecondAnswer) {
  Conversation one(kChatBody);
  one.sink.fail_from_piece = 1;
  one.client.add(200, kJson, {kAnswer});
  const auto result = one.dispatch();
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind, ErrorKind::kClientGone);
}

}  // namespace
}  // namespace sluice::routing
