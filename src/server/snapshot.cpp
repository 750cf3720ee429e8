#include "sluice/server/snapshot.hpp"

#include "sluice/cache/stages.hpp"
#include "sluice/pipeline/content.hpp"
#include "sluice/routing/stages.hpp"

namespace sluice::server {
namespace {

// What rules may ask: answered from the books of this snapshot, which outlives every exchange that goes by it.
routing::Insight insight_into(const Snapshot& snapshot) {
  const admission::Paths* paths = snapshot.paths.get();
  return {.tags = [paths](const config::Key* key) { return admission::tags_of(*paths, key); },
          .budget_left =
              [paths](const pipeline::Exchange& exchange) { return admission::budget_left(*paths, exchange.key); }};
}

// The order of the stages, and why each stands where it does.
pipeline::Pipeline build_pipeline(const Snapshot& snapshot, std::shared_ptr<const routing::Router> router,
                                  const Shared& shared) {
  const config::Config& config = snapshot.config;
  pipeline::Pipeline stages;
  // Who asks is known already, from the head (AppService): nobody unknown makes us read a body.
  stages.push_back(routing::make_list_models(router));  // needs an identity, and no body
  // All that follow look at the body through its view.
  stages.push_back(pipeline::make_parse_request(config.limits.inline_bytes));
  stages.push_back(guard::make_take_feedback(config));  // asks for no model
  // Models and providers have limits and prices of their own.
  stages.push_back(routing::make_resolve(router, insight_into(snapshot)));
  // Outside GuardRun, which counts the calls of tools that the answer asks for, and tells of a run that must stop.
  stages.push_back(guard::make_watch_agents(config, shared.agents.tools));
  // After Resolve, since models say how much of them may be kept; outside the rest, so that refused questions are
  // hashed too and what is done to an answer holds up no slot.
  if (pipeline::keeps_content(config)) stages.push_back(pipeline::make_keep_content(config));
  // GuardRun, then Admit: a run that must stop takes no place in a queue.
  stages.push_back(guard::make_guard_run(config, shared.agents.runs));
  stages.push_back(admission::make_admit(config, snapshot.paths, shared.books));
  // Inside Admit, so that a hit is admitted too; outside Dispatch, since a hit needs no upstream.
  if (snapshot.cache) stages.push_back(cache::make_exact_cache(config, *snapshot.cache));
  stages.push_back(routing::make_dispatch(std::move(router)));
  return stages;
}

}  // namespace

std::expected<std::shared_ptr<const Snapshot>, std::string> build_snapshot(config::Config config, std::string hash,
                                                                           std::shared_ptr<const http::TlsContext> tls,
                                                                           const Shared& shared) {
  routing::Providers providers;
  for (const auto& [name, row] : config.providers) {
    auto made = provider::make_provider(row);
    if (!made) return std::unexpected(made.error());
    providers.emplace(name, std::move(*made));
  }
  // The parts refer to the configuration where it lies.
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->config = std::move(config);
  snapshot->hash = std::move(hash);
  snapshot->tls = std::move(tls);
  snapshot->authenticator = std::make_unique<const auth::Authenticator>(snapshot->config, shared.failures);
  if (config::caches(snapshot->config)) snapshot->cache = shared.cache;
  snapshot->paths = admission::make_paths(snapshot->config, shared.books.ledger);
  auto router = std::make_shared<const routing::Router>(snapshot->config, std::move(providers), shared.upstreams);
  snapshot->router = router;
  snapshot->pipeline = build_pipeline(*snapshot, std::move(router), shared);
  return snapshot;
}

}  // namespace sluice::server
