#pragma once
// Which row of the price table is in force for a model. Immutable: any thread may ask.

#include <chrono>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sluice/config/config.hpp"

namespace sluice::config {

class PriceTable {
 public:
  explicit PriceTable(std::vector<PriceRow> rows);
  PriceTable(PriceTable&&) noexcept = default;
  PriceTable& operator=(PriceTable&&) noexcept = default;

  // The row for a provider's entry and the upstream's name of a model, or null. Asked in this order: rows of this
  // provider with exactly this model, its globs, rows of any provider with exactly this model, globs of any provider;
  // of several globs the longest comes first. Of the rows found together the latest counts that has begun today (UTC),
  // and of two with the same day the one that stands further back; where none has begun, the search goes on. Takes well
  // under 1 µs.
  const PriceRow* find(std::string_view provider, std::string_view model, std::chrono::sys_days today) const;
  bool empty() const { return rows_.empty(); }

 private:
  struct Name {
    std::string_view provider;
    std::string_view model;  // of a glob: what stands before its *
    bool operator==(const Name&) const = default;
  };
  struct Hash {
    std::size_t operator()(const Name& name) const;
  };
  using Versions = std::vector<const PriceRow*>;  // of one name, the latest first
  using Names = std::unordered_map<Name, Versions, Hash>;

  const PriceRow* exact(Name name, std::chrono::sys_days today) const;
  const PriceRow* longest_glob(Name name, std::chrono::sys_days today) const;

  std::vector<PriceRow> rows_;  // what the views and pointers below point into
  Names exact_;
  Names globs_;
  std::vector<std::size_t> glob_sizes_;  // of what stands before the *, the longest first, each once
};

}  // namespace sluice::config
