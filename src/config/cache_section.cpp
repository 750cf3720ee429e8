// cache, of the file, of a model and of a key.

#include <algorithm>

#include "config/sections.hpp"
#include "config/values.hpp"
#include "sluice/config/names.hpp"

namespace sluice::config {
namespace {

constexpr std::size_t kLeastMemory = kMiB;

std::optional<CachePolicy> read_policy(const Value& value) {
  static const auto kPolicy = choice<CachePolicy>(
      {{"off", CachePolicy::kOff}, {"deterministic", CachePolicy::kDeterministic}, {"all", CachePolicy::kAll}});
  return kPolicy(value);
}

std::optional<CacheScope> read_scope(const Value& value) {
  static const auto kScope = choice<CacheScope>({{"key", CacheScope::kKey},
                                                 {"team", CacheScope::kTeam},
                                                 {"org", CacheScope::kOrg},
                                                 {"namespace", CacheScope::kNamespace}});
  return kScope(value);
}

std::optional<std::string> read_namespace(const Value& value) {
  auto name = read_name(value);
  if (!name || name->empty()) return name;  // none
  const auto error = key_name_error(*name);
  if (!error) return name;
  value.fail(*error);
  return std::nullopt;
}

std::optional<std::vector<std::string>> read_finish_reasons(const Value& list) {
  static const auto kReason = choice<std::string>({{"stop", "stop"},
                                                   {"length", "length"},
                                                   {"tool_calls", "tool_calls"},
                                                   {"function_call", "function_call"},
                                                   {"content_filter", "content_filter"}});
  std::vector<std::string> reasons;
  for (const Value& item : read_items(list)) {
    if (auto reason = kReason(item)) reasons.push_back(std::move(*reason));
  }
  return reasons;
}

// What a model, a key and the whole file may say.
void read_rules(MapReader& map, const Value& section, CacheRules& rules) {
  map.read("policy", rules.policy, read_policy);
  map.read("ttl", rules.ttl, duration(1ms, 365 * kDay));
  map.read("longest_ttl", rules.longest_ttl, duration(0ms, 365 * kDay));
  map.read("request_control", rules.request_control, read_flag);
  map.read("scope", rules.scope, read_scope);
  map.read("namespace", rules.name_space, read_namespace);
  const bool named = !rules.name_space.empty();
  if (named && rules.scope != CacheScope::kNamespace) section.fail_key("namespace goes with scope: namespace");
  if (!named && rules.scope == CacheScope::kNamespace) {
    map.missing("namespace", "expected the name of what is shared, with scope: namespace");
  }
  map.read("max_entry", rules.max_entry, size(kKiB, 64 * kMiB));
  map.read("finish_reasons", rules.finish_reasons, read_finish_reasons);
  map.read("tool_calls", rules.tool_calls, read_flag);
  map.read("stale_while_revalidate", rules.stale_while_revalidate, duration(0ms, 365 * kDay));
  map.read("stale_if_error", rules.stale_if_error, duration(0ms, 365 * kDay));
}

}  // namespace

void read_cache_rules(const Value& section, CacheRules& rules) {
  MapReader map(section);
  read_rules(map, section, rules);
}

void read_cache(const Value& section, Cache& cache) {
  static const auto kReplay = choice<Replay>({{"at_once", Replay::kAtOnce}, {"paced", Replay::kPaced}});
  MapReader map(section);
  cache.rules.policy = CachePolicy::kDeterministic;  // whoever writes the section wants one
  read_rules(map, section, cache.rules);
  map.read("replay", cache.replay, kReplay);
  map.read("coalesce", cache.coalesce, read_flag);
  map.read("coalesce_wait", cache.coalesce_wait, duration(0ms, 10min));
  map.read("memory", cache.memory, size(kLeastMemory, 1024 * kGiB));
  map.read("compress_over", cache.compress_over, size(0, 64 * kMiB));
  map.read("secret", cache.secret, [](const Value& value) { return read_secret(value, "secret"); });
}

namespace {

std::size_t largest_answer(const Config& config) {
  std::size_t most = *config.cache.rules.max_entry;
  for (const Model& model : config.models) most = std::max(most, model.cache.max_entry.value_or(0));
  for (const Key& key : config.keys) most = std::max(most, key.cache.max_entry.value_or(0));
  return most;
}

}  // namespace

bool caches(const Config& config) {
  const auto on = [](const CacheRules& rules) { return rules.policy && *rules.policy != CachePolicy::kOff; };
  if (on(config.cache.rules)) return true;
  for (const Model& model : config.models) {
    if (on(model.cache)) return true;
  }
  for (const Key& key : config.keys) {
    if (on(key.cache)) return true;
  }
  return false;
}

std::size_t largest_cache_entry(const Config& config) {
  constexpr std::size_t kBeside = 64 * kKiB;
  const std::size_t most = largest_answer(config);
  return most + most / 2 + kBeside;  // places and times of pieces
}

// Once the whole file has been read.
void check_cache(const Value& section, const Config& config) {
  if (!config.redis && caches(config) && largest_answer(config) > config.cache.memory) {
    section.fail_key("a max_entry is larger than memory: no such answer could be kept");
  }
  if (!config.redis || !config.cache.secret.empty() || !caches(config)) return;
  section.fail_key("secret is needed beside redis: all replicas must have the same; secret: \"${NAME}\"");
}

}  // namespace sluice::config
