// The request as it goes to an OpenAI-compatible upstream, byte by byte.

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "sluice/core/build_info.hpp"
#include "sluice/http/head.hpp"
#include "sluice/provider/provider.hpp"

namespace sluice::provider {
namespace {

using nlohmann::json;

const std::string kChat = R"({"model":"fast","messages":[{"role":"user","content":"hi"}]})";
const std::string kChatStream = R"({"model":"fast","stream":true,"messages":[{"role":"user","content":"hi"}]})";

config::Provider upstream() {
  config::Provider provider;
  provider.name = "up";
  provider.base_url = {.tls = false, .host = "api.example", .port = 80, .path = "/v1", .query = {}};
  provider.api_keys = {Secret("sk-one")};
  return provider;
}

// A request, what was understood of it and what was made of it, held together for the views between them.
struct Case {
  Case(const config::Provider& config, std::string text, Endpoint endpoint = Endpoint::kChat, std::string model = {},
       std::vector<http::Field> fields = {})
      : body(std::move(text)), provider(*make_provider(config)) {
    request.head.fields = std::move(fields);
    request.body = body;
    auto understood = api::parse_request(endpoint, body);
    EXPECT_TRUE(understood.has_value()) << body;
    if (!understood) return;
    view = std::move(*understood);
    encoded.model = model;
    result = provider->encode(request, view, encoded);
    raw_head = encoded.outgoing.head.reveal();
    if (!result) return;
    http::HeadScanner scanner(http::HeadScanner::Side::kRequest, {});
    const auto size = scanner.scan(raw_head);
    EXPECT_TRUE(size && *size && **size == raw_head.size()) << raw_head;
    auto parsed = http::parse_request_head(raw_head, {});
    EXPECT_TRUE(parsed.has_value()) << raw_head;
    if (parsed) head = std::move(*parsed);
  }
  std::string sent_body() const {
    std::string all;
    for (auto piece : encoded.outgoing.body) all += piece;
    return all;
  }
  std::string field(std::string_view name) const { return std::string(head.get(name)); }

