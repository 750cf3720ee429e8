#pragma once
// Model names to targets. Built once per configuration, immutable but for the states it shares with other
// configurations, which take care of themselves; any thread.

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sluice/config/config.hpp"
#include "sluice/config/price_table.hpp"
#include "sluice/core/error.hpp"
#include "sluice/pipeline/exchange.hpp"
#include "sluice/provider/provider.hpp"
#include "sluice/routing/upstreams.hpp"

namespace sluice::config {
class ModelNames;
}

namespace sluice::routing {

class CredentialRing;
class Rules;
class TargetState;

// One place that a request may go to.
struct Target {
  const provider::Provider* provider = nullptr;
  std::string name{};  // as the configuration has it, else provider/model: a label
  config::Timeouts timeouts{};
  std::uint32_t tier = 0;
  std::uint32_t weight = 1;
  config::Conditions when{};
  std::shared_ptr<TargetState> state{};  // none: it never fails
  CredentialRing* credentials = nullptr;
  std::int64_t price = 0;   // picodollars for a token in and one out; the same unit for all
  pipeline::Place place{};  // its provider and the upstream's name of the model
};

struct Route;
struct Branch {  // part of the traffic
  std::uint32_t percent = 0;
  std::string name{};
  const Route* to = nullptr;
};

// An entry of `models`, ready to use.
struct Route {
  Route();
  ~Route();
  config::Model model;
  std::vector<Target> targets{};                     // whose provider is on; none: there are rules, or all are off
  std::string off_reason{};                          // when all are
  std::unique_ptr<const Rules> rules{};              // instead of targets
  std::vector<const Route*> uses{};                  // of each rule
  std::vector<Branch> split{};                       // the rest stays here
  Branch mirror{};                                   // percent 0: none
  std::vector<const Route*> fallback{};              // in turn, when the targets have failed
  std::vector<const Route*> for_length{};            // instead, when the prompt is too long
  std::vector<const Route*> for_policy{};            // instead, when it is refused for what it says
  std::unique_ptr<provider::Provider> last_words{};  // answers when all have failed; null: nobody does
  std::vector<pipeline::Place> places{};             // of all that it may lead to, its first target's in front
  std::uint64_t revision = 0;                        // of what its targets are; the same in every process
  bool forwards = false;                             // one of them is asked for the model by the client's name
  mutable std::atomic<std::uint64_t> turn{0};        // counts choices
};

// Whether the key's `models` let that model through; without a key everything goes.
bool may_use(const config::Key* key, std::string_view model);

inline constexpr unsigned kMostSteps = 64;  // from an alias to a target; a checked configuration has no cycle

inline constexpr std::size_t kMaxEchoedModel = 64;  // of a model's name in a message

using Providers = std::map<std::string, std::unique_ptr<provider::Provider>>;

class Router {
 public:
  // The configuration outlives it.
  Router(const config::Config& config, Providers providers, std::shared_ptr<Upstreams> upstreams);
  ~Router();
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;

  // Exact names first, then globs in file order. Errors: kModelNotFound, kProviderOff.
  Result<const Route*> find(std::string_view model) const;

  // The names an app may list: entries without a `*` that can answer.
  const std::vector<const Route*>& listed() const { return listed_; }
  const Route* listed_model(std::string_view name) const;

  const config::Config& config() const { return config_; }
  Upstreams& upstreams() const { return *upstreams_; }
  std::vector<const provider::Provider*> providers() const;
  // Of all providers, for operators.
  std::vector<CredentialStanding> credentials(TimePoint now) const;

 private:
  struct Account;  // a provider and its credentials
  void add_targets(Route& route);
  Target target_for(const config::Target& target, const config::Model& model) const;
  void connect(Route& route, const config::ModelNames& names);
  const Route* meant(const std::string& name, const config::ModelNames& names);
  std::vector<const Route*> all_meant(const std::vector<std::string>& list, const config::ModelNames& names);
  static bool can_answer(const Route& route, unsigned depth = 0);

  const config::Config& config_;
  config::PriceTable prices_;
  std::shared_ptr<Upstreams> upstreams_;
  std::map<std::string, std::unique_ptr<Account>> accounts_;
  std::map<std::string, std::unique_ptr<Route>> entries_;  // of `models`, and of what is meant by provider/model
  std::unordered_map<std::string_view, const Route*> exact_;
  std::vector<const Route*> globs_;
  std::vector<const Route*> listed_;
};

}  // namespace sluice::routing
