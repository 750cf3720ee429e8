#include "sluice/routing/router.hpp"

#include <algorithm>

#include "routing/credential_ring.hpp"
#include "routing/rules.hpp"
#include "routing/stable_hash.hpp"
#include "routing/upstreams_state.hpp"
#include "sluice/config/model_names.hpp"
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

// What a token in and one out cost together: for comparing, by the prices of the day it is loaded.
std::int64_t price_of(const config::Target& target, const config::Config& config, const config::PriceTable& prices) {
  if (config.providers.at(target.provider).dialect == config::ProviderDialect::kStatic) return 0;
  const auto today = std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now());
  const config::PriceRow* row = prices.find(target.provider, target.model, today);
  if (row == nullptr) row = &config.prices.unknown_row;
  return row->input.picodollars() + row->output.picodollars();
}

std::unique_ptr<provider::Provider> last_words_of(const config::Model& model) {
  if (model.answer.empty()) return nullptr;
  config::Provider words;
  words.name = "answer";
  words.dialect = config::ProviderDialect::kStatic;
  words.answer = model.answer;
  words.word_delay = milliseconds(0);
  auto made = provider::make_provider(words);
  return made ? std::move(*made) : nullptr;
}

// All that says how a request is changed and where it goes; credentials do not count.
std::uint64_t revision_of(const std::vector<Target>& targets) {
  std::string all;
  const auto add = [&all](std::string_view text) { (all += text) += '\n'; };
  for (const Target& target : targets) {
    const config::Provider& provider = target.provider->config();
    add(target.place.provider);
    add(target.place.model);
    add(provider.base_url.host + ":" + std::to_string(provider.base_url.port) + provider.base_url.path);
    add(std::to_string(provider.base_url.query.fingerprint()));
    for (const auto& [name, value] : provider.headers) add(name + ":" + std::to_string(value.fingerprint()));
    add(provider.answer);
    for (const auto& [endpoint, path] : provider.paths) add(std::string(to_string(endpoint)) + path);
    for (const std::string& name : provider.quirks.drop) add("-" + name);
    for (const auto& [from, to] : provider.quirks.rename) add(from + "=" + to);
  }
  return stable_hash("revision", all);
}

}  // namespace

Route::Route() = default;
Route::~Route() = default;

struct Router::Account {
  std::unique_ptr<provider::Provider> provider;
  std::unique_ptr<CredentialRing> credentials;
};

Router::~Router() = default;

Router::Router(const config::Config& config, Providers providers, std::shared_ptr<Upstreams> upstreams)
    : config_(config), prices_(config.prices.rows), upstreams_(std::move(upstreams)) {
  upstreams_->retries.adopt(config.routing.retry_budget);
  for (auto& [name, provider] : providers) {
    auto account = std::make_unique<Account>();
    std::vector<std::shared_ptr<CredentialState>> states;
    for (const std::string& credential : provider->credentials()) {
      states.push_back(upstreams_->board.credential(name, credential));
    }
    if (!states.empty()) account->credentials = std::make_unique<CredentialRing>(std::move(states));
    account->provider = std::move(provider);
    accounts_.emplace(name, std::move(account));
  }
  for (const config::Model& model : config.models) {
    auto& route = *(entries_[model.name] = std::make_unique<Route>());
    route.model = model;
    add_targets(route);
  }
  const config::ModelNames names(config);
  for (const config::Model& model : config.models) connect(*entries_.at(model.name), names);
  for (const config::Model& model : config.models) {
    const Route& route = *entries_.at(model.name);
    if (model.name.find('*') != std::string::npos) {
      globs_.push_back(&route);
      continue;
    }
    exact_.emplace(route.model.name, &route);
    if (can_answer(route)) listed_.push_back(&route);
  }
}

std::vector<const provider::Provider*> Router::providers() const {
  std::vector<const provider::Provider*> all;
  for (const auto& [name, account] : accounts_) all.push_back(account->provider.get());
  return all;
}

void Router::add_targets(Route& route) {
  const auto on = [&](const config::Target& target) { return accounts_.at(target.provider)->provider->config().on; };
  const auto& targets = route.model.targets;
  for (const config::Target& target : targets) {
    if (!on(target)) {
      if (route.off_reason.empty()) route.off_reason = accounts_.at(target.provider)->provider->config().off_reason;
    } else if (!target.when_off || !on(targets.front())) {
      route.targets.push_back(target_for(target, route.model));
    }
  }
  route.last_words = last_words_of(route.model);
}

Target Router::target_for(const config::Target& target, const config::Model& model) const {
  const Account& account = *accounts_.at(target.provider);
  const auto& settings = account.provider->config();
  Target made;
  made.provider = account.provider.get();
  made.name = target.name.empty() ? target.provider + "/" + target.model : target.name;
  made.timeouts = with_overrides(settings.timeouts, model.timeouts);
  made.tier = target.tier;
  made.weight = target.weight;
  made.when = target.when;
  made.price = price_of(target, config_, prices_);
  made.place = {target.provider, target.model == "*" ? std::string() : target.model};
  made.credentials = account.credentials.get();
  if (settings.dialect != config::ProviderDialect::kStatic) {
    made.state = upstreams_->board.of(target.provider, target.model, {.breaker = settings.breaker});
  }
  return made;
}

