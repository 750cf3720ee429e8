// The built-in provider answers without any upstream, alone or in place of one that is off.

#include "integration/fixture.hpp"

namespace sluice::integration {
namespace {

class StaticProvider : public GatewayTest {
 protected:
  void SetUp() override {
    start({.provider = "quirks: {}}\n  house: {dialect: static, answer: \"We are busy now.\", word_delay: 1ms",
           .models = "m: house/x, \"gpt-*\": {target: \"up/*\", when_off: house/x}",
           .environment = {{"UP_KEY", ""}}});
  }
};

TEST_F(StaticProvider, AnswersWhole) {
  const Response response = ask(chat_body());
  ASSERT_EQ(response.status, 200) << response.body;
  const json answer = json::parse(response.body);
  EXPECT_EQ(answer["object"], "chat.completion");
  EXPECT_EQ(answer["choices"][0]["message"]["content"], "We are busy now.");
  EXPECT_EQ(answer["choices"][0]["finish_reason"], "stop");
  EXPECT_TRUE(answer["usage"]["total_tokens"].is_number_integer());
}

TEST_F(StaticProvider, AnswersAsAStream) {
  const Response response = ask(stream_body("m", R"("stream_options":{"include_usage":true})"));
  ASSERT_EQ(response.status, 200);
  EXPECT_TRUE(response.complete);
  const auto events = data_of(response);
  ASSERT_GE(events.size(), 4U);
  EXPECT_EQ(events.back(), "[DONE]");
  std::string text;
  for (std::size_t i = 0; i + 1 < events.size(); ++i) {
    const json event = json::parse(events[i]);
    EXPECT_EQ(event["object"], "chat.completion.chunk");
    if (!event["choices"].empty()) text += event["choices"][0]["delta"].value("content", "");
  }
  EXPECT_EQ(text, "We are busy now.");
  EXPECT_TRUE(json::parse(events[events.size() - 2])["usage"].is_object());
}

TEST_F(StaticProvider, StandsInForAProviderThatIsOff) {
  EXPECT_EQ(ask(chat_body("gpt-5")).status, 200);
  EXPECT_EQ(upstream_.connections().size(), 0U);
}

}  // namespace
}  // namespace sluice::integration
