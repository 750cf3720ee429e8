#pragma once
// Counters by owner: which key and group asked, under which tags, which limit said no. Plain numbers of one worker, as
// in metrics.hpp. Names come from the configuration alone; what the budget does not let in is counted as "other".

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "sluice/core/money.hpp"
#include "sluice/observe/record.hpp"
#include "sluice/observe/series_budget.hpp"

namespace sluice::observe {

class OwnerMetrics {
 public:
  void count(const Record& record, SeriesGate& gate);
  void merge(const OwnerMetrics& other);
  std::string render() const;  // the text exposition format

 private:
  struct Series {
    std::array<std::uint64_t, kOutcomes> requests{};
    std::uint64_t input = 0, output = 0;
    Money cost;
    void merge(const Series& other);
  };
  using Name = std::pair<std::string, std::string>;
  using Table = std::map<Name, Series>;
  static void count(Table& table, std::string_view family, const Name& name, const Record& record, SeriesGate& gate);

  Table keys_;  // by key and group
  Table tags_;  // by name and value
  std::map<std::string, std::uint64_t> refused_;
  std::map<std::string, std::uint64_t> observed_;
  std::uint64_t admitted_ = 0;
};

}  // namespace sluice::observe
