// How an entry of `models` shares its requests among its targets and with other models.

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "config/model_uses.hpp"
#include "config/sections.hpp"
#include "config/values.hpp"

namespace sluice::config {
namespace {

// By Strategy.
constexpr std::array<std::string_view, 6> kStrategies = {"ordered",        "weighted",    "least_busy",
                                                         "lowest_latency", "lowest_cost", "sticky"};

std::optional<Strategy> read_strategy(const Value& value) {
  static const auto kStrategy = choice<Strategy>({{"ordered", Strategy::kOrdered},
                                                  {"weighted", Strategy::kWeighted},
                                                  {"least_busy", Strategy::kLeastBusy},
                                                  {"lowest_latency", Strategy::kLowestLatency},
                                                  {"lowest_cost", Strategy::kLowestCost},
                                                  {"sticky", Strategy::kSticky}});
  return kStrategy(value);
}

std::optional<StickyBy> read_sticky(const Value& value) {
  static const auto kSticky = choice<StickyBy>({{"user", StickyBy::kUser},
                                                {"key", StickyBy::kKey},
                                                {"prompt_cache_key", StickyBy::kPromptCacheKey},
                                                {"prompt", StickyBy::kPrompt}});
  return kSticky(value);
}

bool has_key(const Node& node, std::string_view key) {
  return std::ranges::any_of(node.entries, [&](const Entry& entry) { return entry.key.node->text == key; });
}

// Whoever gives shares wants them to count.
bool gives_weights(const Value& targets) {
  return std::ranges::any_of(targets.node->items, [](const Child& item) { return has_key(*item.node, "weight"); });
}

void check_weights(const Value& targets, const Model& model) {
  if (model.strategy == Strategy::kOrdered) {
    targets.fail("weight has no meaning for strategy ordered; leave one of them out");
    return;
  }
  std::map<unsigned, std::uint64_t> sums;
  for (const Target& target : model.targets) sums[target.tier] += target.weight;
  for (const auto& [tier, sum] : sums) {
    if (sum == 0) targets.fail("all weights of tier " + std::to_string(tier) + " are 0");
  }
}

void read_splits(const Value& list, const ModelEntry& entry) {
  unsigned sum = 0;
  std::set<std::string> names;
  for (const Value& item : read_items(list)) {
    Split& split = entry.model.split.emplace_back();
    MapReader map(item);
    if (!map.read("percent", split.percent, percent(1, 100))) map.missing("percent", "expected a share, e.g. 10%");
    if (!map.read("use", split.use, [&](const Value& value) { return entry.named(value); })) {
      map.missing("use", "expected the name of a model");
    }
    map.read("name", split.name, read_label);
    sum += split.percent;
    const std::string& name = split.name.empty() ? split.use : split.name;
    if (!name.empty() && !names.insert(name).second) item.fail("another part has the name " + in_quotes(name));
  }
  if (sum > 100) list.fail("the parts are " + std::to_string(sum) + "% together; at most 100%");
}

void read_mirror(const Value& section, const ModelEntry& entry) {
  Mirror& mirror = entry.model.mirror.emplace();
  MapReader map(section);
  if (!map.read("use", mirror.use, [&](const Value& value) { return entry.named(value, false); })) {
    map.missing("use", "expected the name of a model");
  }
  map.read("percent", mirror.percent, percent(1, 100));
}

}  // namespace

std::string_view to_string(Strategy strategy) { return kStrategies[static_cast<std::size_t>(strategy)]; }

void read_sharing(MapReader& map, const ModelEntry& entry) {
  Model& model = entry.model;
  const auto targets = map.find("targets");
  const bool weighted = targets && gives_weights(*targets);
  const bool chosen = map.read("strategy", model.strategy, read_strategy);
  if (weighted && !chosen) model.strategy = Strategy::kWeighted;
  if (weighted) check_weights(*targets, model);
  map.section("sticky", [&](const Value& value) {
    if (const auto by = read_sticky(value)) model.sticky = *by;
    if (model.strategy != Strategy::kSticky) value.fail_key("has no meaning unless strategy is sticky");
  });
  map.section("split", [&](const Value& list) { read_splits(list, entry); });
  map.section("mirror", [&](const Value& section) { read_mirror(section, entry); });
}

}  // namespace sluice::config
