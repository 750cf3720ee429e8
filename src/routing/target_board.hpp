#pragma once
// The states of all targets and credentials that some configuration names. They live as long as anybody holds them, so
// what is known survives a reload: the new configuration asks for its states while the old one still has them.
//
// Any thread, under a lock: for loading and for display, not for requests.

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "routing/credential_state.hpp"
#include "routing/target_state.hpp"

namespace sluice::routing {

class TargetBoard {
 public:
  // The state of that target, which takes the settings over if it is there already.
  std::shared_ptr<TargetState> of(std::string_view provider, std::string_view upstream_model,
                                  const TargetSettings& settings);
  // The state of a provider's credential, by a name that changes with the secret and does not tell it. One that is
  // there already keeps its rests, but its quarantine is over.
  std::shared_ptr<CredentialState> credential(std::string_view provider, std::string_view name);

  // What a health check has found of a provider: all its targets are out until then, or well again.
  void mark_unhealthy(std::string_view provider, TimePoint until);
  void mark_healthy(std::string_view provider, TimePoint now);

  // In the order of their names.
  std::vector<std::shared_ptr<const TargetState>> targets() const;

 private:
  using Name = std::pair<std::string, std::string>;
  std::vector<std::shared_ptr<TargetState>> targets_of(std::string_view provider);

  mutable std::mutex mutex_;
  std::map<Name, std::weak_ptr<TargetState>> targets_;
  std::map<Name, std::weak_ptr<CredentialState>> credentials_;
};

}  // namespace sluice::routing
