#pragma once
// Model names to targets. Built once per configuration, immutable, shared by all workers.

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sluice/config/config.hpp"
#include "sluice/core/error.hpp"
#include "sluice/pipeline/exchange.hpp"
#include "sluice/provider/provider.hpp"

namespace sluice::routing {

// One place that a request may go to.
struct Target {
  const provider::Provider* provider = nullptr;
  std::string upstream_model{};  // empty: as the client named it
  std::string name{};            // provider/model, as the configuration has it: a label
  config::Timeouts timeouts{};
};

// An entry of `models`, ready to use.
struct Route {
  const config::Model* model = nullptr;
  std::vector<Target> targets{};          // at least one
  std::vector<pipeline::Place> places{};  // of all that the route may lead to; the first target's in front
};

// Whether the key's `models` let that model through; without a key everything goes.
bool may_use(const config::Key* key, std::string_view model);

inline constexpr std::size_t kMaxEchoedModel = 64;  // of a model's name in a message

using Providers = std::map<std::string, std::unique_ptr<provider::Provider>>;

class Router {
 public:
  Router(const config::Config& config, Providers providers);

  // Exact names first, then globs in file order. Errors: kModelNotFound, kProviderOff.
  Result<const Route*> find(std::string_view model) const;

  // The names an app may list: entries without a `*` whose target can answer.
  const std::vector<const Route*>& listed() const { return listed_; }
  const Route* listed_model(std::string_view name) const;

 private:
  struct Entry {
    config::Model model;
    Route route;
  };
  Route route_for(const config::Model& model) const;

  Providers providers_;
  std::vector<std::unique_ptr<Entry>> entries_;
  std::unordered_map<std::string_view, const Entry*> exact_;
  std::vector<const Entry*> globs_;
  std::vector<const Route*> listed_;
};

}  // namespace sluice::routing
