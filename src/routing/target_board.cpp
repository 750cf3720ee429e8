#include "routing/target_board.hpp"

namespace sluice::routing {
namespace {

template <class States>
void drop_unused(States& states) {
  std::erase_if(states, [](const auto& entry) { return entry.second.expired(); });
}

}  // namespace

std::shared_ptr<TargetState> TargetBoard::of(std::string_view provider, std::string_view upstream_model,
                                             const TargetSettings& settings) {
  const std::lock_guard lock(mutex_);
  Name name(provider, upstream_model);
  if (const auto known = targets_.find(name); known != targets_.end()) {
    if (auto state = known->second.lock()) {
      state->adopt(settings);
      return state;
    }
  }
  drop_unused(targets_);
  auto state = std::make_shared<TargetState>(name.first, name.second, settings);
  targets_[std::move(name)] = state;
  return state;
}

std::shared_ptr<CredentialState> TargetBoard::credential(std::string_view provider, std::string_view name) {
  const std::lock_guard lock(mutex_);
  auto& known = credentials_[Name(provider, name)];
  if (auto state = known.lock()) {
    state->forgive();
    return state;
  }
  auto state = std::make_shared<CredentialState>();
  known = state;
  drop_unused(credentials_);
  return state;
}

std::vector<std::shared_ptr<TargetState>> TargetBoard::targets_of(std::string_view provider) {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<TargetState>> states;
  for (const auto& [name, target] : targets_) {
    if (name.first != provider) continue;
    if (auto state = target.lock()) states.push_back(std::move(state));
  }
  return states;
}

void TargetBoard::mark_unhealthy(std::string_view provider, TimePoint until) {
  for (const auto& state : targets_of(provider)) state->mark_unhealthy(until);
}

void TargetBoard::mark_healthy(std::string_view provider, TimePoint now) {
  for (const auto& state : targets_of(provider)) state->mark_healthy(now);
}

std::vector<std::shared_ptr<const TargetState>> TargetBoard::targets() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<const TargetState>> states;
  for (const auto& [name, target] : targets_) {
    if (auto state = target.lock()) states.push_back(std::move(state));
  }
  return states;
}

}  // namespace sluice::routing
