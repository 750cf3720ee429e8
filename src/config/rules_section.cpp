// rules of a model: the first one that holds says which model answers.

#include <algorithm>

#include "config/model_uses.hpp"
#include "config/sections.hpp"
#include "config/values.hpp"

namespace sluice::config {
namespace {

Rule read_rule(const Value& item, const ModelEntry& entry) {
  Rule rule;
  MapReader map(item);
  map.read("name", rule.name, read_label);
  map.section("when", [&](const Value& when) { read_when(when, rule.when); });
  if (!map.read("use", rule.use, [&](const Value& value) { return entry.named(value); })) {
    map.missing("use", "expected the name of a model");
  }
  map.read("shadow", rule.shadow, read_flag);
  return rule;
}

// By the file and not by what became of it: conditions with a mistake in them are conditions all the same.
bool has_conditions(const Value& item) {
  if (item.node->kind != Node::Kind::kMap) return true;
  return std::ranges::any_of(item.node->entries, [](const Entry& entry) {
    return entry.key.node->text == "when" && !entry.value.node->entries.empty();
  });
}

void check_name(const Value& item, const Rule& rule, const std::vector<Rule>& before) {
  if (rule.name.empty() || std::ranges::find(before, rule.name, &Rule::name) == before.end()) return;
  item.fail("another rule has the name " + in_quotes(rule.name));
}

}  // namespace

void read_rules(const Value& list, const ModelEntry& entry) {
  const auto items = read_items(list);
  if (list.node->kind != Node::Kind::kList) return;
  if (items.size() > kMostRules) return list.fail("more than " + std::to_string(kMostRules) + " rules");
  std::optional<std::size_t> decided;  // by which rule all requests are that come so far
  for (const Value& item : items) {
    Rule rule = read_rule(item, entry);
    check_name(item, rule, entry.model.rules);
    if (decided) {
      item.fail("can never match: rule " + std::to_string(*decided + 1) + " has no conditions and takes every request");
    } else if (!rule.shadow && !has_conditions(item)) {
      decided = entry.model.rules.size();
    }
    entry.model.rules.push_back(std::move(rule));
  }
  if (!decided) list.fail("no rule takes all other requests; end with one that has no `when` and is no shadow");
}

}  // namespace sluice::config
