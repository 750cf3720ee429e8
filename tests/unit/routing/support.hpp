#pragma once
// A small configuration, and one exchange through a stage with fakes at both ends.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "sluice/pipeline/middleware.hpp"
#include "sluice/routing/router.hpp"
#include "sluice/routing/stages.hpp"
#include "unit/fakes.hpp"

namespace sluice::routing::testing {

inline config::Provider upstream_provider(const std::string& name, bool on = true) {
  config::Provider provider;
  provider.name = name;
  provider.on = on;
  if (!on) provider.off_reason = "providers." + name + ".api_keys: NAME is not set";
  provider.base_url = {.tls = false, .host = name + ".example", .port = 80, .path = "/v1", .query = {}};
  provider.api_keys = {Secret("sk-" + name)};
  return provider;
}

inline config::Provider static_provider() {
  config::Provider provider;
  provider.name = "house";
  provider.dialect = config::ProviderDialect::kStatic;
  provider.answer = "Please try again.";
  provider.word_delay = milliseconds(0);
  return provider;
}

inline config::Model model(const std::string& name, const std::string& provider, const std::string& upstream = "*") {
  config::Model made;
  made.name = name;
  made.targets = {{.provider = provider, .model = upstream}};
  return made;
}

inline std::shared_ptr<const Router> router_of(const config::Config& config) {
  Providers providers;
  for (const auto& [name, one] : config.providers) {
    auto made = provider::make_provider(one);
    EXPECT_TRUE(made.has_value());
    if (made) providers.emplace(name, std::move(*made));
  }
  struct Kept {
    Kept(config::Config its_config, Providers its_providers)
        : config(std::move(its_config)), router(config, std::move(its_providers), make_upstreams()) {}
    config::Config config;
    Router router;
  };
  auto kept = std::make_shared<Kept>(config, std::move(providers));
  return {kept, &kept->router};
}

inline config::Config small_config() {
  config::Config config;
  config.routing.retries = 0;
  config.providers = {
      {"up", upstream_provider("up")}, {"house", static_provider()}, {"off", upstream_provider("off", false)}};
  config.models = {model("fast", "up", "gpt-4o-mini"), model("house", "house"), model("dark", "off"),
                   model("gpt-*", "up")};
  return config;
}

// A chunk of a streamed chat answer.
inline std::string chunk(const std::string& choices, const std::string& more = "") {
  return R"(data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[)" + choices + "]" +
         more + "}\n\n";
}
inline std::string token(const std::string& text) {
  return chunk(R"({"index":0,"delta":{"content":")" + text + R"("},"finish_reason":null})");
}
inline const std::string kFinish = chunk(R"({"index":0,"delta":{},"finish_reason":"stop"})");
inline const std::string kUsage =
    chunk("", R"(,"usage":{"prompt_tokens":30,"completion_tokens":20,"total_tokens":50})");
inline const std::string kDone = "data: [DONE]\n\n";

// A stream with each line feed as `end`.
inline std::string with_ends(const std::string& text, std::string_view end) {
  std::string out;
  for (const char c : text) c == '\n' ? out += end : out += c;
  return out;
}
// Cut at these places, which ascend.
inline std::vector<fakes::Step> pieces(const std::string& bytes, const std::vector<std::size_t>& cuts) {
  std::vector<fakes::Step> steps;
  std::size_t from = 0;
  for (const std::size_t at : cuts) {
    if (at > from && at < bytes.size()) steps.emplace_back(bytes.substr(from, at - from)), from = at;
  }
  if (from < bytes.size()) steps.emplace_back(bytes.substr(from));
  return steps;
}

inline const std::string kChatBody = R"({"model":"fast","messages":[{"role":"user","content":"hello there"}]})";
inline const std::string kStreamBody =
    R"({"model":"fast","stream":true,"messages":[{"role":"user","content":"hello there"}]})";

inline const fakes::ScriptedStream::Fields kSse = {{"content-type", "text/event-stream; charset=utf-8"}};
inline const fakes::ScriptedStream::Fields kJson = {{"content-type", "application/json"}};

inline pipeline::Pipeline resolve_and_dispatch(const config::Config& config = small_config()) {
  pipeline::Pipeline stages;
  const auto router = router_of(config);
  stages.push_back(make_resolve(router));
  stages.push_back(make_dispatch(router));
  return stages;
}

// What one exchange needs and leaves behind.
struct Conversation {
  explicit Conversation(std::string text, Endpoint endpoint = Endpoint::kChat) : body(std::move(text)) {
    request.body = body;
    exchange.endpoint = endpoint;
    record.endpoint = endpoint;
    record.started = Clock::now();
    if (body.empty()) return;
    auto view = api::parse_request(endpoint, body);
    EXPECT_TRUE(view.has_value()) << body;
    if (!view) return;
    record.model = view->model;
    record.stream = view->stream;
    exchange.view = std::move(*view);
  }
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  Result<void> through(const pipeline::Middleware& stage) {
    return fakes::run(stage.handle(exchange, pipeline::Next({})));
  }
  Result<void> dispatch(const config::Config& config = small_config()) {
    const auto stages = resolve_and_dispatch(config);
    return fakes::run(pipeline::Next(stages)(exchange));
  }

  std::string body;
  http::Request request;
  fakes::MemorySink sink;
  fakes::ScriptedClient client;
  observe::Record record;
  pipeline::Exchange exchange{request, &sink, client, record};
};

}  // namespace sluice::routing::testing
