#pragma once
// Counters of what agents do: calls of tools, caps that runs met. Plain numbers of one worker, as in metrics.hpp. Names
// of tools and runs are the clients', and so are no labels.

#include <array>
#include <cstdint>
#include <string>

#include "sluice/core/run_caps.hpp"
#include "sluice/observe/histogram.hpp"
#include "sluice/observe/record.hpp"

namespace sluice::observe {

class AgentMetrics {
 public:
  void count(const Record& record);
  void merge(const AgentMetrics& other);
  std::string render() const;  // the text exposition format

 private:
  std::array<std::uint64_t, kCaps> refused_{};
  std::array<std::uint64_t, kCaps> observed_{};
  std::uint64_t requests_ = 0;                              // of runs
  std::uint64_t succeeded_ = 0, failed_ = 0, retries_ = 0;  // calls of tools
  std::uint64_t feedback_ = 0;
  Histogram took_;
};

}  // namespace sluice::observe
