// Which paths there are, and how those that are not are refused.

#include "integration/fixture.hpp"

#include <set>

namespace sluice::integration {
namespace {

using Endpoints = GatewayTest;

Scenario with_models() {
  return {.models = R"(m: up/upstream-model, "meta-llama/Llama-3-8B": "up/*", "free:x": up/y, "any-*": "up/*")"};
}

std::vector<std::string> ids(const Response& response) {
  std::vector<std::string> result;
  const json list = json::parse(response.body, nullptr, false);
  for (const json& model : list.value("data", json::array())) result.push_back(model.value("id", ""));
  return result;
}

TEST_F(Endpoints, UnknownPathsAreJsonErrors) {
  start();
  for (const char* path : {"/", "/v1", "/v1/nothing", "/v1/chat", "/v1/realtime", "/v2/chat/completions", "/metrics",
                           "/v1/chat/completions/extra", "/admin", "/v1/files"}) {
    EXPECT_TRUE(is_error(get(path), 404, "unknown_url")) << path;
  }
  EXPECT_TRUE(is_error(fetch(gateway().port(), post_request("/v1/realtime", "{}")), 404, "unknown_url"));
}

TEST_F(Endpoints, WrongMethodsNameTheRightOnes) {
  start();
  const Response get_chat = get(kChat);
  EXPECT_TRUE(is_error(get_chat, 405, "method_not_allowed"));
  EXPECT_EQ(get_chat.header("allow"), "POST");
  const Response post_models = fetch(gateway().port(), post_request("/v1/models", "{}"));
  EXPECT_TRUE(is_error(post_models, 405, "method_not_allowed"));
  EXPECT_EQ(post_models.header("allow").find("GET"), 0U);
  const Response erase = fetch(gateway().port(), "DELETE /v1/models/m HTTP/1.1\r\nhost: a\r\n\r\n");
  EXPECT_TRUE(is_error(erase, 405, "method_not_allowed"));
  const Response put = fetch(gateway().port(), "PUT /v1/embeddings HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n");
  EXPECT_EQ(put.status, 405);
}

TEST_F(Endpoints, AnthropicPathsFailInTheAnthropicDialect) {
  start();
  for (const char* path : {"/v1/messages", "/v1/messages?beta=true", "/v1/messages/count_tokens"}) {
    const Response response = fetch(gateway().port(), post_request(path, R"({"model":"m","max_tokens":1})"));
    EXPECT_EQ(response.status, 404) << path;
    const json body = json::parse(response.body, nullptr, false);
    EXPECT_EQ(body.value("type", ""), "error") << response.body;
    EXPECT_EQ(body["error"].value("type", ""), "not_found_error");
    EXPECT_TRUE(body["error"]["message"].is_string());
    EXPECT_EQ(body.value("request_id", ""), response.header("request-id"));
    EXPECT_EQ(response.header("x-request-id"), response.header("request-id"));
  }
}

TEST_F(Endpoints, ListsTheModelsInTheOpenaiShape) {
  start(with_models());
  const Response response = get("/v1/models");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.header("content-type"), "application/json");
  const json list = json::parse(response.body);
  EXPECT_EQ(list["object"], "list");
  const auto names = ids(response);
  for (const char* name : {"m", "meta-llama/Llama-3-8B", "free:x"}) {
    EXPECT_NE(std::ranges::find(names, name), names.end()) << name;
  }
  EXPECT_EQ(std::ranges::find(names, "any-*"), names.end()) << "a glob is no model";
  for (const json& model : list["data"]) {
    EXPECT_EQ(model["object"], "model");
    EXPECT_TRUE(model["created"].is_number_integer());
    EXPECT_TRUE(model["owned_by"].is_string());
  }
  EXPECT_EQ(upstream_.connections().size(), 0U) << "served from memory";
}

TEST_F(Endpoints, ListsTheModelsInTheAnthropicShapeWhenAskedTo) {
  start(with_models());
  const Response response = get("/v1/models?limit=1000", "anthropic-version: 2023-06-01\r\n");
  const json list = json::parse(response.body);
  EXPECT_EQ(list["has_more"], false);
  EXPECT_EQ(list["data"][0]["type"], "model");
  EXPECT_TRUE(list["data"][0]["display_name"].is_string());
  EXPECT_TRUE(list["data"][0]["created_at"].is_string());
  EXPECT_EQ(list["first_id"], list["data"][0]["id"]);
  EXPECT_EQ(list["last_id"], list["data"].back()["id"]);
}

TEST_F(Endpoints, FindsOneModelWhateverItsName) {
  start(with_models());
  for (const char* path : {"/v1/models/m", "/v1/models/meta-llama/Llama-3-8B", "/v1/models/meta-llama%2FLlama-3-8B",
                           "/v1/models/free:x", "/v1/models/free%3Ax", "/models/m", "//v1/models/m"}) {
    const Response response = get(path);
    EXPECT_EQ(response.status, 200) << path;
    EXPECT_EQ(json::parse(response.body, nullptr, false).value("object", ""), "model") << path;
  }
  EXPECT_TRUE(is_error(get("/v1/models/nope"), 404, "model_not_found"));
  const Response anthropic = get("/v1/models/nope", "anthropic-version: 2023-06-01\r\n");
  EXPECT_EQ(json::parse(anthropic.body)["error"]["type"], "not_found_error");
}

TEST_F(Endpoints, AcceptsPathsWithTwoSlashesATrailingOneOrWithoutVersion) {
  upstream_.on(kChat).json(chat_answer());
  start();
  for (const char* path : {"/v1/chat/completions", "//v1/chat/completions", "/v1/chat/completions/",
                           "/chat/completions", "/v1//chat/completions", "/v1/chat/completions?api-version=2"}) {
    EXPECT_EQ(fetch(gateway().port(), post_request(path, chat_body())).status, 200) << path;
  }
  EXPECT_EQ(get("/v1/models/").status, 200);
  EXPECT_EQ(get("/models").status, 200);
  for (const ObservedRequest& request : upstream_.requests()) {
    EXPECT_TRUE(request.target.starts_with("/v1/chat/completions")) << request.target;
  }
}

TEST_F(Endpoints, HeadHasTheHeadersOfGetAndNoBody) {
  start();
  RawClient raw = client();
  raw.send("HEAD /v1/models HTTP/1.1\r\nhost: a\r\n\r\n");
  const Response head = raw.read_response(5s, true);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.header("content-length"), std::to_string(get("/v1/models").body.size()));
  EXPECT_TRUE(raw.stays_silent(50ms)) << raw.unread();
  raw.send("HEAD / HTTP/1.1\r\nhost: a\r\n\r\n");
  EXPECT_NE(raw.read_response(5s, true).status, 0);
  raw.send(get_request("/v1/models"));
  EXPECT_EQ(raw.read_response().status, 200) << "the connection is still in step";
}

TEST_F(Endpoints, NeverRedirects) {
  start();
  for (const char* path : {"/v1/models/", "//v1/models", "/models", "/v1/chat/completions/"}) {
    const int status = get(path).status;
    EXPECT_TRUE(status < 300 || status >= 400) << path << " " << status;
  }
}

TEST_F(Endpoints, F21ConfusingTargetsAreRefused) {
  upstream_.on_any().json(chat_answer());
  start();
  for (const char* path : {"/v1/%2e%2e/admin", "/v1/../metrics", "/v1/models/..", "/v1/models;x", "/%76%31/nothing"}) {
    const Response response = get(path);
    EXPECT_TRUE(response.status == 400 || response.status == 404) << path << " " << response.status;
  }
  EXPECT_EQ(upstream_.connections().size(), 0U);
}

TEST_F(Endpoints, TheAdminPortTellsHealthReadinessAndVersion) {
  start();
  EXPECT_EQ(gateway().admin("/healthz").status, 200);
  EXPECT_EQ(gateway().admin("/readyz").status, 200);
  const Response version = gateway().admin("/version");
  EXPECT_EQ(version.status, 200);
  EXPECT_TRUE(json::parse(version.body, nullptr, false).contains("version")) << version.body;
  EXPECT_EQ(gateway().admin("/nothing").status, 404);
  EXPECT_TRUE(gateway().admin("/metrics").header("content-type").starts_with("text/plain"));
}

TEST_F(Endpoints, BadBodiesNameTheirFault) {
  start();
  EXPECT_TRUE(is_error(ask("{"), 400, "invalid_json"));
  EXPECT_TRUE(is_error(ask(""), 400, "invalid_json"));
  EXPECT_TRUE(is_error(ask("[]"), 400, "invalid_json") || is_error(ask("[]"), 400, "invalid_value"));
  EXPECT_TRUE(is_error(ask(R"({"model":"m","model":"n","messages":[]})"), 400, "duplicate_key"));
  const Response missing = ask(R"({"messages":[]})");
  EXPECT_TRUE(is_error(missing, 400, "missing_required_parameter"));
  EXPECT_EQ(json::parse(missing.body)["error"]["param"], "model");
  const Response type = ask(R"({"model":"m","messages":[{"role":"user","content":"x"}],"stream":"true"})");
  EXPECT_TRUE(is_error(type, 400, "invalid_value"));
  EXPECT_EQ(json::parse(type.body)["error"]["param"], "stream");
  EXPECT_TRUE(is_error(ask(std::string(100'000, '[')), 400, "json_too_deep"));
  EXPECT_EQ(upstream_.bytes_in(), 0U);
}

TEST_F(Endpoints, F16UnknownModelsAreNotFoundAndNeverALabel) {
  start();
  const std::string name(1'000'000, 'z');
  const Response response = ask(chat_body(name));
  EXPECT_EQ(response.status == 404 || response.status == 400, true) << response.status;
  EXPECT_LT(response.body.size(), 1'000U);
  const std::size_t series = gateway().metrics().series();
  for (int i = 0; i < 50; ++i) {
    EXPECT_TRUE(is_error(ask(chat_body("nope-" + std::to_string(i))), 404, "model_not_found"));
  }
  EXPECT_LE(gateway().metrics().series(), series + 40) << "series must not grow with the names";
  const std::size_t settled = gateway().metrics().series();
  for (int i = 50; i < 100; ++i) ask(chat_body("nope-" + std::to_string(i)));
  EXPECT_EQ(gateway().metrics().series(), settled);
  EXPECT_EQ(gateway().admin("/metrics").body.find("nope-"), std::string::npos);
}

TEST_F(Endpoints, F22AClientCannotNameAnUpstream) {
  ScriptedUpstream trap;
  start();
  for (const char* name : {"api_base", "base_url", "api_key", "user_config", "extra_headers"}) {
    const Response response = ask(chat_body("m", "\"" + std::string(name) + "\":\"" + trap.url() + "\""));
    EXPECT_TRUE(is_error(response, 400, "unsupported_parameter")) << name;
  }
  EXPECT_EQ(trap.connections().size(), 0U);
  EXPECT_EQ(upstream_.connections().size(), 0U);
}

TEST_F(Endpoints, EveryAnswerCarriesARequestId) {
  upstream_.on(kChat).json(chat_answer());
  start();
  std::set<std::string> seen;
  for (const Response& response : {get("/v1/models"), get("/nothing"), ask(chat_body()), ask("{"), get(kChat)}) {
    EXPECT_TRUE(response.header("x-request-id").starts_with("req_"));
    EXPECT_EQ(response.header("x-request-id"), response.header("request-id"));
    seen.insert(response.header("x-request-id"));
  }
  EXPECT_EQ(seen.size(), 5U);
}

}  // namespace
}  // namespace sluice::integration
