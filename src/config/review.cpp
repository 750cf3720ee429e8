#include "sluice/config/review.hpp"

#include <algorithm>

#include "config/glob.hpp"
#include "config/report.hpp"
#include "sluice/config/price_table.hpp"

namespace sluice::config {
namespace {

constexpr std::size_t kMostNamed = 5;

template <class Node>
bool spends(const Node& node) {
  return !node.limits.budgets.empty();
}
bool either_spends(const auto& owner) { return spends(owner) || !owner.each_user.budgets.empty(); }

// Whether a row is in force for some of the names that a glob of `models` may send on as they are.
bool prices_some(const Prices& prices, const Model& model, const Target& target, std::chrono::sys_days today) {
  return std::ranges::any_of(prices.rows, [&](const PriceRow& row) {
    const bool fits = row.provider.empty() || row.provider == target.provider;
    return fits && row.from <= today && globs_meet(row.model, model.name);
  });
}

class Priced {
 public:
  Priced(const Config& config, std::chrono::sys_days today)
      : config_(config), table_(config.prices.rows), today_(today) {}

  bool all(const Model& model) const {
    return std::ranges::all_of(model.targets, [&](const Target& target) { return one(model, target); });
  }

 private:
  bool one(const Model& model, const Target& target) const {
    const auto provider = config_.providers.find(target.provider);
    if (provider != config_.providers.end() && provider->second.dialect == ProviderDialect::kStatic) return true;
    const bool forwards = target.model == "*";
    if (forwards && model.name.find('*') != std::string::npos)
      return prices_some(config_.prices, model, target, today_);
    return table_.find(target.provider, forwards ? model.name : target.model, today_) != nullptr;
  }

  const Config& config_;
  PriceTable table_;
  std::chrono::sys_days today_;
};

// "a, b and 3 more"
std::string listed(const std::vector<std::string>& names) {
  std::string out;
  for (std::size_t i = 0; i < std::min(names.size(), kMostNamed); ++i) out += (i > 0 ? ", " : "") + names[i];
  if (names.size() > kMostNamed) out += " and " + std::to_string(names.size() - kMostNamed) + " more";
  return out;
}

void review_prices(const Config& config, std::chrono::sys_days today, std::vector<std::string>& notes) {
  if (!has_budgets(config)) return;
  const std::string then = config.prices.unknown == UnknownPrice::kRefuse ? "is refused" : "costs prices.default";
  if (config.prices.rows.empty()) {
    notes.push_back("THERE ARE BUDGETS BUT NO PRICES: every model " + then + "; see prices.file");
    return;
  }
  const Priced priced(config, today);
  std::vector<std::string> names;
  for (const Model& model : config.models) {
    if (!priced.all(model)) names.push_back(printable(model.name));
  }
  if (!names.empty()) {
    notes.push_back("THERE ARE BUDGETS BUT NO PRICE FOR " + listed(names) + ": what has no price " + then);
  }
}

void review_keys(const Config& config, std::chrono::sys_seconds now, std::vector<std::string>& notes) {
  std::vector<std::string> names;
  for (const Key& key : config.keys) {
    if (key.enabled && key.expires && *key.expires <= now) names.push_back(key.name);
  }
  if (!names.empty()) notes.push_back("expired keys: " + listed(names));
}

}  // namespace

bool has_budgets(const Config& config) {
  return std::ranges::any_of(config.keys, [](const Key& key) { return either_spends(key); }) ||
         std::ranges::any_of(config.groups, [](const auto& group) { return either_spends(group.second); }) ||
         std::ranges::any_of(config.models, [](const Model& model) { return spends(model); }) ||
         std::ranges::any_of(config.providers, [](const auto& one) { return spends(one.second); });
}

std::vector<std::string> review(const Config& config, std::chrono::sys_seconds now) {
  std::vector<std::string> notes;
  review_prices(config, std::chrono::floor<std::chrono::days>(now), notes);
  review_keys(config, now, notes);
  return notes;
}

}  // namespace sluice::config