  std::string body;
  std::unique_ptr<Provider> provider;
  http::Request request;
  api::RequestView view;
  Encoded encoded;
  Result<void> result;
  std::string raw_head;
  http::RequestHead head;
};

TEST(OpenAiHead, IsWholeAndExact) {
  const Case one(upstream(), kChat);
  EXPECT_EQ(one.raw_head, "POST /v1/chat/completions HTTP/1.1\r\nhost: api.example\r\nuser-agent: sluice/" +
                              std::string(version()) +
                              "\r\naccept-encoding: identity\r\ncontent-type: application/json\r\n"
                              "authorization: Bearer sk-one\r\naccept: application/json\r\ncontent-length: " +
                              std::to_string(kChat.size()) + "\r\n\r\n");
  EXPECT_EQ(one.sent_body(), kChat);
  EXPECT_FALSE(one.encoded.usage_forced);
}

TEST(OpenAiHead, EachEndpointHasItsPathAndTheQueryComesBehindIt) {
  auto config = upstream();
  config.base_url.path = "/base";
  config.base_url.query = Secret("api-version=2024-10-21&x=1");
  const std::pair<Endpoint, std::string> bodies[] = {{Endpoint::kChat, kChat},
                                                     {Endpoint::kCompletions, R"({"model":"m","prompt":"x"})"},
                                                     {Endpoint::kEmbeddings, R"({"model":"m","input":"x"})"},
                                                     {Endpoint::kResponses, R"({"model":"m","input":"x"})"},
                                                     {Endpoint::kModerations, R"({"input":"x"})"}};
  const std::string_view paths[] = {"chat/completions", "completions", "embeddings", "responses", "moderations"};
  for (std::size_t i = 0; i < std::size(bodies); ++i) {
    const Case one(config, bodies[i].second, bodies[i].first);
    EXPECT_EQ(one.head.path, "/base/" + std::string(paths[i]));
    EXPECT_EQ(one.head.query, "api-version=2024-10-21&x=1");
  }
}

TEST(OpenAiHead, TheClientsQueryComesBehindTheConfiguredOne) {
  const auto query = [](std::string configured, std::string_view asked) {
    auto config = upstream();
    config.base_url.query = Secret(std::move(configured));
    Case one(config, kChat);
    one.request.head.query = asked;
    Encoded encoded;
    EXPECT_TRUE(one.provider->encode(one.request, one.view, encoded).has_value());
    const auto head = http::parse_request_head(encoded.outgoing.head.reveal(), {});
    EXPECT_TRUE(head.has_value());
    return head ? std::string(head->target) : "";
  };
  EXPECT_EQ(query("", ""), "/v1/chat/completions");
  EXPECT_EQ(query("a=1", ""), "/v1/chat/completions?a=1");
  EXPECT_EQ(query("", "b=2"), "/v1/chat/completions?b=2");
  EXPECT_EQ(query("a=1", "b=2&a=3"), "/v1/chat/completions?a=1&b=2&a=3");
}

TEST(OpenAiHead, HostNamesThePortOnlyWhenItIsNotTheUsualOne) {
  auto config = upstream();
  const auto host = [&](bool tls, std::string name, std::uint16_t port) {
    config.base_url.tls = tls;
    config.base_url.host = std::move(name);
    config.base_url.port = port;
    return Case(config, kChat).field("host");
  };
  EXPECT_EQ(host(false, "api.example", 80), "api.example");
  EXPECT_EQ(host(false, "api.example", 443), "api.example:443");
  EXPECT_EQ(host(false, "127.0.0.1", 8000), "127.0.0.1:8000");
  EXPECT_EQ(host(false, "::1", 80), "[::1]");
  EXPECT_EQ(host(false, "::1", 11434), "[::1]:11434");
  EXPECT_EQ(host(true, "api.example", 443), "api.example");
  EXPECT_EQ(host(true, "api.example", 80), "api.example:80");
  EXPECT_EQ(host(true, "2001:db8::1", 8443), "[2001:db8::1]:8443");
}

TEST(OpenAiOrigin, IsTheConfiguredOne) {
  auto config = upstream();
  config.base_url.host = "::1";
  config.base_url.port = 11434;
  config.pool = {.max_idle = 7, .idle_timeout = std::chrono::seconds(3)};
  const Case plain(config, kChat);
  const auto& origin = *plain.encoded.outgoing.origin;
  EXPECT_EQ(origin.host, "::1") << "for the resolver: without brackets";
  EXPECT_EQ(origin.port, 11434);
  EXPECT_EQ(origin.tls, nullptr);
  EXPECT_EQ(origin.max_idle, 7U);
  EXPECT_EQ(origin.idle_timeout, std::chrono::seconds(3));
  config.base_url.tls = true;
  const Case secure(config, kChat);
  EXPECT_NE(secure.encoded.outgoing.origin->tls, nullptr);
  EXPECT_NE(secure.encoded.outgoing.origin->identity, origin.identity);
  config.tls_verify = false;
  const Case unverified(config, kChat);
  EXPECT_NE(unverified.encoded.outgoing.origin->identity, secure.encoded.outgoing.origin->identity)
      << "an unverified connection must not serve a verified target";
}

TEST(OpenAiOrigin, AnUnreadableCaFileIsSaidWithItsKey) {
  auto config = upstream();
  config.base_url.tls = true;
  config.ca_file = "/nonexistent/ca.pem";
  const auto made = make_provider(config);
  ASSERT_FALSE(made.has_value());
  EXPECT_NE(made.error().find("providers.up.tls.ca_file"), std::string::npos) << made.error();
  config.on = false;
  EXPECT_TRUE(make_provider(config).has_value()) << "a provider that is off needs no certificates";
}

TEST(OpenAiCredential, IsSentInTheConfiguredHeaderAndScheme) {
  auto config = upstream();
  EXPECT_EQ(Case(config, kChat).field("authorization"), "Bearer sk-one");
  config.auth_header = "api-key";
  config.auth_scheme = "";
  const Case azure(config, kChat);
  EXPECT_EQ(azure.field("api-key"), "sk-one");
  EXPECT_FALSE(azure.head.has("authorization"));
  config.auth_header = "authorization";
  config.auth_scheme = "Key";
  EXPECT_EQ(Case(config, kChat).field("authorization"), "Key sk-one");
}

TEST(OpenAiCredential, NoKeyMeansNoHeader) {
  auto config = upstream();
  config.api_keys.clear();
  EXPECT_FALSE(Case(config, kChat).head.has("authorization"));
  config.api_keys = {Secret("")};
  EXPECT_FALSE(Case(config, kChat).head.has("authorization"));
}

TEST(OpenAiCredential, EachKeyHasANameThatDoesNotTellItAndEmptyOnesAreSkipped) {
  auto config = upstream();
  config.api_keys = {Secret("sk-one"), Secret(""), Secret("sk-two"), Secret("sk-three")};
  const Case first(config, kChat);
  const auto names = first.provider->credentials();
  ASSERT_EQ(names.size(), 3U);
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < names.size(); ++i) {
    EXPECT_FALSE(names[i].contains("sk-")) << names[i];
    Encoded encoded;
    encoded.credential = i;
    ASSERT_TRUE(first.provider->encode(first.request, first.view, encoded).has_value());
    const auto head = http::parse_request_head(encoded.outgoing.head.reveal(), {});
    ASSERT_TRUE(head.has_value());
    keys.emplace_back(head->get("authorization"));
  }
  EXPECT_EQ(keys, (std::vector<std::string>{"Bearer sk-one", "Bearer sk-two", "Bearer sk-three"}));
  EXPECT_EQ(names, Case(config, kChat).provider->credentials()) << "another configuration finds them again";
}

TEST(OpenAiFields, TheConfiguredOnesAreAdded) {
  auto config = upstream();
  config.headers = {{"openai-organization", Secret("org-1")}, {"x-team", Secret("a b")}};
  const Case one(config, kChat);
  EXPECT_EQ(one.field("openai-organization"), "org-1");
  EXPECT_EQ(one.field("x-team"), "a b");
}

TEST(OpenAiFields, OnlyTheAllowedOnesOfTheClientGoAlong) {
  const std::vector<std::string_view> allowed{"OpenAI-Beta", "X-Client-Request-Id", "HTTP-Referer", "X-Title"};
  const std::vector<std::string_view> kept{"Authorization",
                                           "api-key",
                                           "x-api-key",
                                           "Cookie",
                                           "Host",
                                           "Content-Length",
                                           "Connection",
                                           "Transfer-Encoding",
                                           "X-Forwarded-For",
                                           "OpenAI-Organization",
                                           "OpenAI-Project",
                                           "User-Agent",
                                           "Accept-Encoding",
                                           "Accept",
                                           "Content-Type",
                                           "x-portkey-config",
                                           "Traceparent",
                                           "tracestate",
                                           "Proxy-Authorization",
                                           "Expect",
                                           "TE",
                                           "Upgrade"};
  std::vector<http::Field> fields;
  for (auto name : allowed) fields.push_back({name, "client-value"});
  for (auto name : kept) fields.push_back({name, "canary"});
  const Case one(upstream(), kChat, Endpoint::kChat, {}, fields);
  for (auto name : allowed) EXPECT_EQ(one.field(name), "client-value") << name;
  EXPECT_EQ(one.raw_head.find("canary"), std::string::npos) << one.raw_head;
  EXPECT_EQ(one.field("authorization"), "Bearer sk-one");
}

TEST(OpenAiFields, F23WhatConnectionListsStaysHere) {
  const Case one(upstream(), kChat, Endpoint::kChat, {},
                 {{"Connection", "keep-alive, OpenAI-Beta ,authorization"},
                  {"openai-beta", "canary"},
                  {"connection", "x-title"},
                  {"X-Title", "canary"},
                  {"http-referer", "kept"}});
  EXPECT_EQ(one.raw_head.find("canary"), std::string::npos) << one.raw_head;
  EXPECT_EQ(one.field("http-referer"), "kept");
  EXPECT_EQ(one.field("authorization"), "Bearer sk-one");
}

// No head that was read can hold such a value; whoever hands one over gets it dropped all the same.
TEST(BeastHoles, CrLfIsNeverWrittenIntoAHeadForAnUpstream) {
  for (const std::string_view evil : {"a\r\nX-Evil: 1", "a\nX-Evil: 1", "a\rb", "\r\n\r\nGET /evil HTTP/1.1\r\n"}) {
    const Case one(upstream(), kChat, Endpoint::kChat, {}, {{"openai-beta", evil}, {"X-Title", "kept"}});
    EXPECT_FALSE(one.head.has("openai-beta")) << one.raw_head;
    EXPECT_FALSE(one.head.has("x-evil")) << one.raw_head;
    EXPECT_EQ(one.field("x-title"), "kept");
  }
}

TEST(OpenAiFields, TheClientsCredentialNeverTakesThePlaceOfAMissingOne) {
  auto config = upstream();
  config.api_keys.clear();
  const Case one(config, kChat, Endpoint::kChat, {}, {{"Authorization", "Bearer sk-client"}, {"api-key", "sk-client"}});
  EXPECT_EQ(one.raw_head.find("sk-client"), std::string::npos);
}

TEST(OpenAiPath, HoldsTheUpstreamsModelNamePercentEncoded) {
  auto config = upstream();
  config.paths[Endpoint::kChat] = "/deployments/{model}/chat/completions";
  EXPECT_EQ(Case(config, kChat, Endpoint::kChat, "gpt-4o").head.path, "/v1/deployments/gpt-4o/chat/completions");
  EXPECT_EQ(Case(config, kChat).head.path, "/v1/deployments/fast/chat/completions") << "the client's own name";
  EXPECT_EQ(Case(config, kChat, Endpoint::kChat, "a/b c?d#e%f&\u00e9:1~").head.path,
            "/v1/deployments/a%2Fb%20c%3Fd%23e%25f%26%C3%A9%3A1~/chat/completions");
}

TEST(OpenAiPath, NoModelNameEverChangesTheShapeOfTheHead) {
  auto config = upstream();
  config.paths[Endpoint::kChat] = "/d/{model}/x";
  for (int byte = 1; byte < 256; ++byte) {
    const std::string name(3, static_cast<char>(byte));
    const Case one(config, kChat, Endpoint::kChat, name);
    EXPECT_TRUE(one.head.path.starts_with("/v1/d/") && one.head.path.ends_with("/x")) << byte;
    EXPECT_EQ(std::count(one.head.path.begin(), one.head.path.end(), '/'), 4) << byte;
    EXPECT_EQ(one.head.fields.size(), 7U) << byte;
  }
}

TEST(OpenAiPath, AnEndpointTheProviderLacksIsUnknown) {
  auto config = upstream();
  config.paths.erase(Endpoint::kEmbeddings);
  const Case one(config, R"({"model":"m","input":"x"})", Endpoint::kEmbeddings);
  ASSERT_FALSE(one.result.has_value());
  EXPECT_EQ(one.result.error().kind, ErrorKind::kUnknownRoute);
}

TEST(OpenAiBody, NamesTheUpstreamsModelAndIsOtherwiseUntouched) {
  const Case one(upstream(), R"({ "model" : "fast", "messages":[{"role":"user","content":"\u0041 1.0"}], "x":1e2 })",
                 Endpoint::kChat, "gpt-4o");
  EXPECT_EQ(one.sent_body(), R"({ "model" : "gpt-4o", "messages":[{"role":"user","content":"\u0041 1.0"}], "x":1e2 })");
  EXPECT_EQ(one.field("content-length"), std::to_string(one.sent_body().size()));
}

TEST(OpenAiBody, QuirksDropAndRenameMembers) {
  auto config = upstream();
  config.quirks.drop = {"user", "logit_bias"};
  config.quirks.rename = {{"max_tokens", "max_completion_tokens"}};
  const Case one(config, R"({"user":"u","model":"fast","max_tokens":5,"messages":[{"role":"user","content":"hi"}]})");
  const auto sent = json::parse(one.sent_body());
  EXPECT_FALSE(sent.contains("user"));
  EXPECT_FALSE(sent.contains("max_tokens"));
  EXPECT_EQ(sent["max_completion_tokens"], 5);
  EXPECT_EQ(one.field("content-length"), std::to_string(one.sent_body().size()));
}

TEST(OpenAiBody, UsageIsForcedForStreamsOfChatAndCompletionsOnly) {
  const Case chat(upstream(), kChatStream);
  EXPECT_TRUE(chat.encoded.usage_forced);
  EXPECT_EQ(json::parse(chat.sent_body())["stream_options"]["include_usage"], true);
  EXPECT_EQ(chat.field("accept"), "text/event-stream");
  EXPECT_EQ(chat.field("content-length"), std::to_string(chat.sent_body().size()));

  const Case completions(upstream(), R"({"model":"m","prompt":"x","stream":true})", Endpoint::kCompletions);
  EXPECT_TRUE(completions.encoded.usage_forced);
  EXPECT_EQ(json::parse(completions.sent_body())["stream_options"]["include_usage"], true);

  const Case responses(upstream(), R"({"model":"m","input":"x","stream":true})", Endpoint::kResponses);
  EXPECT_FALSE(responses.encoded.usage_forced);
  EXPECT_FALSE(json::parse(responses.sent_body()).contains("stream_options"));

  const Case whole(upstream(), kChat);
  EXPECT_FALSE(whole.encoded.usage_forced);
  EXPECT_FALSE(json::parse(whole.sent_body()).contains("stream_options"));
}

TEST(OpenAiBody, UsageIsNotForcedWhereItIsWantedAnywayOrNotUnderstood) {
  const std::string wants = R"({"model":"m","stream":true,"stream_options":{"include_usage":true},)"
                            R"("messages":[{"role":"user","content":"hi"}]})";
  const Case wanted(upstream(), wants);
  EXPECT_FALSE(wanted.encoded.usage_forced);
  EXPECT_EQ(wanted.sent_body(), wants);
  auto config = upstream();
  config.quirks.stream_usage = false;
  const Case never(config, kChatStream);
  EXPECT_FALSE(never.encoded.usage_forced);
  EXPECT_EQ(never.sent_body(), kChatStream);
}

TEST(OpenAiBody, UsageIsReportedAsForcedOnlyIfTheBodySaysSo) {
  auto config = upstream();
  config.quirks.drop = {"stream_options"};
  const Case one(config, kChatStream);
  EXPECT_FALSE(json::parse(one.sent_body()).contains("stream_options"));
}

TEST(OpenAi, HasNoAnswersOfItsOwn) {
  const Case one(upstream(), kChat);
  EXPECT_EQ(one.provider->answer(one.view), nullptr);
  EXPECT_EQ(one.provider->config().name, "up");
}

}  // namespace
}  // namespace sluice::provider
