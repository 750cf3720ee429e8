#include <algorithm>
#include <array>

#include "config/model_uses.hpp"
#include "config/sections.hpp"
#include "config/values.hpp"

namespace sluice::config {
namespace {

constexpr std::size_t kMaxName = 256;
constexpr std::array<std::string_view, 13> kWithTargets = {
    "target", "targets",  "when_off",    "strategy", "sticky", "split",       "mirror",
    "answer", "fallback", "fallback_on", "starve",   "hedge",  "max_attempts"};

void read_when_off(const Value& value, const ModelEntry& entry) {
  auto target = read_target(value, entry.config);
  auto& targets = entry.model.targets;
  if (!target || targets.empty()) return;
  if (target->provider == targets.front().provider) {
    value.fail("names the provider of target, which is the one that is off then");
  }
  target->tier = 1;
  target->when_off = true;
  targets.push_back(std::move(*target));
}

void read_places(MapReader& map, const ModelEntry& entry) {
  const bool several = map.section("targets", [&](const Value& list) { read_targets(list, entry); });
  const auto target = map.find("target");
  if (several) {
    if (target) target->fail_key("stands beside targets; put it into that list");
    map.refuse("when_off", "has no meaning beside targets; put it there, with a higher tier");
    return;
  }
  if (!target) map.missing("target", "expected provider/model, e.g. openai/gpt-4o; or targets, or rules");
  if (target) {
    if (auto read = read_target(*target, entry.config)) entry.model.targets.push_back(std::move(*read));
  }
  map.section("when_off", [&](const Value& value) { read_when_off(value, entry); });
}

void read_full(const Value& value, const ModelEntry& entry) {
  MapReader map(value);
  Model& model = entry.model;
  if (map.section("rules", [&](const Value& list) { read_rules(list, entry); })) {
    for (const std::string_view key : kWithTargets) map.refuse(key, "has no meaning beside rules, which name models");
  } else {
    read_places(map, entry);
    read_sharing(map, entry);
    read_rescue(map, entry);
  }
  map.section("timeouts", [&](const Value& section) { read_timeouts(section, model.timeouts); });
  map.section("limits", [&](const Value& section) { read_node_limits(section, model.limits, nullptr); });
  map.read("max_output", model.max_output, amount(1, kMostOutput));
  map.section("cache", [&](const Value& section) { read_cache_rules(section, model.cache); });
  map.read("content", model.content, read_content);
}

void check_name(const Named& entry) {
  if (entry.name.size() > kMaxName) entry.value.fail_key("longer than " + std::to_string(kMaxName) + " bytes");
  has_reference(entry);
}

void read_model(const Named& named, const ModelEntry& entry) {
  entry.model.name = named.name;
  check_name(named);
  if (named.value.node->kind == Node::Kind::kText) {
    if (auto target = read_target(named.value, entry.config)) entry.model.targets.push_back(std::move(*target));
  } else if (named.value.node->kind == Node::Kind::kMap) {
    read_full(named.value, entry);
  } else {
    named.value.fail("expected provider/model or a map with target, targets or rules");
  }
}

}  // namespace

void read_models(const Value& section, Config& config) {
  auto entries = read_entries(section);
  ModelUses uses;
  config.models.reserve(entries.size());
  for (const Named& entry : entries) read_model(entry, {config, config.models.emplace_back(), uses});
  check_model_uses(config, uses);
  bool could_be_full = section.node->kind == Node::Kind::kMap || section.node->kind == Node::Kind::kNull;
  if (entries.empty() && could_be_full)
    section.fail_key("is empty; expected at least one model, e.g. gpt-4o: openai/gpt-4o");
}

}  // namespace sluice::config
