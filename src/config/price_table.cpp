#include "sluice/config/price_table.hpp"

#include <algorithm>
#include <functional>
#include <utility>

namespace sluice::config {
namespace {

// Both are rows of one list.
bool counts_before(const PriceRow* a, const PriceRow* b) { return a->from != b->from ? a->from > b->from : a > b; }

const PriceRow* in_force(const std::vector<const PriceRow*>& versions, std::chrono::sys_days today) {
  const auto begun = std::ranges::find_if(versions, [&](const PriceRow* row) { return row->from <= today; });
  return begun == versions.end() ? nullptr : *begun;
}

}  // namespace

std::size_t PriceTable::Hash::operator()(const Name& name) const {
  constexpr std::size_t kOdd = 0x9E3779B97F4A7C15;  // keeps a provider and a model from cancelling each other out
  const std::hash<std::string_view> hash;
  return hash(name.provider) * kOdd ^ hash(name.model);
}

PriceTable::PriceTable(std::vector<PriceRow> rows) : rows_(std::move(rows)) {
  for (const PriceRow& row : rows_) {
    const std::string_view model = row.model;
    const bool glob = model.ends_with('*');
    const Name name{row.provider, model.substr(0, model.size() - (glob ? 1 : 0))};
    (glob ? globs_ : exact_)[name].push_back(&row);
    if (glob) glob_sizes_.push_back(name.model.size());
  }
  for (Names* names : {&exact_, &globs_}) {
    for (auto& [name, versions] : *names) std::ranges::sort(versions, counts_before);
  }
  std::ranges::sort(glob_sizes_, std::greater{});
  const auto repeated = std::ranges::unique(glob_sizes_);
  glob_sizes_.erase(repeated.begin(), repeated.end());
}

const PriceRow* PriceTable::find(std::string_view provider, std::string_view model, std::chrono::sys_days today) const {
  for (const std::string_view who : {provider, std::string_view()}) {
    if (const PriceRow* row = exact({who, model}, today)) return row;
    if (const PriceRow* row = longest_glob({who, model}, today)) return row;
  }
  return nullptr;
}

const PriceRow* PriceTable::exact(Name name, std::chrono::sys_days today) const {
  const auto found = exact_.find(name);
  return found == exact_.end() ? nullptr : in_force(found->second, today);
}

const PriceRow* PriceTable::longest_glob(Name name, std::chrono::sys_days today) const {
  for (const std::size_t size : glob_sizes_) {
    if (size > name.model.size()) continue;
    const auto found = globs_.find({name.provider, name.model.substr(0, size)});
    if (found == globs_.end()) continue;
    if (const PriceRow* row = in_force(found->second, today)) return row;
  }
  return nullptr;
}

}  // namespace sluice::config
