// What is asked for one reason only, what is said when all has failed, and the client's deadline above it all.

#include "integration/fixture.hpp"

namespace sluice::integration {
namespace {

// Each is shown in a whole answer and in a stream.
class ByForm : public GatewayTest, public ::testing::WithParamInterface<bool> {
 protected:
  std::string body(const std::string& more = "") { return GetParam() ? stream_body("m", more) : chat_body("m", more); }
  Behaviour good() { return GetParam() ? Behaviour().stream(chat_stream({"good"})) : Behaviour().json(chat_answer()); }
  ::testing::AssertionResult is_good(const Response& response) {
    const bool whole = GetParam() ? data_of(response) == chat_stream({"good"}) : response.body == chat_answer();
    if (response.status == 200 && response.complete && whole) return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << response.status << " " << response.body;
  }
  // How that target of provider `up`, or of another one, stands.
  json target(const std::string& model, const std::string& provider = "up") {
    for (const json& one : json::parse(gateway().admin("/admin/targets").body)["targets"]) {
      if (one["provider"] == provider && one["model"] == model) return one;
    }
    return json::object();
  }
};

std::string form_of(const ::testing::TestParamInfo<bool>& one) { return one.param ? "Stream" : "Whole"; }

class Ladder : public ByForm {
 protected:
  void start_ladder(const std::string& more = "") {
    upstream_.on_any() = good();
    start({.models = "m: {target: up/small, fallback: [spare], fallback_on: {context_length: [large, larger], "
                     "content_policy: [lenient]}}, spare: up/spare, large: up/large, larger: up/larger, "
                     "lenient: up/lenient",
           .more = "routing: {retries: 0, retry_budget: {least: 100}}\n" + more});
  }
  // What the model `name` says to everything.
  void refuses(const std::string& name, int status, const std::string& error) {
    upstream_.on_model(name).status(status).json(R"({"error":)" + error + "}");
  }
  std::vector<std::string> asked() const {
    std::vector<std::string> all;
    for (const auto& request : upstream_.requests()) all.push_back(request.model);
    return all;
  }
};
using Models = std::vector<std::string>;

constexpr const char* kTooLong =
    R"({"message":"Too long.","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"})";
const std::vector<std::string> kLengthErrors = {
    kTooLong,
    R"({"message":"This model's maximum context length is 8192 tokens.","type":"invalid_request_error","code":null})",
    R"({"message":"prompt is too long: 210000 tokens > 200000 maximum","type":"invalid_request_error"})",
    R"({"message":"Invalid 'input': string too long.","code":"string_above_max_length"})",
};
const std::vector<std::string> kPolicyErrors = {
    R"({"message":"Filtered.","type":null,"param":"prompt","code":"content_filter","status":400})",
    R"({"message":"Rejected.","type":"image_generation_user_error","code":"content_policy_violation"})",
};

TEST_P(Ladder, APromptThatIsTooLongGoesToTheLargerModelsAlone) {
  for (const auto& error : kLengthErrors) refuses("small", 400, error);
  refuses("large", 400, kTooLong);
  start_ladder();
  for (std::size_t i = 0; i < kLengthErrors.size(); ++i) {
    const Response response = ask(body());
    EXPECT_TRUE(is_good(response)) << kLengthErrors[i];
    EXPECT_EQ(response.header("x-sluice-model"), "larger");
    EXPECT_EQ(response.header("x-sluice-attempts"), "3");
  }
  const Models seen = asked();
  ASSERT_EQ(seen.size(), 3 * kLengthErrors.size());
  for (std::size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i], (Models{"small", "large", "larger"}[i % 3]));
  const Metrics metrics = gateway().metrics();
  EXPECT_EQ(metrics.sum("sluice_fallbacks_total", {R"(from="up/small")", R"(to="up/large")"}), kLengthErrors.size());
  for (const char* name : {"small", "large", "larger"}) {
    EXPECT_EQ(target(name)["window_faults"], 0) << "no fault of theirs";
  }
}

TEST_P(Ladder, WhereTheLargerModelsAreTooSmallAsWellTheClientHearsSo) {
  for (const char* name : {"small", "large", "larger"}) refuses(name, 400, kTooLong);
  start_ladder();
  const Response response = ask(body());
  EXPECT_TRUE(is_error(response, 400, "context_length_exceeded"));
  EXPECT_EQ(response.header("x-should-retry"), "false");
  EXPECT_EQ(asked(), (Models{"small", "large", "larger"})) << "the spare one is no larger";
}

TEST_P(Ladder, WhatIsRefusedForItsContentGoesToThoseForThatAlone) {
  for (const auto& error : kPolicyErrors) refuses("small", 400, error);
  start_ladder();
  for (std::size_t i = 0; i < kPolicyErrors.size(); ++i) EXPECT_TRUE(is_good(ask(body()))) << kPolicyErrors[i];
  EXPECT_EQ(asked(), (Models{"small", "lenient", "small", "lenient"}));
  EXPECT_EQ(target("small")["window_faults"], 0);
}

TEST_P(Ladder, AnOutageGoesToTheSpareOne) {
  refuses("small", 503, R"({"message":"down","type":"server_error","code":null})");
  start_ladder();
  EXPECT_TRUE(is_good(ask(body())));
  EXPECT_EQ(asked(), (Models{"small", "spare"}));
  EXPECT_EQ(target("small")["window_faults"], 1);
}

TEST_P(Ladder, F39ABadRequestGoesToNobody) {
  const std::string bad = R"({"message":"Bad role.","type":"invalid_request_error","param":"messages","code":"bad"})";
  refuses("small", 400, bad);
  start_ladder();
  EXPECT_TRUE(is_error(ask(body()), 400, "bad"));
  EXPECT_EQ(asked(), Models{"small"});
}

INSTANTIATE_TEST_SUITE_P(Form, Ladder, ::testing::Bool(), form_of);

using LadderInAStream = GatewayTest;
TEST_F(LadderInAStream, AStreamThatBeginsWithTooLongAPromptGoesToTheLargerModel) {
  upstream_.on_model("small").stream({std::string(R"({"error":)") + kTooLong + "}"});
  upstream_.on_model("large").stream(chat_stream({"good"}));
  start({.models = "m: {target: up/small, fallback_on: {context_length: [large]}}, large: up/large"});
  EXPECT_EQ(data_of(ask(stream_body())), chat_stream({"good"}));
}

class LastWords : public ByForm {
 protected:
  void start_answering(const std::string& routing = "retries: 0", const std::string& base_url = "") {
    start({.timeouts = "total: 500ms",
           .base_url = base_url,
           .models = R"(m: {target: up/x, answer: "We are busy, please come back."})",
           .more = "routing: {" + routing + "}\n"});
  }
  ::testing::AssertionResult are_said(const Response& response) {
    std::string text;
    if (!GetParam()) {
      text = json::parse(response.body, nullptr, false)["choices"][0]["message"]["content"];
    } else {
      const auto events = data_of(response);
      if (events.empty() || events.back() != kDone) return ::testing::AssertionFailure() << response.body;
      for (const auto& event : events) {
        if (event == kDone) continue;
        const json delta = json::parse(event)["choices"][0]["delta"];
        if (delta.contains("content")) text += delta["content"];
      }
    }
    if (response.status == 200 && response.complete && text == "We are busy, please come back.") {
      return ::testing::AssertionSuccess();
    }
    return ::testing::AssertionFailure() << response.status << " " << response.body;
  }
};

TEST_P(LastWords, AreSaidOnceAllHasFailed) {
  upstream_.on(kChat).status(500).json("{}");
  start_answering();
  const Response response = ask(body());
  EXPECT_TRUE(are_said(response));
  EXPECT_EQ(response.header("x-sluice-provider"), "answer");
  EXPECT_EQ(response.header("x-sluice-attempts"), "2");
  EXPECT_EQ(upstream_.requests().size(), 1U);
  const json line = only_trace_line();
  EXPECT_EQ(line["outcome"], "ok");
  EXPECT_EQ(line["provider"], "answer");
  EXPECT_EQ(line["attempts"], 2);
  EXPECT_EQ(gateway().metrics().sum("sluice_fallbacks_total", {R"(from="up/x")", R"(to="answer")"}), 1);
}

TEST_P(LastWords, F27AreSaidWhereNobodyListens) {
  start_answering("retries: 0", "http://127.0.0.1:" + std::to_string(refused_port()) + "/v1");
  EXPECT_TRUE(are_said(ask(body())));
}

TEST_P(LastWords, F34AreSaidInsteadOfAStreamThatBreaksBeforeItsText) {
  upstream_.on(kChat).stream({role_chunk()}).then_fin();
  start_answering();
  EXPECT_TRUE(are_said(ask(body())));
}

TEST_P(LastWords, F40AreSaidWhenTheTargetIsLeftAlone) {
  upstream_.on(kChat).status(500).json("{}");
  start_answering("retries: 0, breaker: {consecutive_failures: 1}");
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(are_said(ask(body())));
  EXPECT_EQ(upstream_.requests().size(), 1U);
}

TEST_P(LastWords, AreSaidThoughTheTimeForTargetsIsUp) {
  upstream_.on(kChat).hang();
  start_answering();
  EXPECT_TRUE(are_said(ask(body())));
}

TEST_P(LastWords, F39AreNoneForTheClientsOwnFaults) {
  upstream_.on(kChat).status(400).json(error_answer("no", "invalid_request_error", "bad"));
  start_answering();
  EXPECT_TRUE(is_error(ask(body()), 400, "bad"));
}

INSTANTIATE_TEST_SUITE_P(Form, LastWords, ::testing::Bool(), form_of);

// The client says how long it waits: 400 ms.
class ClientDeadline : public ByForm {
 protected:
  static constexpr const char* kShort = "x-stainless-timeout: 0.4\r\n";

