// What is paid at targets whose answer nobody got, and the limits of a provider that is turned to.

#include "integration/fixture.hpp"
#include "support/client_keys.hpp"

namespace sluice::integration {
namespace {

const ClientKey kApp = client_key(1);

// An answer of `second` costs 26 millionths of a dollar, and what `up` was asked ten times as much a token.
class LostCost : public GatewayTest {
 protected:
  void start_two(const std::string& model = "", const std::string& limits = "") {
    second_.on(kChat).json(chat_answer());
    second_.on_model("stream").stream(chat_stream_with_usage({"hello"}));
    start({.providers = "  second: {base_url: \"" + second_.url() + "\"" + limits + "}\n",
           .models = "m: {targets: [up/x, second/x]" + model + "}, s: {targets: [up/x, second/stream]" + model + "}",
           .more = "prices: {rows: [{provider: up, model: \"*\", input: 10 USD, output: 20 USD}, "
                   "{provider: second, model: \"*\", input: 1 USD, output: 2 USD}]}\n"
                   "state: {path: \"{DIR}/sluice.db\"}\nkeys: [" +
                   kApp.row("app-1", "limits: {budget: 10 USD/month}") + "]\n"});
  }
  Response ask_as(const std::string& body) { return ask(body, kApp.bearer()); }
  // What is booked once nothing is reserved any more.
  double booked() {
    json budget;
    EXPECT_TRUE(eventually([&] {
      budget = json::parse(gateway().admin("/admin/limits?key=app-1").body)["limits"][0];
      return budget["reserved_usd"] == 0;
    }));
    return budget["used_usd"];
  }
  // The answer of `second` and something for the prompt at `up`.
  void expect_both_paid() {
    json line = only_trace_line();
    EXPECT_EQ(line["provider"], "second");
    EXPECT_EQ(line["attempts"], 2);
    EXPECT_EQ(line["usage"]["source"], "reported");
    EXPECT_EQ(line["usage"]["output"], 7) << "that of the answer alone";
    ASSERT_TRUE(line.contains("lost_usd")) << line;
    const double lost = line["lost_usd"];
    EXPECT_GT(lost, 3 * 10e-6);
    EXPECT_LT(lost, 100 * 10e-6);
    EXPECT_NEAR(line["cost_usd"].get<double>(), 26e-6 + lost, 1e-9);
    EXPECT_NEAR(booked(), 26e-6 + lost, 1e-9);
  }

  ScriptedUpstream second_;
};

TEST_F(LostCost, AStreamThatBreaksBeforeItsTextIsPaidForAsWell) {
  upstream_.on(kChat).stream({role_chunk()}).then_fin();
  start_two();
  EXPECT_EQ(data_of(ask_as(stream_body("s", R"("stream_options":{"include_usage":true})"))),
            chat_stream_with_usage({"hello"}));
  expect_both_paid();
}

TEST_F(LostCost, ATargetThatNeverAnswersIsPaidForAsWell) {
  upstream_.on(kChat).hang();
  start_two(", timeouts: {first_byte: 300ms}");
  EXPECT_EQ(ask_as(chat_body()).body, chat_answer());
  expect_both_paid();
}

TEST_F(LostCost, TheSlowOneOfAHedgeIsPaidForAsWell) {
  upstream_.on(kChat).hang();
  start_two(", hedge: {after: 50ms, least: 0ms}");
  EXPECT_EQ(ask_as(chat_body()).body, chat_answer());
  expect_both_paid();
}

class RefusedFirst : public LostCost, public ::testing::WithParamInterface<int> {};

TEST_P(RefusedFirst, WhoSaysNoIsNotPaid) {
  upstream_.on(kChat).status(GetParam()).json(error_answer("no", "x", "y"));
  start_two();
  EXPECT_EQ(ask_as(chat_body()).status, 200);
  const json line = only_trace_line();
  EXPECT_FALSE(line.contains("lost_usd")) << line;
  EXPECT_EQ(line["cost_usd"], 0.000026);
  EXPECT_NEAR(booked(), 26e-6, 1e-9);
}
INSTANTIATE_TEST_SUITE_P(Status, RefusedFirst, ::testing::Values(401, 429, 503),
                         [](const auto& one) { return "With" + std::to_string(one.param); });

TEST_F(LostCost, WhereNobodyAnswersBothArePaid) {
  upstream_.on(kChat).hang();
  second_.on_model("x").json("{\"id\":").announce_length(500).stall();
  start_two(", timeouts: {first_byte: 300ms, idle: 300ms}");
  EXPECT_TRUE(is_error(ask_as(chat_body()), 504, "upstream_idle_timeout"));
  json line = only_trace_line();
  EXPECT_EQ(line["attempts"], 2);
  EXPECT_EQ(line["usage"]["source"], "estimated");
  const double cost = line["cost_usd"];
  EXPECT_NEAR(cost, line["lost_usd"].get<double>() * 1.1, 1e-8) << "a tenth of it at the cheaper one";
  EXPECT_NEAR(booked(), cost, 1e-9);
}

TEST_F(LostCost, TheLimitsOfAProviderHoldForThoseWhoTurnToIt) {
  upstream_.on(kChat).status(500).json("{}");
  start_two("", ", limits: {requests: 2/h}");
  EXPECT_EQ(ask_as(chat_body()).header("x-sluice-provider"), "second");
  EXPECT_EQ(ask_as(chat_body()).header("x-sluice-provider"), "second");
  EXPECT_EQ(ask_as(chat_body()).status, 502) << "what the first one said";
  EXPECT_EQ(second_.requests().size(), 2U);
  EXPECT_EQ(upstream_.requests().size(), 3U);
  EXPECT_EQ(gateway().trace(3).back()["attempts"], 1);
}

}  // namespace
}  // namespace sluice::integration
