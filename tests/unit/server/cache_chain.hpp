#pragma once
// The stages that resolve, cache and dispatch, over a scripted upstream: what of an answer is kept, without sockets.

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sluice/cache/cache.hpp"
#include "sluice/cache/stages.hpp"
#include "unit/routing/support.hpp"

namespace sluice::server::testing {

inline config::Config caching_config() {
  config::Config config = routing::testing::small_config();
  config.cache.rules.policy = config::CachePolicy::kAll;
  return config;
}

// One request and what became of it.
struct Asked {
  Result<void> result;
  std::string body{};
  std::string told{};     // x-sluice-cache
  bool finished = false;  // to its end
  std::size_t calls = 0;  // of the upstream
};

class Chain {
 public:
  explicit Chain(config::Config config = caching_config()) : config_(std::move(config)), cache_(config_) {}

  // `answer`: of the upstream, if it is asked. Each request has targets that nothing has happened to yet.
  Asked ask(const std::string& body, Endpoint endpoint, int status, fakes::ScriptedStream::Fields fields,
            std::vector<fakes::Step> answer) {
    const auto router = routing::testing::router_of(config_);
    pipeline::Pipeline stages;
    stages.push_back(routing::make_resolve(router));
    stages.push_back(cache::make_exact_cache(config_, cache_));
    stages.push_back(routing::make_dispatch(router));
    routing::testing::Conversation one(body, endpoint);
    one.record.time = std::chrono::system_clock::now();
    one.client.add(status, std::move(fields), std::move(answer));
    Asked asked{.result = fakes::run(pipeline::Next(stages)(one.exchange))};
    asked.body = one.sink.body();
    asked.finished = one.sink.finished;
    asked.calls = one.client.asked.size();
    for (const auto& [name, value] : one.exchange.passed_on) {
      if (name == "x-sluice-cache") asked.told = value.substr(0, value.find(';'));
    }
    return asked;
  }
  cache::CacheCounts counts() const { return cache_.counts(); }

 private:
  config::Config config_;
  cache::Cache cache_;
};

// A request for a stream, or for a body, of that endpoint.
inline std::string request_for(Endpoint endpoint, bool stream) {
  const std::string head = R"({"model":"fast",)" + std::string(stream ? R"("stream":true,)" : "");
  if (endpoint == Endpoint::kCompletions) return head + R"("prompt":"hi"})";
  if (endpoint == Endpoint::kResponses) return head + R"("store":false,"input":"hi"})";
  return head + R"("messages":[{"role":"user","content":"hi"}]})";
}

}  // namespace sluice::server::testing
