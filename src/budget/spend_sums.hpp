#pragma once
// Rows of spend in memory, added up. One thread at a time.

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "sluice/budget/spend_store.hpp"
#include "sluice/core/spend.hpp"

namespace sluice::budget {

struct SpendName {
  std::chrono::sys_seconds hour{};
  std::string key;
  std::string group;
  std::string model;
  std::string provider;
  bool operator==(const SpendName&) const = default;
};

// Sums saturate.
struct SpendTotals {
  std::int64_t requests = 0;
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;
  Money cost;
  SpendTotals& operator+=(const SpendTotals& other);
};

class SpendSums {
 public:
  struct Hash {
    std::size_t operator()(const SpendName& name) const;
  };
  using Map = std::unordered_map<SpendName, SpendTotals, Hash>;

  // The first second of its hour counts. False: it would be one row more than `most`, and is not kept.
  bool add(SpendRow row, std::size_t most);
  // Takes all of `other`, which is empty then. How many rows there was no room for.
  std::size_t take(SpendSums& other, std::size_t most);
  void clear() { rows_.clear(); }  // keeps its memory

  bool empty() const { return rows_.empty(); }
  std::size_t size() const { return rows_.size(); }
  const Map& rows() const { return rows_; }

 private:
  Map rows_;
};

// Adds rows up by what a query asks for. Its size is bounded by the names there are.
class SpendSummary {
 public:
  explicit SpendSummary(const SpendQuery& query) : query_(query) {}
  const SpendQuery& query() const { return query_; }

  // What does not lie in the query's time is left out.
  void add(const SpendName& name, const SpendTotals& totals);
  std::vector<SpendRow> rows() const;

 private:
  SpendName name_in_report(const SpendName& name) const;

  SpendQuery query_;
  SpendSums::Map sums_;
};

}  // namespace sluice::budget
