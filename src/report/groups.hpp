#pragma once
// Sums by what lines have in common, in bounded memory: of very many groups the weightiest are kept apart.

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "report/table.hpp"
#include "report/trace_line.hpp"

namespace sluice::report {

using Names = std::vector<std::string>;
inline constexpr std::size_t kMostGroups = 100'000;

// `Sums` add up with += and have a weight(), which can be compared.
template <class Sums>
class Groups {
 public:
  explicit Groups(Names by, std::size_t most = kMostGroups) : by_(std::move(by)), most_(most) {}

  // Until the next call.
  Sums& of(const TraceLine& line) {
    names_.clear();
    for (const std::string& name : by_) names_.push_back(dimension(line, name));
    auto known = groups_.find(names_);
    if (known == groups_.end()) {
      if (groups_.size() >= 2 * most_) fold();
      known = groups_.try_emplace(names_).first;
    }
    known->second.seen = ++lines_;
    return known->second.sums;
  }
  // The names of the group that of() has given last.
  const Names& names() const { return names_; }
  // Groups that were too many to be kept apart.
  std::uint64_t folded() const { return folded_ + (groups_.size() > most_ ? groups_.size() - most_ : 0); }

  // The weightiest first, and what was folded last, named "(other)". `cells`: behind the names.
  template <class Cells>
  Table table(std::vector<Column> columns, const Cells& cells) const {
    Table table;
    for (const std::string& name : by_) table.columns.push_back({name});
    table.columns.insert(table.columns.end(), columns.begin(), columns.end());
    const auto add = [&](const Names& names, const Sums& sums) {
      std::vector<std::string> row = names;
      for (std::string& cell : cells(sums)) row.push_back(std::move(cell));
      table.rows.push_back(std::move(row));
    };
    std::vector<const Entry*> order;
    for (const auto& group : groups_) order.push_back(&group);
    std::ranges::sort(order, [](const Entry* a, const Entry* b) {
      const auto of_a = a->second.sums.weight(), of_b = b->second.sums.weight();
      return of_a != of_b ? of_a > of_b : a->first < b->first;
    });
    const std::size_t kept = std::min(order.size(), most_);
    for (std::size_t at = 0; at < kept; ++at) add(order[at]->first, order[at]->second.sums);
    if (folded() == 0) return table;
    Sums rest = rest_;
    for (std::size_t at = kept; at < order.size(); ++at) rest += order[at]->second.sums;
    add(Names(by_.size(), "(other)"), rest);
    return table;
  }

 private:
  struct Group {
    Sums sums;
    std::uint64_t seen = 0;  // number of its last line
  };
  using Entry = std::pair<const Names, Group>;

  // Half of the groups stay: those that lines came of last, since they may be in the middle, and the weightiest of the
  // others. A group that goes on after it was folded begins anew.
  void fold() {
    using Iterator = std::map<Names, Group>::iterator;
    std::vector<Iterator> order;
    for (auto at = groups_.begin(); at != groups_.end(); ++at) order.push_back(at);
    const auto fresh = order.begin() + static_cast<std::ptrdiff_t>(most_ / 2);
    const auto kept = order.begin() + static_cast<std::ptrdiff_t>(most_);
    std::nth_element(order.begin(), fresh, order.end(),
                     [](Iterator a, Iterator b) { return a->second.seen > b->second.seen; });
    std::nth_element(fresh, kept, order.end(),
                     [](Iterator a, Iterator b) { return a->second.sums.weight() > b->second.sums.weight(); });
    for (auto at = kept; at != order.end(); ++at) {
      rest_ += (*at)->second.sums;
      groups_.erase(*at);
      ++folded_;
    }
  }

  Names by_;
  std::size_t most_;
  Names names_;
  std::map<Names, Group> groups_;
  Sums rest_;  // of those that were folded
  std::uint64_t lines_ = 0, folded_ = 0;
};

}  // namespace sluice::report
