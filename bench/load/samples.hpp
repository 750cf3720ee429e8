#pragma once
// Measured durations and how they are reported: microseconds with one decimal, as members of a JSON object.

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "net.hpp"

namespace sluice::bench {

class Samples {
 public:
  void add(Clock::duration value) { values_.push_back(value.count()); }
  std::size_t size() const { return values_.size(); }
  // {"count":N,"p50_us":…,"p90_us":…,"p99_us":…,"max_us":…}; zeros when there are none. Sorts.
  std::string json();

 private:
  std::vector<std::int64_t> values_;  // nanoseconds
};

// What went wrong: how often, and the first in words.
class Failures {
 public:
  void add(std::string_view what);
  std::uint64_t count() const { return count_; }
  std::string json() const;  // "errors":N,"first_error":"…"

 private:
  std::uint64_t count_ = 0;
  std::string first_;
};

// Prints one line and flushes, so that a reader at the other end of a pipe sees it now.
void print_line(const std::string& json);

}  // namespace sluice::bench
