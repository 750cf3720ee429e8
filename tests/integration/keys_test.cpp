// Who may ask: F18 to F20, and what a key may do.

#include "integration/fixture.hpp"
#include "support/client_keys.hpp"

namespace sluice::integration {
namespace {

const ClientKey kApp = client_key(1);
const ClientKey kOther = client_key(2);

class Keys : public GatewayTest {
 protected:
  Gateway& start_with(const std::string& rows, const std::string& more = "") {
    upstream_.on(kChat).json(chat_answer());
    return start({.more = "keys: [" + rows + "]\n" + more});
  }
  Response ask_as(const std::string& head, const std::string& model = "m") { return ask(chat_body(model), head); }
};

TEST_F(Keys, ThreeHeadersCarryAKeyAndTheRecordNamesIt) {
  start_with(kApp.row("app-1", "group: acme/search, tags: {feature: search}"));
  EXPECT_EQ(ask_as(kApp.bearer()).status, 200);
  EXPECT_EQ(ask_as("authorization: bEaReR   " + kApp.text + " \r\n").status, 200);
  EXPECT_EQ(ask_as("x-api-key: " + kApp.text + "\r\n").status, 200) << "beside a wrong Authorization";
  EXPECT_EQ(ask_as("api-key: " + kApp.text + "\r\n").status, 200);
  const auto lines = gateway().trace(4);
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[0]["key"], "app-1");
  EXPECT_EQ(lines[0]["group"], "acme/search");
  EXPECT_EQ(lines[0]["tags"], json({{"feature", "search"}}));
  EXPECT_EQ(gateway().metrics().sum("sluice_key_requests_total"), 4);
  EXPECT_EQ(gateway().metrics().sum("sluice_tag_requests_total"), 4);
}

TEST_F(Keys, F18EveryFailureLooksTheSame) {
  start_with(kApp.row("app-1") + ", " + kOther.row("off", "enabled: false") + ", " +
             client_key(3).row("old", "expires: 2020-01-01"));
  std::string wrong = kApp.text;
  wrong.back() = wrong.back() == 'a' ? 'b' : 'a';
  const std::vector<std::string> heads = {
      "authorization: Bearer " + wrong + "\r\n",
      kOther.bearer(),
      client_key(3).bearer(),
      client_key(4).bearer(),
      "authorization: Basic " + kApp.text + "\r\n",
      "authorization: " + kApp.text + "\r\n",
      "authorization: Bearer\r\n",
      "authorization: Bearer " + std::string(8000, 'a') + "\r\n",
  };
  std::string body;
  for (const std::string& head : heads) {
    const Response answer = ask_as(head);
    EXPECT_TRUE(is_error(answer, 401, "invalid_api_key")) << head;
    EXPECT_EQ(answer.header("www-authenticate"), "Bearer");
    EXPECT_EQ(answer.header("x-should-retry"), "false");
    if (body.empty()) body = answer.body;
    EXPECT_EQ(answer.body, body) << head;
  }
  EXPECT_TRUE(upstream_.requests().empty());
}

TEST_F(Keys, F10AStrangersBodyIsNotReadAndGetsNoContinue) {
  start_with(kApp.row("app-1"));
  RawClient raw = client();
  raw.send(
      "POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\nexpect: 100-continue\r\n"
      "content-length: 1000000\r\n\r\n");
  const Response answer = raw.read_response();
  EXPECT_TRUE(is_error(answer, 401, "invalid_api_key"));
  EXPECT_TRUE(answer.interim.empty());
  EXPECT_EQ(raw.wait_end(), End::kFin);
}

TEST_F(Keys, AKeySeesAndUsesItsOwnModelsAndEndpoints) {
  upstream_.on("/v1/embeddings").json(embeddings_answer(false));
  start_with(kApp.row("app-1", "models: [m, \"any-a*\"], endpoints: [chat]") + ", " + kOther.row("none", "models: []"));
  EXPECT_EQ(ask_as(kApp.bearer()).status, 200);
  EXPECT_EQ(ask_as(kApp.bearer(), "any-apple").status, 200);
  EXPECT_TRUE(is_error(ask_as(kApp.bearer(), "any-pear"), 403, "model_not_allowed"));
  EXPECT_TRUE(is_error(ask_as(kApp.bearer(), "nowhere"), 404, "model_not_found"));
  EXPECT_TRUE(is_error(ask_as(kOther.bearer()), 403, "model_not_allowed"));
  const Response embeddings =
      fetch(gateway().port(), post_request("/v1/embeddings", R"({"model":"m","input":"x"})", kApp.bearer()));
  EXPECT_TRUE(is_error(embeddings, 403, "endpoint_not_allowed"));
  EXPECT_EQ(json::parse(get("/v1/models", kApp.bearer()).body)["data"].size(), 1U);
  EXPECT_EQ(json::parse(get("/v1/models", kOther.bearer()).body)["data"].size(), 0U);
  EXPECT_EQ(get("/v1/models/m", kOther.bearer()).status, 404);
}

TEST_F(Keys, F19ARevokedKeyIsUnknownASecondAfterTheReloadAndItsStreamEndsWell) {
  auto gate = std::make_shared<Gate>();
  upstream_.on(kChat).stream({role_chunk(), text_chunk("a")}).then_wait_for(gate).then_stream({finish_chunk(), kDone});
  Scenario scenario{.more = "keys: [" + kApp.row("app-1") + "]\n"};
  start(scenario);
  RawClient raw = client();
  raw.send(post_request(kChat, stream_body(), kApp.bearer()));
  ASSERT_TRUE(raw.read_head());
  ASSERT_TRUE(raw.next_event());
  scenario.more = "keys: [" + kApp.row("app-1", "enabled: false") + "]\n";
  gateway().replace_config(config_text(scenario, upstream_.url()));
  gateway().signal(SIGHUP);
  EXPECT_TRUE(eventually([&] { return get("/v1/models", kApp.bearer()).status == 401; }, 1s));
  gate->open();
  const Response answer = raw.finish();
  EXPECT_TRUE(answer.complete);
  EXPECT_EQ(data_of(answer).back(), "[DONE]");
}

TEST_F(Keys, F20WhoFailsTooOftenIsToldToWaitAndAGoodKeyStillGoesThrough) {
  start_with(kApp.row("app-1"), "auth: {failures_per_minute: 5}\n");
  Response answer;
  // The minute may turn once in between.
  for (int i = 0; i < 12 && answer.status != 429; ++i) answer = ask_as(kOther.bearer());
  EXPECT_TRUE(is_error(answer, 429, "auth_rate_exceeded"));
  EXPECT_FALSE(answer.header("retry-after").empty());
  EXPECT_EQ(answer.header("x-should-retry"), "false");
  EXPECT_EQ(ask_as(kApp.bearer()).status, 200);
}

TEST_F(Keys, NoKeysAtAllMeansNobodyGetsIn) {
  start_with("");
  EXPECT_TRUE(is_error(ask_as(kApp.bearer()), 401, "invalid_api_key"));
}

TEST_F(Keys, WithoutASectionThisMachineIsServedAndTheLogSaysSo) {
  upstream_.on(kChat).json(chat_answer());
  start({.server = "drain_grace: 0s, drain_timeout: 2s"});
  EXPECT_EQ(ask(chat_body()).status, 200);
  EXPECT_FALSE(gateway().trace(1)[0].contains("key"));
}

}  // namespace
}  // namespace sluice::integration
