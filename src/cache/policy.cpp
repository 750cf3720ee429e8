#include "cache/policy.hpp"

#include <algorithm>
#include <array>

namespace sluice::cache {
namespace {

using config::CachePolicy;
using config::CacheRules;

template <class T>
void inherit(std::optional<T>& own, const std::optional<T>& other) {
  if (!own) own = other;
}

void inherit(CacheRules& own, const CacheRules& other) {
  if (!own.scope) own.name_space = other.name_space;
  inherit(own.policy, other.policy);
  inherit(own.ttl, other.ttl);
  inherit(own.longest_ttl, other.longest_ttl);
  inherit(own.request_control, other.request_control);
  inherit(own.scope, other.scope);
  inherit(own.max_entry, other.max_entry);
  inherit(own.finish_reasons, other.finish_reasons);
  inherit(own.tool_calls, other.tool_calls);
  inherit(own.stale_while_revalidate, other.stale_while_revalidate);
  inherit(own.stale_if_error, other.stale_if_error);
}

const json::Value* value_of(const api::RequestView& view, std::string_view name) {
  const json::Member* member = view.member(name);
  return member == nullptr || member->value.is_null() ? nullptr : &member->value;
}

bool is_deterministic(const api::RequestView& view) {
  if (view.endpoint == Endpoint::kEmbeddings || value_of(view, "seed") != nullptr) return true;
  const auto* temperature = value_of(view, "temperature");
  return temperature != nullptr && json::number_of(*temperature) == 0.0;
}

// Answers that depend on what was said before, or of which something stays at the provider.
bool is_stateful(const api::RequestView& view) {
  const auto on = [&](std::string_view name) { return value_of(view, name) != nullptr; };
  if (view.endpoint == Endpoint::kChat) {
    const auto* store = value_of(view, "store");
    return store != nullptr && store->is_true();
  }
  if (view.endpoint != Endpoint::kResponses) return false;
  const auto* store = value_of(view, "store");
  const auto* background = value_of(view, "background");
  const bool stores = store == nullptr || store->is_true();  // which is its default
  return stores || (background != nullptr && background->is_true()) || on("previous_response_id") ||
         on("conversation") || on("prompt");
}

// Tools that the provider runs: what they find changes, and some of them do something.
bool has_hosted_tools(const api::RequestView& view) {
  if (value_of(view, "web_search_options") != nullptr) return true;
  const auto* tools = value_of(view, "tools");
  if (tools == nullptr) return false;
  for (const json::Value tool : json::Elements(*tools)) {
    const std::string type = json::text_of(json::find(tool, "type").value_or(json::Value{}));
    if (type != "function" && type != "custom") return true;
  }
  return false;
}

bool is_cached_endpoint(Endpoint endpoint) {
  return endpoint == Endpoint::kChat || endpoint == Endpoint::kCompletions || endpoint == Endpoint::kEmbeddings ||
         endpoint == Endpoint::kResponses;
}

}  // namespace

CacheRules rules_for(const config::Cache& cache, const CacheRules* model, const config::Key* key) {
  CacheRules rules = key != nullptr ? key->cache : CacheRules{};
  const bool off = rules.policy == CachePolicy::kOff || (model != nullptr && model->policy == CachePolicy::kOff);
  if (model != nullptr) inherit(rules, *model);
  inherit(rules, cache.rules);
  if (off) rules.policy = CachePolicy::kOff;
  return rules;
}

std::string_view to_string(Bypass bypass) {
  constexpr std::array<std::string_view, 6> kNames = {"none",     "endpoint", "not_deterministic",
                                                      "stateful", "tools",    "no_store"};
  return kNames[static_cast<std::size_t>(bypass)];
}

Bypass judge(const api::RequestView& view, const CacheRules& rules, const Control& control) {
  if (!is_cached_endpoint(view.endpoint)) return Bypass::kEndpoint;
  if (control.no_store) return Bypass::kNoStore;
  if (is_stateful(view)) return Bypass::kStateful;
  if (!*rules.tool_calls && has_hosted_tools(view)) return Bypass::kTools;
  if (rules.policy == CachePolicy::kDeterministic && !is_deterministic(view)) return Bypass::kNotDeterministic;
  return Bypass::kNone;
}

std::chrono::milliseconds ttl_for(const CacheRules& rules, const Control& control) {
  if (!control.ttl) return *rules.ttl;
  return std::min(*control.ttl, std::max(*rules.longest_ttl, *rules.ttl));
}

}  // namespace sluice::cache
