#include "admission/paths.hpp"

#include "admission/node_limits.hpp"

namespace sluice::admission {

EachUser::EachUser(std::string node_id, NodeLimits node_limits)
    : id(std::move(node_id)), limits(std::move(node_limits)) {
  static std::atomic<std::uint64_t> last = 0;
  serial = ++last;
}

Paths::Paths(const config::Config& config, limit::Ledger& ledger)
    : config_(config), ledger_(ledger), keys_(config.keys.size()) {
  process_ = limits_of({.rates = {}, .concurrency = config.admission.concurrency, .budgets = {}}, "process", "process",
                       ledger);
  for (const config::Model& model : config.models) {
    ModelNode& node = models_[model.name];
    node.limits = limits_of(model.limits, "model:" + model.name, "model " + model.name, ledger);
    node.max_output = model.max_output.value_or(config.admission.default_max_output);
  }
  for (const auto& [name, provider] : config.providers) {
    ProviderNode& node = providers_[name];
    node.limits = limits_of(provider.limits, "provider:" + name, "provider " + name, ledger);
    node.is_free = provider.dialect == config::ProviderDialect::kStatic;
  }
  for (const auto& [path, group] : config.groups) {
    GroupNode& node = groups_[path];
    node.limits = limits_of(group.limits, "group:" + path, "group " + path, ledger);
    node.each_user = EachUser("user:group:" + path, group.each_user);
    node.tags = group.tags;
  }
}

Paths::~Paths() {
  for (auto& key : keys_) delete key.load();
}

std::unique_ptr<Path> Paths::build(const config::Key& key) const {
  auto path = std::make_unique<Path>();
  const auto enter = [&](const Limits& limits, const EachUser& each_user, const config::Tags& tags) {
    for (const limit::Limit& one : limits) path->limits.push_back(&one);
    if (!each_user.limits.empty()) path->each_user.push_back(&each_user);
    for (const auto& [name, value] : tags) path->tags[name] = value;
  };
  for (std::size_t end = 0; !key.group.empty() && end != std::string::npos;) {
    end = key.group.find('/', end + 1);
    const auto node = groups_.find(key.group.substr(0, end));
    if (node != groups_.end()) enter(node->second.limits, node->second.each_user, node->second.tags);
  }
  path->own = limits_of(key.limits, "key:" + key.name, "key " + key.name, ledger_);
  path->own_users = EachUser("user:key:" + key.name, key.each_user);
  enter(path->own, path->own_users, key.tags);
  return path;
}

// Two threads may build the same path at the same time; one of them is kept.
const Path& Paths::of_key(const config::Key* key) const {
  if (key == nullptr) return nobody_;
  auto& place = keys_[static_cast<std::size_t>(key - config_.keys.data())];
  if (const Path* known = place.load(std::memory_order_acquire)) return *known;
  auto built = build(*key);
  const Path* expected = nullptr;
  if (place.compare_exchange_strong(expected, built.get(), std::memory_order_acq_rel)) return *built.release();
  return *expected;
}

}  // namespace sluice::admission
