// limits of a node: a group, a key, a model or a provider.

#include <algorithm>

#include "config/sections.hpp"
#include "config/values.hpp"

namespace sluice::config {
namespace {

constexpr std::int64_t kMostSlots = 1'000'000;

// What a limit says, written alone or as `limit` of a map whose other keys `more` names.
template <class T, class More>
std::optional<T> read_limit(const Value& item, const Converter<T>& convert, More&& more) {
  if (item.node->kind != Node::Kind::kMap) return convert(item);
  std::optional<T> limit;
  MapReader map(item);
  if (!map.read("limit", limit, convert)) map.missing("limit", "expected how much");
  more(map);
  return limit;
}

void read_mode(MapReader& map, Mode& mode) {
  static const auto kModes = choice<Mode>({{"enforce", Mode::kEnforce}, {"observe", Mode::kObserve}});
  map.read("mode", mode, kModes);
}

void read_rate(const Value& item, Meter meter, std::vector<RateLimit>& rates) {
  static const auto kAllowance = spelled(parse_allowance);
  RateLimit rate;
  rate.meter = meter;
  const auto allowance = read_limit(item, kAllowance, [&](MapReader& map) { read_mode(map, rate.mode); });
  if (!allowance) return;
  rate.limit = allowance->count;
  rate.window = allowance->window;
  const auto same = [&](const RateLimit& other) { return other.meter == meter && other.window == rate.window; };
  if (std::ranges::any_of(rates, same)) return item.fail("there is a limit for this time already");
  rates.push_back(rate);
}

void read_rates(MapReader& map, Meter meter, NodeLimits& limits) {
  map.section(to_string(meter), [&](const Value& value) {
    for (const Value& item : one_or_more(value)) read_rate(item, meter, limits.rates);
  });
}

void read_thresholds(const Value& list, std::vector<unsigned>& percents) {
  percents.clear();
  for (const Value& item : read_items(list)) {
    const auto threshold = percent(1, 100)(item);
    if (!threshold) continue;
    if (!percents.empty() && *threshold <= percents.back()) {
      item.fail(item.shown() + " is not above the threshold before it");
    } else {
      percents.push_back(*threshold);
    }
  }
}

void read_budget(const Value& item, std::vector<BudgetLimit>& budgets) {
  static const auto kSpending = spelled(parse_spending);
  static const auto kOnExceeded = choice<OnExceeded>({{"finish", OnExceeded::kFinish}, {"cut", OnExceeded::kCut}});
  BudgetLimit budget;
  const auto spending = read_limit(item, kSpending, [&](MapReader& map) {
    read_mode(map, budget.mode);
    map.read("on_exceeded", budget.on_exceeded, kOnExceeded);
    map.section("alerts", [&](const Value& list) { read_thresholds(list, budget.alert_percent); });
  });
  if (!spending) return;
  budget.limit = spending->limit;
  budget.period = spending->period;
  const auto same = [&](const BudgetLimit& other) { return other.period == budget.period; };
  if (std::ranges::any_of(budgets, same)) return item.fail("there is a budget for this period already");
  budgets.push_back(std::move(budget));
}

}  // namespace

void read_concurrency(const Value& value, std::optional<ConcurrencyLimit>& concurrency) {
  static const auto kSlots = amount(0, kMostSlots);
  for (const Value& item : one_or_more(value)) {
    ConcurrencyLimit limit;
    const auto slots = read_limit(item, kSlots, [&](MapReader& map) { read_mode(map, limit.mode); });
    if (!slots) continue;
    if (concurrency) return item.fail("there is a limit of concurrency already");
    limit.limit = *slots;
    concurrency = limit;
  }
}

void read_node_limits(const Value& section, NodeLimits& limits, NodeLimits* each_user) {
  MapReader map(section);
  for (const Meter meter : {Meter::kRequests, Meter::kTokens, Meter::kInputTokens, Meter::kOutputTokens}) {
    read_rates(map, meter, limits);
  }
  map.section("concurrency", [&](const Value& value) { read_concurrency(value, limits.concurrency); });
  map.section("budget", [&](const Value& value) {
    for (const Value& item : one_or_more(value)) read_budget(item, limits.budgets);
  });
  if (each_user != nullptr) {
    map.section("each_user", [&](const Value& value) { read_node_limits(value, *each_user, nullptr); });
  }
}

}  // namespace sluice::config
