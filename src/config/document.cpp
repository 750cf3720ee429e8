#include "config/document.hpp"

#include "config/sections.hpp"

namespace sluice::config {

Config read_document(const Child& root, Scope& scope) {
  Config config;
  const Value whole{&scope, root.node, root.at, root.at, ""};
  MapReader map(whole);
  map.section("server", [&](const Value& section) { read_server(section, config.server); });
  map.section("limits", [&](const Value& section) { read_limits(section, config.limits); });
  map.section("overload", [&](const Value& section) { read_overload(section, config.overload); });
  map.section("timeouts", [&](const Value& section) { read_timeouts(section, config.timeouts); });
  map.section("dns", [&](const Value& section) { read_dns(section, config.dns); });
  map.section("trace", [&](const Value& section) { read_trace(section, config.trace); });
  map.section("log", [&](const Value& section) { read_log(section, config.log); });
  map.section("metrics", [&](const Value& section) { read_metrics(section, config.metrics); });
  map.section("routing", [&](const Value& section) { read_routing(section, config.routing); });
  bool providers = map.section("providers", [&](const Value& section) { read_providers(section, config); });
  if (!providers) map.missing("providers", "expected at least one provider");
  bool models = map.section("models", [&](const Value& section) { read_models(section, config); });
  if (!models) map.missing("models", "expected at least one model, e.g. gpt-4o: openai/gpt-4o");
  map.section("admission", [&](const Value& section) { read_admission(section, config.admission); });
  map.section("auth", [&](const Value& section) { read_auth(section, config.auth); });
  map.section("prices", [&](const Value& section) { read_prices(section, config); });
  map.section("state", [&](const Value& section) { read_state(section, config.state); });
  map.section("alerts", [&](const Value& section) { read_alerts(section, config.alerts); });
  map.section("reports", [&](const Value& section) { read_reports(section, config); });
  map.section("redis", [&](const Value& section) { read_redis(section, config.redis); });
  map.section("guard", [&](const Value& section) { read_guard(section, config.guard); });
  const auto cache = map.find("cache");
  if (cache) read_cache(*cache, config.cache);
  map.section("groups", [&](const Value& section) { read_groups(section, config.groups); });
  map.section("keys", [&](const Value& section) { read_keys(section, config); });
  check_cache(cache.value_or(whole), config);
  if (scope.report.clean()) note_keys(config, scope.report);
  return config;
}

std::expected<Loaded, std::vector<Problem>> load_scoped(std::string_view yaml, Scope& scope) {
  if (auto problem = check_source(yaml)) return std::unexpected(std::vector{*problem});
  auto tree = parse_yaml(yaml);
  if (!tree) return std::unexpected(std::vector{tree.error()});
  const Child& root = tree->root;
  if (root.node == nullptr || root.node->kind == Node::Kind::kNull) {
    return std::unexpected(std::vector{Problem{1, 1, "", "the file is empty; expected providers and models"}});
  }
  check_tree(root, scope.report);
  Config config = read_document(root, scope);
  if (!scope.report.clean()) return std::unexpected(scope.report.take_problems());
  return Loaded{std::move(config), scope.report.take_notes(), std::move(scope.places), std::move(scope.files)};
}

}  // namespace sluice::config