  void start_two(const std::string& more = "") {
    second_.on_any() = good();
    start({.timeouts = "connect: 5s, first_byte: 5s, first_token: 5s, idle: 5s, total: 20s",
           .providers = "  second: {base_url: \"" + second_.url() + "\"}\n",
           .models = "m: {targets: [up/x, second/x], answer: \"Busy.\"" + more + "}",
           .more = "routing: {breaker: {consecutive_failures: 1}}\n"});
  }
  // Asked with that deadline, the answer comes then: not earlier, and not much later.
  Response ask_in_time() {
    const auto begun = Clock::now();
    Response response = ask(body(), kShort);
    EXPECT_GE(Clock::now() - begun, 400ms);
    EXPECT_LT(Clock::now() - begun, 400ms + 6 * abort_bound());
    return response;
  }
  void expect_nobody_else_asked_and_nobody_blamed() {
    EXPECT_NE(upstream_.wait_for_disconnect(0).peer, End::kOpen);
    EXPECT_EQ(upstream_.requests().size(), 1U);
    EXPECT_EQ(second_.requests().size(), 0U);
    const json line = only_trace_line();
    EXPECT_EQ(line["attempts"], 1);
    EXPECT_EQ(line["outcome"], "timeout");
    EXPECT_EQ(target("x")["breaker"], "closed");
    EXPECT_EQ(target("x")["window_faults"], 0) << "it had no more than the client's time";
  }

