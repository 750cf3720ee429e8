#include "sluice/server/snapshot.hpp"

#include "sluice/routing/stages.hpp"

namespace sluice::server {
namespace {

// The order of the stages, and why each stands where it does.
pipeline::Pipeline build_pipeline(const config::Config& config, std::shared_ptr<const routing::Router> router) {
  pipeline::Pipeline stages;
  // Authenticate comes first: nobody unknown makes us do work.
  stages.push_back(routing::make_list_models(router));  // needs an identity, and no body
  // All that follow look at the body through its view.
  stages.push_back(pipeline::make_parse_request(config.limits.inline_bytes));
  // GuardRun, then Admit: a run that must stop takes no place in a queue.
  // ExactCache: inside Admit, so that a hit is admitted too; outside Dispatch, since a hit needs no upstream.
  stages.push_back(routing::make_dispatch(std::move(router), config.limits));
  return stages;
}

}  // namespace

std::expected<std::shared_ptr<const Snapshot>, std::string> build_snapshot(
    config::Config config, std::string hash, std::shared_ptr<const http::TlsContext> tls) {
  routing::Providers providers;
  for (const auto& [name, row] : config.providers) {
    auto made = provider::make_provider(row);
    if (!made) return std::unexpected(made.error());
    providers.emplace(name, std::move(*made));
  }
  auto router = std::make_shared<const routing::Router>(config, std::move(providers));
  auto pipeline = build_pipeline(config, std::move(router));
  return std::make_shared<const Snapshot>(
      Snapshot{std::move(config), std::move(hash), std::move(tls), std::move(pipeline)});
}

}  // namespace sluice::server
