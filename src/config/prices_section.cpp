// prices: a file of rows, rows of one's own, and what costs what nobody has a row for.

#include <algorithm>

#include "config/included.hpp"
#include "config/sections.hpp"
#include "config/source.hpp"
#include "config/values.hpp"

namespace sluice::config {
namespace {

constexpr std::size_t kMostModelName = 256;

// The name of an upstream's model, or a beginning and a *.
std::optional<std::string> read_priced_model(const Value& value) {
  auto name = read_name(value);
  if (!name) return std::nullopt;
  const auto star = name->find('*');
  if (name->empty() || name->size() > kMostModelName) {
    value.fail("expected the upstream's name of a model, at most 256 bytes long");
  } else if (star != std::string::npos && star + 1 != name->size()) {
    value.fail(value.shown() + ": a * may only stand at the end");
  } else {
    return name;
  }
  return std::nullopt;
}

void read_costs(MapReader& map, PriceRow& row, bool needed) {
  const auto price = spelled(parse_price);
  if (!map.read("input", row.input, price) && needed)
    map.missing("input", "expected e.g. 2.50 USD, per million tokens");
  if (!map.read("output", row.output, price) && needed)
    map.missing("output", "expected e.g. 10 USD, per million tokens");
  map.read("cached_input", row.cached_input, price);
  map.read("cache_write", row.cache_write, price);
  map.read("reasoning", row.reasoning, price);
  map.read("per_request", row.per_request, spelled(parse_money));
}

PriceRow read_row(const Value& value) {
  PriceRow row;
  MapReader map(value);
  map.read("provider", row.provider, read_name);
  if (!map.read("model", row.model, read_priced_model)) map.missing("model", "expected the upstream's name of a model");
  map.read("from", row.from, spelled(parse_day));
  read_costs(map, row, true);
  return row;
}

bool same_model(const PriceRow& a, const PriceRow& b) { return a.provider == b.provider && a.model == b.model; }

std::vector<PriceRow> read_rows(const std::vector<Value>& items) {
  std::vector<PriceRow> rows;
  for (const Value& item : items) {
    PriceRow row = read_row(item);
    const auto same = [&](const PriceRow& other) { return same_model(row, other) && row.from == other.from; };
    if (!row.model.empty() && std::ranges::any_of(rows, same))
      item.fail("there is a row for this model and day already");
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<PriceRow> read_tree(const Child& root, Scope& scope) {
  std::vector<PriceRow> rows;
  check_tree(root, scope.report);
  MapReader map({&scope, root.node, root.at, root.at, ""});
  const bool found = map.section("rows", [&](const Value& list) { rows = read_rows(read_items(list)); });
  if (!found) map.missing("rows", "expected a list of prices");
  return rows;
}

std::vector<PriceRow> read_price_file(const Value& value) {
  const auto file = read_included(value, kMaxFileBytes);
  if (!file) return {};
  std::vector<PriceRow> rows;
  Scope scope{value.scope->environment, value.scope->directory, {}};
  const auto tree = parse_yaml(file->text);
  if (!tree) {
    scope.report.add(tree.error());
  } else if (tree->root.node != nullptr && tree->root.node->kind != Node::Kind::kNull) {
    rows = read_tree(tree->root, scope);
  }
  add_problems(scope.report, *file, value.scope->report);
  return rows;
}

// What one's own rows say about a model replaces all that the file says about it.
void replace(std::vector<PriceRow>& rows, std::vector<PriceRow> own) {
  std::erase_if(rows, [&](const PriceRow& row) {
    return std::ranges::any_of(own, [&](const PriceRow& other) { return same_model(row, other); });
  });
  std::ranges::move(own, std::back_inserter(rows));
}

void check_providers(const std::vector<Value>& items, const std::vector<PriceRow>& rows, const Config& config) {
  std::vector<std::string> names;
  for (const auto& [name, provider] : config.providers) names.push_back(name);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].provider.empty() || config.providers.contains(rows[i].provider)) continue;
    items[i].fail("unknown provider " + in_quotes(rows[i].provider) + "; " + suggestion(rows[i].provider, names));
  }
}

}  // namespace

void read_prices(const Value& section, Config& config) {
  Prices& prices = config.prices;
  MapReader map(section);
  map.section("file", [&](const Value& value) { prices.rows = read_price_file(value); });
  map.section("rows", [&](const Value& list) {
    const auto items = read_items(list);
    auto own = read_rows(items);
    check_providers(items, own, config);
    replace(prices.rows, std::move(own));
  });
  map.read("unknown", prices.unknown,
           choice<UnknownPrice>({{"default", UnknownPrice::kDefault}, {"refuse", UnknownPrice::kRefuse}}));
  map.section("default", [&](const Value& value) {
    MapReader costs(value);
    read_costs(costs, prices.unknown_row, false);
  });
}

}  // namespace sluice::config
