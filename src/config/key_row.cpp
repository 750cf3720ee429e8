#include "config/key_row.hpp"

#include <algorithm>

#include "config/sections.hpp"
#include "config/values.hpp"
#include "sluice/config/key_hash.hpp"
#include "sluice/config/names.hpp"

namespace sluice::config {
namespace {

constexpr std::size_t kMostModelName = 256;

// A name that `error_of` finds nothing wrong with.
std::optional<std::string> checked_name(const Value& value,
                                        std::optional<std::string> (*error_of)(std::string_view name)) {
  auto name = read_name(value);
  if (!name) return std::nullopt;
  const auto error = error_of(*name);
  if (!error) return name;
  value.fail(*error);
  return std::nullopt;
}

std::optional<std::string> read_group_path(const Value& value) {
  if (value.node->kind == Node::Kind::kText && value.node->text.empty()) return "";  // none
  return checked_name(value, group_path_error);
}

std::optional<KeyHash> read_hash(const Value& value) {
  static const auto kHash = parsed(parse_key_hash);
  return kHash(value);
}

std::optional<std::string> read_model_name(const Value& value) {
  auto name = read_name(value);
  if (!name || (!name->empty() && name->size() <= kMostModelName)) return name;
  value.fail("expected the name of a model, at most 256 bytes long");
  return std::nullopt;
}

std::optional<Endpoint> read_endpoint(const Value& value) {
  static const auto kEndpoint = choice<Endpoint>({{"chat", Endpoint::kChat},
                                                  {"completions", Endpoint::kCompletions},
                                                  {"embeddings", Endpoint::kEmbeddings},
                                                  {"responses", Endpoint::kResponses},
                                                  {"moderations", Endpoint::kModerations},
                                                  {"models", Endpoint::kModels},
                                                  {"feedback", Endpoint::kFeedback}});
  return kEndpoint(value);
}

template <class T>
void read_list(const Value& list, std::optional<std::vector<T>>& out, std::optional<T> (*convert)(const Value&)) {
  out.emplace();
  for (const Value& item : read_items(list)) {
    auto one = convert(item);
    if (!one) continue;
    if (std::ranges::find(*out, *one) != out->end()) {
      item.fail(item.shown() + " is already in the list");
    } else {
      out->push_back(std::move(*one));
    }
  }
}

void read_access(MapReader& map, Key& key) {
  static const auto kInstant = spelled(parse_instant);
  map.read("enabled", key.enabled, read_flag);
  map.read("expires", key.expires, kInstant);
  map.section("models", [&](const Value& list) { read_list(list, key.models, read_model_name); });
  map.section("endpoints", [&](const Value& list) { read_list(list, key.endpoints, read_endpoint); });
}

}  // namespace

KeyPlaces read_key(const Value& row, Key& key) {
  static const auto kPriority =
      choice<Priority>({{"high", Priority::kHigh}, {"normal", Priority::kNormal}, {"low", Priority::kLow}});
  KeyPlaces places{row.at, row.at};
  MapReader map(row);
  const bool named = map.read("name", key.name, [&](const Value& value) {
    places.name = value.at;
    return checked_name(value, key_name_error);
  });
  if (!named) map.missing("name", "expected a name that no other key has");
  map.read("group", key.group, read_group_path);
  const bool hashed = map.read("hash", key.hash, [&](const Value& value) {
    places.id = value.at;
    return read_hash(value);
  });
  if (!hashed) map.missing("hash", "run `sluice key new` and paste what it prints");
  read_access(map, key);
  map.read("priority", key.priority, kPriority);
  map.section("tags", [&](const Value& tags) { read_tags(tags, key.tags); });
  map.section("limits", [&](const Value& limits) { read_node_limits(limits, key.limits, &key.each_user); });
  map.section("cache", [&](const Value& cache) { read_cache_rules(cache, key.cache); });
  map.section("guard", [&](const Value& guard) { read_guard_rules(guard, key.guard); });
  map.read("content", key.content, read_content);
  return places;
}

}  // namespace sluice::config
