#pragma once
// Where an entry of `models` names another one. What is meant is known only once all entries have been read.

#include <string>
#include <vector>

#include "config/reader.hpp"
#include "sluice/config/config.hpp"

namespace sluice::config {

struct ModelUse {
  std::size_t model = 0;  // in Config::models: who says it
  Value value;            // where
  std::string name;
  bool leads = true;  // requests may go on there, so that it must not lead back
};
using ModelUses = std::vector<ModelUse>;

// Reports names that nobody knows, and ways that lead back to where they began.
void check_model_uses(const Config& config, const ModelUses& uses);

// The entry that is being read, and what it names.
struct ModelEntry {
  const Config& config;  // with all providers
  Model& model;
  ModelUses& uses;

  // A converter: the name of a model, which is kept to be checked.
  std::optional<std::string> named(const Value& value, bool leads = true) const;
  std::vector<std::string> named_list(const Value& list) const;
};

// "provider/model" of a known provider.
std::optional<Target> read_target(const Value& value, const Config& config);
// Parts of an entry.
void read_targets(const Value& list, const ModelEntry& entry);
void read_rules(const Value& list, const ModelEntry& entry);
// What goes with targets; read after them.
void read_sharing(MapReader& map, const ModelEntry& entry);
void read_rescue(MapReader& map, const ModelEntry& entry);

}  // namespace sluice::config
