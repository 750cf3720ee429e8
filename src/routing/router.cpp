#include "sluice/routing/router.hpp"

#include <algorithm>

#include "sluice/core/text.hpp"

namespace sluice::routing {
namespace {

config::Timeouts with_overrides(config::Timeouts timeouts, const config::TimeoutOverrides& overrides) {
  timeouts.connect = overrides.connect.value_or(timeouts.connect);
  timeouts.first_byte = overrides.first_byte.value_or(timeouts.first_byte);
  timeouts.first_token = overrides.first_token.value_or(timeouts.first_token);
  timeouts.idle = overrides.idle.value_or(timeouts.idle);
  timeouts.total = overrides.total.value_or(timeouts.total);
  return timeouts;
}

bool is_on(const Route& route) { return route.targets.front().provider->config().on; }

}  // namespace

Router::Router(const config::Config& config, Providers providers) : providers_(std::move(providers)) {
  for (const config::Model& model : config.models) {
    if (model.targets.empty()) continue;  // rules: not served yet
    auto& entry = *entries_.emplace_back(std::make_unique<Entry>());
    entry.model = model;
    entry.route = route_for(entry.model);
    if (model.name.find('*') == std::string::npos) {
      exact_.emplace(entry.model.name, &entry);
      if (is_on(entry.route)) listed_.push_back(&entry.route);
    } else {
      globs_.push_back(&entry);
    }
  }
}

Route Router::route_for(const config::Model& model) const {
  const auto on = [&](const config::Target& target) { return providers_.at(target.provider)->config().on; };
  const auto first = std::ranges::find_if(model.targets, on);
  const config::Target* target = first == model.targets.end() ? &model.targets.back() : &*first;
  Route route;
  route.model = &model;
  const auto& provider = *providers_.at(target->provider);
  route.targets.push_back({.provider = &provider,
                           .upstream_model = target->model == "*" ? std::string() : target->model,
                           .name = target->provider + "/" + target->model,
                           .timeouts = with_overrides(provider.config().timeouts, model.timeouts)});
  for (const Target& one : route.targets) {
    route.places.push_back({one.provider->config().name, one.upstream_model});
  }
  return route;
}

Result<const Route*> Router::find(std::string_view model) const {
  const Entry* found = nullptr;
  if (auto exact = exact_.find(model); exact != exact_.end()) {
    found = exact->second;
  } else {
    for (const Entry* glob : globs_) {
      if (found == nullptr && glob_match(glob->model.name, model)) found = glob;
    }
  }
  if (found == nullptr) {
    return fail_param(ErrorKind::kModelNotFound, "model",
                      "The model `" + truncate_utf8(model, kMaxEchoedModel) +
                          "` does not exist here. GET /v1/models lists those that do.");
  }
  if (!is_on(found->route)) {
    return fail(
        ErrorKind::kProviderOff,
        "The model `" + truncate_utf8(model, kMaxEchoedModel) + "` is not available: its provider has no credential.",
        found->route.targets.front().provider->config().off_reason);
  }
  return &found->route;
}

const Route* Router::listed_model(std::string_view name) const {
  auto exact = exact_.find(name);
  return exact != exact_.end() && is_on(exact->second->route) ? &exact->second->route : nullptr;
}

}  // namespace sluice::routing
