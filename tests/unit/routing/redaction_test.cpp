// F50, F38: an upstream that repeats its credential does not get it past us, in any field and in any kind of error.
// F77: nothing it says in its own words gets onto the record.

#include <nlohmann/json.hpp>

#include "unit/routing/support.hpp"

namespace sluice::routing {
namespace {

using namespace testing;

const std::string kKey = "sk-canary-0123456789";
const std::string kHeader = "header-canary-0123";
const std::string kQuery = "query-canary-0123";

config::Config marked_config() {
  auto config = small_config();
  auto& up = config.providers.at("up");
  up.api_keys = {Secret("sk-another-0123456"), Secret(kKey)};
  up.headers = {{"x-team", Secret("Token " + kHeader)}};
  up.base_url.query = Secret("api-version=1&key=" + kQuery);
  config.routing.max_attempts = 1;
  config.routing.response_headers = false;
  return config;
}

// Everything that leaves an exchange, but for a good answer.
std::string left_by(const Conversation& one, const Result<void>& result) {
  std::string all = one.sink.body();
  for (const auto& [name, value] : one.sink.fields) all += value + "\n";
  for (const auto& [name, value] : one.exchange.passed_on) all += value + "\n";
  if (!result) {
    const Error& error = result.error();
    all += error.message + "\n" + error.detail + "\n" + error.type + "\n" + error.param + "\n" + error.code + "\n";
    if (one.exchange.failure_event) all += one.exchange.failure_event(error);
  }
  observe::append_trace_lines(all, one.record);
  observe::append_log_line(all, one.record);
  return all;
}

std::string in_every_field(const std::string& text) {
  return R"({"message":"you sent )" + text + R"(","type":"type )" + text + R"(","param":"param )" + text +
         R"(","code":"code )" + text + R"("})";
}

TEST(Redaction, F50AKeyInAnUpstreamsErrorGoesNowhere) {
  for (const auto& secret : {kKey, kHeader, kQuery}) {
    for (const int status : {400, 404, 408, 409, 413, 422, 429, 500, 503, 529}) {
      Conversation one(kChatBody);
      one.client.add(status, kJson, {"{\"error\":" + in_every_field(secret) + "}"});
      const auto result = one.dispatch(marked_config());
      ASSERT_FALSE(result.has_value());
      EXPECT_EQ(result.error().message, "you sent [redacted]") << status;
      EXPECT_EQ(left_by(one, result).find(secret), std::string::npos) << left_by(one, result);
    }
  }
}

TEST(Redaction, F50AKeyInAnErrorInsideA200GoesNowhere) {
  Conversation one(kChatBody);
  one.client.add(200, kJson, {"{\"error\":" + in_every_field(kKey) + "}"});
  const auto result = one.dispatch(marked_config());
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(left_by(one, result).find("canary"), std::string::npos) << left_by(one, result);
}

TEST(Redaction, F50F35AKeyInAStreamsErrorGoesNowhere) {
  for (const bool after_a_token : {false, true}) {
    Conversation one(kStreamBody);
    one.client.add(200, kSse,
                   {(after_a_token ? token("a") : "") + "data: {\"error\":" + in_every_field(kKey) + "}\n\n"});
    const auto result = one.dispatch(marked_config());
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(one.sink.started(), after_a_token);
    EXPECT_EQ(left_by(one, result).find("canary"), std::string::npos) << left_by(one, result);
  }
}

TEST(Redaction, F50AKeyInAFailedResponseGoesNowhere) {
  Conversation one(R"({"model":"fast","stream":true,"input":"hi"})", Endpoint::kResponses);
  one.client.add(200, kSse,
                 {"event: response.failed\ndata: {\"type\":\"response.failed\",\"sequence_number\":0,\"response\":"
                  "{\"id\":\"r\",\"status\":\"failed\",\"error\":{\"code\":\"x\",\"message\":\"bad " +
                  kKey + "\"}}}\n\n"});
  const auto result = one.dispatch(marked_config());
  ASSERT_TRUE(result.has_value());
  EXPECT_NE(one.sink.body().find("bad [redacted]"), std::string::npos) << one.sink.body();
  EXPECT_EQ(left_by(one, result).find("canary"), std::string::npos) << left_by(one, result);
}

TEST(Redaction, F50AHeaderFieldWithAKeyIsNotPassedOn) {
  for (const int status : {200, 500}) {
    Conversation one(kChatBody);
    one.client.add(status,
                   {{"content-type", "application/json"},
                    {"x-request-id", kKey},
                    {"openai-version", "v " + kHeader},
                    {"x-models-etag", kQuery},
                    {"openai-processing-ms", "5"}},
                   {R"({"choices":[{"index":0,"message":{"content":"hi"},"finish_reason":"stop"}]})"});
    const auto result = one.dispatch(marked_config());
    EXPECT_EQ(one.exchange.passed_on.size(), 1U);
    EXPECT_EQ(left_by(one, result).find("canary"), std::string::npos) << left_by(one, result);
  }
}

// The client may read what the upstream says of its own prompt; the log and the trace may not.
TEST(Redaction, F77TheUpstreamsWordsAreNotOnTheRecord) {
  const std::string said = in_every_field("canary prompt");
  const std::vector<std::pair<int, std::string>> answers = {
      {400, "{\"error\":" + said + "}"},
      {429, "{\"error\":" + said + "}"},
      {500, "{\"error\":" + said + "}"},
      {401, "{\"error\":" + said + "}"},
      {200, "{\"error\":" + said + "}"},
      {200, "{\"canary prompt"},
      {302, "canary prompt"},
      {200, R"({"choices":[{"index":0,"message":{"content":"canary"},"finish_reason":"canary prompt"}]})"}};
  for (const auto& [status, body] : answers) {
    Conversation one(kChatBody);
    one.client.add(status, {{"content-type", "application/json"}, {"x-request-id", "canary prompt"}}, {body});
    const auto result = one.dispatch(marked_config());
    if (!result) {
      one.record.error = traits(result.error().kind).code;
      one.record.detail = result.error().detail;
    }
    std::string line;
    observe::append_trace_lines(line, one.record);
    observe::append_log_line(line, one.record);
    EXPECT_EQ(line.find("canary"), std::string::npos) << line;
  }
}

}  // namespace
}  // namespace sluice::routing
