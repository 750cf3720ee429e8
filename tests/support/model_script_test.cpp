#include "support/model_script.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/openai_answers.hpp"
#include "support/raw_client.hpp"
#include "support/scripted_upstream.hpp"

namespace sluice::support {
namespace {

class ModelScriptTest : public ::testing::Test {
 protected:
  ModelScriptTest() {
    upstream_.set_script([this](const ObservedRequest& request) { return std::optional(script_(request)); });
  }
  Response ask(const std::string& body, const std::string& path = "/v1/chat/completions") {
    return fetch(upstream_.port(), post_request(path, body));
  }

  ModelScript script_;
  ScriptedUpstream upstream_;
};

TEST_F(ModelScriptTest, AnswersAsTheModelSays) {
  EXPECT_NE(ask(chat_body("ok")).body.find("Hello there."), std::string::npos);
  EXPECT_NE(ask(chat_body("tools")).body.find("get_weather"), std::string::npos);
  EXPECT_EQ(ask(chat_body("error-422")).status, 422);
  EXPECT_EQ(ask(chat_body("error-429")).header("retry-after"), "1");
  EXPECT_EQ(ask(stream_body("stream-5")).events.size(), 8U);
  EXPECT_EQ(ask(stream_body("truncate")).end, End::kFin);
  EXPECT_EQ(ask(stream_body("reset-mid")).end, End::kReset);
}

TEST_F(ModelScriptTest, SendsUsageWhenAskedAndRefusesOnce) {
  const std::string options = R"("stream_options":{"include_usage":true})";
  EXPECT_EQ(ask(stream_body("stream-1", options)).events.size(), 5U);
  EXPECT_EQ(ask(chat_body("flaky-429")).status, 429);
  EXPECT_EQ(ask(chat_body("flaky-429")).status, 200);
}

TEST_F(ModelScriptTest, EmbedsInTheFormatOfTheModelName) {
  const std::string body = R"({"model":"embed-base64","input":["a","b"]})";
  const auto answer = nlohmann::json::parse(ask(body, "/v1/embeddings").body);
  EXPECT_EQ(answer["data"].size(), 2U);
  EXPECT_EQ(answer["data"][1]["embedding"], "AAAAPwAAoL8AAEBA");
}

TEST_F(ModelScriptTest, EmbedsAsManyDimensionsAsAskedFor) {
  const std::string body = R"({"model":"embed-float","input":"a","dimensions":6})";
  const auto answer = nlohmann::json::parse(ask(body, "/v1/embeddings").body);
  EXPECT_EQ(answer["data"][0]["embedding"], nlohmann::json({0.5, -1.25, 3.0, 0.5, -1.25, 3.0}));
}

TEST_F(ModelScriptTest, AnswersEveryEndpointInItsOwnShape) {
  const auto kind = [this](const std::string& path) {
    return nlohmann::json::parse(ask(chat_body("ok"), path).body)["object"];
  };
  EXPECT_EQ(kind("/v1/chat/completions"), "chat.completion");
  EXPECT_EQ(kind("/v1/completions"), "text_completion");
  EXPECT_EQ(kind("/v1/responses"), "response");
  EXPECT_NE(ask(R"({"input":"x"})", "/v1/moderations").body.find("category_scores"), std::string::npos);
  const Response stream = ask(stream_body("ok"), "/v1/responses");
  ASSERT_EQ(stream.events.size(), 9U);
  EXPECT_EQ(nlohmann::json::parse(stream.events.back().data())["response"]["status"], "completed");
  EXPECT_EQ(ask(stream_body("ok"), "/v1/completions").events.size(), 4U);
}

TEST_F(ModelScriptTest, BreaksResponsesInTheirOwnShape) {
  const Response cut = ask(stream_body("reset-mid"), "/v1/responses");
  EXPECT_EQ(cut.end, End::kReset);
  ASSERT_EQ(cut.events.size(), 5U);
  EXPECT_EQ(nlohmann::json::parse(cut.events.back().data())["delta"], " there");
}

TEST_F(ModelScriptTest, TellsWhatItObserved) {
  ask(chat_body("ok"));
  const auto seen = nlohmann::json::parse(observed_json(upstream_));
  EXPECT_EQ(seen["requests"][0]["body"], chat_body("ok"));
  EXPECT_EQ(seen["connections"].size(), 1U);
}

}  // namespace
}  // namespace sluice::support
