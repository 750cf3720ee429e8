// Copies of requests: the client gets its answer as if there were none, whatever becomes of them.

#include <csignal>

#include "integration/fixture.hpp"

namespace sluice::integration {
namespace {

class Mirror : public GatewayTest, public ::testing::WithParamInterface<bool> {
 protected:
  void start_mirror(const std::string& more = "",
                    const std::string& timeouts = "first_byte: 700ms, first_token: 700ms, idle: 700ms, total: 1500ms") {
    upstream_.on(kChat) = GetParam() ? Behaviour().stream(chat_stream({"hello"})) : Behaviour().json(chat_answer());
    start({.providers = "  second: {base_url: \"" + second_.url() + "\", timeouts: {" + timeouts + "}}\n",
           .models = "m: {targets: [up/x], mirror: {use: second/y}}",
           .more = more});
  }
  std::string body() { return GetParam() ? stream_body() : chat_body(); }
  ::testing::AssertionResult is_good(const Response& response) {
    const bool whole = GetParam() ? data_of(response) == chat_stream({"hello"}) : response.body == chat_answer();
    if (response.status == 200 && response.complete && whole) return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << response.status << " " << response.body;
  }
  // The copy's line, once there are so many in all.
  json copy_of(const Response& response, std::size_t lines = 2) {
    for (const json& line : gateway().trace(lines)) {
      if (line.value("mirror_of", "") == response.header("x-request-id")) return line;
    }
    return json::object();
  }

  ScriptedUpstream second_;
};

TEST_P(Mirror, ACopyIsTheSameQuestionAndOnItsOwnRecord) {
  second_.on_any() = GetParam() ? Behaviour().stream(chat_stream({"copied"})) : Behaviour().json(chat_answer("copied"));
  start_mirror();
  const Response response = ask(body());
  EXPECT_TRUE(is_good(response));
  EXPECT_EQ(response.header("x-sluice-provider"), "up");
  EXPECT_EQ(response.header("x-sluice-attempts"), "1");
  ASSERT_TRUE(second_.wait_for_requests(1));
  EXPECT_EQ(json::parse(second_.request(0).body)["messages"], json::parse(body())["messages"]);
  EXPECT_EQ(second_.request(0).model, "y");
  json copy = copy_of(response);
  EXPECT_EQ(copy["outcome"], "ok");
  EXPECT_EQ(copy["provider"], "second");
  EXPECT_EQ(copy["attempts"], 1);
}

TEST_P(Mirror, OneThatFailsIsNoneOfTheClientsBusiness) {
  second_.on(kChat).status(500).json("{}");
  start_mirror();
  const Response response = ask(body());
  EXPECT_TRUE(is_good(response));
  EXPECT_EQ(copy_of(response)["outcome"], "upstream_error");
  EXPECT_EQ(second_.requests().size(), 1U) << "a copy is not asked for twice";
}

TEST_P(Mirror, OneThatHangsDelaysNobodyKeepsNoSlotAndEnds) {
  second_.on(kChat).hang();
  start_mirror("admission: {concurrency: 1, queue: {most: 0}}\n");
  const auto begun = Clock::now();
  std::vector<Response> responses;
  for (int i = 0; i < 3; ++i) {
    responses.push_back(ask(body()));
    EXPECT_TRUE(is_good(responses.back())) << "the slot of the one before is free";
    ASSERT_TRUE(second_.wait_for_requests(static_cast<std::size_t>(i) + 1));
    ASSERT_TRUE(eventually([&] { return gateway().metrics().sum("sluice_requests_in_flight") == 0; }));
  }
  EXPECT_LT(Clock::now() - begun, 700ms * (abort_bound() / 50ms)) << "nobody waited for a copy";
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NE(second_.wait_for_disconnect(i).peer, End::kOpen);
  for (const Response& response : responses) {
    json copy = copy_of(response, 6);
    EXPECT_EQ(copy["outcome"], "timeout");
    EXPECT_GE(copy["duration_us"], 700'000);
    EXPECT_LT(copy["duration_us"], 1'500'000);
  }
}

TEST_P(Mirror, OneThatHangsInTheMidstOfItsAnswerEndsAsWell) {
  if (GetParam()) {
    second_.on(kChat).stream({role_chunk(), text_chunk("begun")}).event_gap(100ms).stall();
  } else {
    second_.on(kChat).json("{\"id\":").announce_length(500).stall();
  }
  start_mirror();
  const Response response = ask(body());
  EXPECT_TRUE(is_good(response));
  EXPECT_NE(second_.wait_for_disconnect(0).peer, End::kOpen);
  EXPECT_EQ(copy_of(response)["error"], "upstream_idle_timeout");
}

TEST_P(Mirror, OneThatNeverEndsIsCutWhenItsTimeIsUp) {
  second_.on(kChat).sse({"data: " + role_chunk() + "\n\n"}).repeat_forever("data: " + text_chunk("more") + "\n\n");
  if (!GetParam()) {
    second_.forget_script();
    second_.on(kChat)
        .json(std::string(300, ' '))
        .byte_by_byte()
        .event_gap(100ms)
        .announce_length(1 << 20)
        .repeat_forever(" ");
  }
  start_mirror();
  const Response response = ask(body());
  EXPECT_TRUE(is_good(response));
  EXPECT_NE(second_.wait_for_disconnect(0).peer, End::kOpen);
  json copy = copy_of(response);
  EXPECT_NE(copy["outcome"], "ok");
  EXPECT_LT(copy["duration_us"], 3'000'000);
}

TEST_P(Mirror, OneThatHangsEndsWithTheGateway) {
  second_.on(kChat).hang();
  start_mirror("", "first_byte: 10m, first_token: 10m, idle: 10m, total: 10m");
  const Response response = ask(body());
  EXPECT_TRUE(is_good(response));
  ASSERT_TRUE(second_.wait_for_requests(1));
  ASSERT_TRUE(eventually([&] { return gateway().metrics().sum("sluice_requests_total") == 1; }));
  gateway().signal(SIGTERM);
  ASSERT_TRUE(gateway().wait_exit(10s));
  EXPECT_NE(second_.wait_for_disconnect(0).peer, End::kOpen);
  EXPECT_EQ(copy_of(response)["error"], "draining") << gateway().output();
}

INSTANTIATE_TEST_SUITE_P(Form, Mirror, ::testing::Bool(),
                         [](const auto& one) { return one.param ? "Stream" : "Whole"; });

}  // namespace
}  // namespace sluice::integration
