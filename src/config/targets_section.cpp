// Where requests for a model go: provider/model, or a map with more to say.

#include <algorithm>
#include <map>

#include "config/model_uses.hpp"
#include "config/sections.hpp"
#include "config/values.hpp"
#include "sluice/config/model_names.hpp"
#include "sluice/config/names.hpp"

namespace sluice::config {
namespace {

constexpr unsigned kMostWeight = 1'000'000;
constexpr unsigned kMostTier = 100;

// `as_written`: how the text must begin for the provider's name to be shown.
bool check_provider(const Value& value, const Config& config, const std::string& name, bool as_written) {
  if (config.providers.contains(name)) return true;
  std::vector<std::string> names;
  for (const auto& [known, provider] : config.providers) names.push_back(known);
  // The text as written names the provider too, unless a reference hides it.
  const std::string shown = as_written ? in_quotes(name) : "in " + value.shown();
  value.fail("unknown provider " + shown + "; " + suggestion(name, names));
  return false;
}

std::optional<std::string> read_upstream_model(const Value& value) {
  auto name = read_word(value);
  if (!name || *name == "*" || name->find('*') == std::string::npos) return name;
  value.fail(value.shown() + ": expected one model's name, or a lone * for the name that was asked");
  return std::nullopt;
}

std::optional<Target> read_full_target(const Value& value, const Config& config) {
  Target target;
  MapReader map(value);
  const bool placed = map.read("provider", target.provider, [&](const Value& provider) -> std::optional<std::string> {
    auto name = read_word(provider);
    if (!name || !check_provider(provider, config, *name, provider.node->text == *name)) return std::nullopt;
    return name;
  });
  if (!placed) map.missing("provider", "expected the name of a provider");
  if (!map.read("model", target.model, read_upstream_model)) {
    map.missing("model", "expected the upstream's name of the model, or * for the name that was asked");
  }
  map.read("weight", target.weight, small_count(0, kMostWeight));
  map.read("tier", target.tier, small_count(0, kMostTier));
  map.read("name", target.name, read_label);
  map.section("when", [&](const Value& when) { read_when(when, target.when); });
  return target.provider.empty() || target.model.empty() ? std::nullopt : std::optional(std::move(target));
}

bool same_place(const Target& a, const Target& b) {
  return a.provider == b.provider && a.model == b.model && a.when == b.when;
}

// A target that says the same as one before it, or has its name, is a slip.
void check_new(const Value& item, const Target& target, const std::vector<Target>& before) {
  const auto named = [&](const Target& other) { return !target.name.empty() && other.name == target.name; };
  const auto same = [&](const Target& other) { return same_place(other, target); };
  if (std::ranges::any_of(before, named)) item.fail("another target has the name " + in_quotes(target.name));
  if (std::ranges::any_of(before, same)) item.fail("this target is already in the list");
}

}  // namespace

std::optional<std::string> read_label(const Value& value) {
  auto name = read_name(value);
  if (!name || name->empty() || !key_name_error(*name)) return name;
  value.fail("a name is 1 to 64 of A-Z, a-z, 0-9, \".\", \"_\" and \"-\"");
  return std::nullopt;
}

std::optional<Target> read_target(const Value& value, const Config& config) {
  const auto text = read_text(value);
  if (!text) return std::nullopt;
  auto target = parse_target(*text);
  if (!target) {
    value.fail(value.shown() + " is not a target; expected provider/model, e.g. openai/gpt-4o, or provider/*");
    return std::nullopt;
  }
  if (target->model != "*" && target->model.find('*') != std::string::npos) {
    value.fail(value.shown() + ": after the slash comes one model's name, or a lone * for the name that was asked");
    return std::nullopt;
  }
  const bool plain = value.node->text.starts_with(target->provider + "/");
  return check_provider(value, config, target->provider, plain) ? target : std::nullopt;
}

void read_targets(const Value& list, const ModelEntry& entry) {
  const auto items = read_items(list);
  const bool is_list = list.node->kind == Node::Kind::kList;
  if (is_list && items.empty()) list.fail("is empty; expected at least one target, e.g. openai/gpt-4o");
  if (items.size() > kMostTargets) return list.fail("more than " + std::to_string(kMostTargets) + " targets");
  for (const Value& item : items) {
    const bool full = item.node->kind == Node::Kind::kMap;
    auto target = full ? read_full_target(item, entry.config) : read_target(item, entry.config);
    if (!target) continue;
    check_new(item, *target, entry.model.targets);
    entry.model.targets.push_back(std::move(*target));
  }
}

}  // namespace sluice::config
