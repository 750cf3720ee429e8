// What is odd about keys once everything else is known. Nothing here makes a file unusable.

#include <algorithm>
#include <map>

#include "config/address.hpp"
#include "config/glob.hpp"
#include "config/sections.hpp"

namespace sluice::config {
namespace {

struct Listed {              // a model that keys list
  const std::string* first;  // the name of a key that lists it
  std::size_t keys = 0;
};

bool is_served(const std::string& pattern, const std::vector<Model>& models) {
  return std::ranges::any_of(models, [&](const Model& model) { return globs_meet(pattern, model.name); });
}

void note_unserved_models(const Config& config, Report& report) {
  std::map<std::string_view, Listed> patterns;
  for (const Key& key : config.keys) {
    if (!key.models) continue;
    for (const std::string& pattern : *key.models) {
      auto& listed = patterns.try_emplace(pattern, Listed{&key.name}).first->second;
      ++listed.keys;
    }
  }
  for (const auto& [pattern, listed] : patterns) {
    if (is_served(std::string(pattern), config.models)) continue;
    const std::string others = listed.keys > 1 ? " and " + std::to_string(listed.keys - 1) + " more" : "";
    report.note("key " + *listed.first + others + ": no entry of models serves " + in_quotes(pattern));
  }
}

}  // namespace

void note_keys(const Config& config, Report& report) {
  const bool open = !is_loopback(config.server.listen.host);
  if (!config.has_keys && open) {
    report.note("server.listen is " + to_string(config.server.listen) +
                ", and there is no `keys` section: only clients on this machine are served");
  }
  if (config.has_keys && config.keys.empty()) report.note("keys is empty: nobody is served");
  note_unserved_models(config, report);
}

}  // namespace sluice::config