  ScriptedUpstream second_;
};

TEST_P(ClientDeadline, EndsATargetThatHangsAndNobodyElseIsAsked) {
  upstream_.on(kChat).hang();
  start_two();
  EXPECT_TRUE(is_error(ask_in_time(), 504, "upstream_timeout"));
  expect_nobody_else_asked_and_nobody_blamed();
}

TEST_P(ClientDeadline, EndsAnAnswerThatHasHardlyBegun) {
  if (GetParam()) {
    upstream_.on(kChat).stream({role_chunk()}).stall();
  } else {
    upstream_.on(kChat).json("{\"id\":").announce_length(500).stall();
  }
  start_two();
  EXPECT_TRUE(is_error(ask_in_time(), 504, "upstream_timeout"));
  expect_nobody_else_asked_and_nobody_blamed();
}

TEST_P(ClientDeadline, EndsBothOfAHedge) {
  upstream_.on(kChat).hang();
  start_two(", hedge: {after: 50ms, least: 0ms}");
  second_.forget_script();
  second_.on(kChat).hang();
  EXPECT_TRUE(is_error(ask_in_time(), 504, "upstream_timeout"));
  EXPECT_NE(upstream_.wait_for_disconnect(0).peer, End::kOpen);
  EXPECT_NE(second_.wait_for_disconnect(0).peer, End::kOpen);
  EXPECT_EQ(only_trace_line()["attempts"], 2);
  for (const char* name : {"up", "second"}) EXPECT_EQ(target("x", name)["breaker"], "closed");
}

TEST_P(ClientDeadline, IsNotWaitedForInABackOffThatWouldPassIt) {
  upstream_.on(kChat).status(500).header("retry-after", "30").json(error_answer("down", "server_error", "down"));
  start({.models = "m: up/x", .more = "routing: {retries: 1, backoff: {most: 1m}}\n"});
  const auto begun = Clock::now();
  EXPECT_TRUE(is_error(ask(body(), "x-stainless-timeout: 5\r\n"), 502, "down"));
  EXPECT_LT(Clock::now() - begun, 4s);
  EXPECT_EQ(upstream_.requests().size(), 1U);
}

TEST_P(ClientDeadline, ThatIsFarAwayChangesNothing) {
  upstream_.on(kChat).status(500).json("{}");
  start_two();
  for (const char* head : {"x-stainless-timeout: 600\r\n", "x-stainless-timeout: soon\r\n"}) {
    EXPECT_TRUE(is_good(ask(body(), head)));
  }
}

INSTANTIATE_TEST_SUITE_P(Form, ClientDeadline, ::testing::Bool(), form_of);

using DeadlineInAStream = GatewayTest;
TEST_F(DeadlineInAStream, TheClientsDeadlineCutsAStreamThatHasBegun) {
  upstream_.on(kChat).stream({role_chunk(), text_chunk("begun")}).stall();
  start({.timeouts = "idle: 5s, total: 20s", .more = "routing: {breaker: {consecutive_failures: 1}}\n"});
  const auto begun = Clock::now();
  const Response response = ask(stream_body(), "x-stainless-timeout: 0.4\r\n");
  EXPECT_TRUE(ends_in_error(response, "upstream_timeout"));
  EXPECT_LT(Clock::now() - begun, 400ms + 6 * abort_bound());
  EXPECT_EQ(ask(stream_body(), "x-stainless-timeout: 0.4\r\n").status, 200) << "nobody was to blame";
}

}  // namespace
}  // namespace sluice::integration
