#pragma once
// Which limits a request meets: of the whole process, of its model and provider, of each group from the root down to
// its key, and of its end user.

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sluice/config/config.hpp"
#include "sluice/limit/ledger.hpp"

namespace sluice::admission {

using Limits = std::vector<limit::Limit>;

// What holds for each end user of a node.
struct EachUser {
  EachUser() = default;
  EachUser(std::string node_id, NodeLimits node_limits);
  std::string id;  // of the node
  NodeLimits limits;
  std::uint64_t serial = 0;  // no other one ever has it
};

// Of one key: itself and all above it.
struct Path {
  std::vector<const limit::Limit*> limits;  // outermost first
  std::vector<const EachUser*> each_user;
  config::Tags tags;
  Limits own;  // of the key itself
  EachUser own_users;
};

struct ModelNode {
  Limits limits;
  std::int64_t max_output = 0;  // reserved for an answer whose request names no maximum
};
struct ProviderNode {
  Limits limits;
  bool is_free = false;  // answers by itself
};

// Built from one configuration, which outlives it; any thread. What a key needs is made when it first asks: most of
// many keys are silent.
class Paths {
 public:
  Paths(const config::Config& config, limit::Ledger& ledger);
  ~Paths();
  Paths(const Paths&) = delete;
  Paths& operator=(const Paths&) = delete;

  const Limits& of_process() const { return process_; }
  // Of an entry of `models` and of `providers`.
  const ModelNode& of_model(const std::string& name) const { return models_.at(name); }
  // Nobody's provider, which answers by itself, is free.
  const ProviderNode& of_provider(const std::string& name) const {
    const auto known = providers_.find(name);
    return known == providers_.end() ? free_ : known->second;
  }
  const Path& of_key(const config::Key* key) const;  // null: nobody's, which is empty
  limit::Ledger& ledger() const { return ledger_; }
  // The limits of all nodes but keys and users.
  template <class Use>
  void for_each_shared(Use&& use) const {
    use(process_);
    for (const auto& [name, node] : models_) use(node.limits);
    for (const auto& [name, node] : providers_) use(node.limits);
    for (const auto& [path, node] : groups_) use(node.limits);
  }

 private:
  struct GroupNode {
    Limits limits;
    EachUser each_user;
    config::Tags tags;
  };
  std::unique_ptr<Path> build(const config::Key& key) const;

  const config::Config& config_;
  limit::Ledger& ledger_;
  Limits process_;
  std::map<std::string, ModelNode, std::less<>> models_;
  std::map<std::string, ProviderNode, std::less<>> providers_;
  std::map<std::string, GroupNode> groups_;
  mutable std::vector<std::atomic<const Path*>> keys_;  // by place in config.keys
  Path nobody_;
  ProviderNode free_{.limits = {}, .is_free = true};
};

}  // namespace sluice::admission