// What the names of other models mean, once all of them are there.
void Router::connect(Route& route, const config::ModelNames& names) {
  const config::Model& model = route.model;
  if (!model.rules.empty()) {
    route.rules = std::make_unique<const Rules>(model.rules);
    for (const config::Rule& rule : route.rules->all()) route.uses.push_back(meant(rule.use, names));
  }
  for (const config::Split& split : model.split) {
    route.split.push_back(
        {.percent = split.percent, .name = split.name.empty() ? split.use : split.name, .to = meant(split.use, names)});
  }
  if (model.mirror) {
    route.mirror = {.percent = model.mirror->percent, .name = model.mirror->use, .to = meant(model.mirror->use, names)};
  }
  route.fallback = all_meant(model.fallback, names);
  route.for_length = all_meant(model.fallback_on.context_length.value_or(model.fallback), names);
  route.for_policy = all_meant(model.fallback_on.content_policy.value_or(model.fallback), names);
  for (const Target& target : route.targets) {
    route.places.push_back(target.place);
    route.forwards = route.forwards || target.place.model.empty();
  }
  route.revision = revision_of(route.targets);
  for (const auto* others : {&route.fallback, &route.for_length, &route.for_policy}) {
    for (const Route* other : *others) {
      for (const Target& target : other->targets) route.places.push_back(target.place);
    }
  }
}

const Route* Router::meant(const std::string& name, const config::ModelNames& names) {
  auto meaning = names.find(name);
  const auto forwards = [](const config::Target& target) { return target.model == "*"; };
  const bool exact = meaning.entry != nullptr && std::ranges::none_of(meaning.entry->targets, forwards);
  if (exact) return entries_.at(meaning.entry->name).get();
  // Its own name is what goes on, not the one that was asked for; provider/* forwards that one.
  auto& route = entries_["use " + name];
  if (route) return route.get();
  route = std::make_unique<Route>();
  if (meaning.entry != nullptr) {
    route->model = *meaning.entry;
    for (config::Target& target : route->model.targets) {
      if (forwards(target)) target.model = name;
    }
  } else if (meaning.target) {
    route->model.targets.push_back(*meaning.target);
  }
  route->model.name = name;
  add_targets(*route);
  if (meaning.entry != nullptr) {
    connect(*route, names);
  } else {
    route->revision = revision_of(route->targets);
  }
  return route.get();
}

std::vector<const Route*> Router::all_meant(const std::vector<std::string>& list, const config::ModelNames& names) {
  std::vector<const Route*> found;
  for (const std::string& name : list) found.push_back(meant(name, names));
  return found;
}

bool Router::can_answer(const Route& route, unsigned depth) {
  if (!route.targets.empty() || route.last_words) return true;
  if (depth == kMostSteps) return false;
  const auto can = [depth](const Route* other) { return can_answer(*other, depth + 1); };
  return std::ranges::any_of(route.uses, can) || std::ranges::any_of(route.fallback, can);
}

Result<const Route*> Router::find(std::string_view model) const {
  const Route* found = nullptr;
  if (auto exact = exact_.find(model); exact != exact_.end()) {
    found = exact->second;
  } else {
    const auto glob =
        std::ranges::find_if(globs_, [&](const Route* route) { return glob_match(route->model.name, model); });
    if (glob != globs_.end()) found = *glob;
  }
  if (found == nullptr) {
    return fail_param(ErrorKind::kModelNotFound, "model",
                      "The model `" + truncate_utf8(model, kMaxEchoedModel) +
                          "` does not exist here. GET /v1/models lists those that do.");
  }
  if (!can_answer(*found)) {
    return fail(
        ErrorKind::kProviderOff,
        "The model `" + truncate_utf8(model, kMaxEchoedModel) + "` is not available: its provider has no credential.",
        found->off_reason);
  }
  return found;
}

const Route* Router::listed_model(std::string_view name) const {
  auto exact = exact_.find(name);
  return exact != exact_.end() && can_answer(*exact->second) ? exact->second : nullptr;
}

std::vector<CredentialStanding> Router::credentials(TimePoint now) const {
  std::vector<CredentialStanding> all;
  for (const auto& [name, account] : accounts_) {
    const CredentialRing* ring = account->credentials.get();
    for (std::size_t i = 0; ring != nullptr && i < ring->size(); ++i) {
      const CredentialState& state = ring->state(i);
      const Rest rest = state.rest(1, now);
      CredentialStanding standing{.provider = name,
                                  .index = i,
                                  .why = kUnusableNames[static_cast<std::size_t>(rest.why)],
                                  .out_for = {},
                                  .rejections = state.rejections(),
                                  .cool_downs = state.cool_downs()};
      if (rest.why != Unusable::kNothing) standing.out_for = std::chrono::ceil<milliseconds>(rest.until - now);
      all.push_back(std::move(standing));
    }
  }
  return all;
}

}  // namespace sluice::routing
