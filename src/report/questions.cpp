#include "report/questions.hpp"

#include <algorithm>
#include <map>

#include "report/spread.hpp"

namespace sluice::report {
namespace {

using Names = std::vector<std::string>;

// Sums by what lines have in common.
template <class Sums>
class Groups {
 public:
  explicit Groups(Names by) : by_(std::move(by)) {}

  Sums& of(const RequestLine& line) {
    names_.clear();
    for (const std::string& name : by_) names_.push_back(dimension(line, name));
    const auto known = groups_.find(names_);
    if (known != groups_.end()) return known->second;
    if (groups_.size() >= kMostGroups) names_.assign(by_.size(), "(other)");
    return groups_[names_];
  }

  // `weigh`: what comes first; `cells`: behind the names.
  template <class Weigh, class Cells>
  Table table(std::vector<Column> columns, const Weigh& weigh, const Cells& cells) const {
    Table table;
    for (const std::string& name : by_) table.columns.push_back({name});
    table.columns.insert(table.columns.end(), columns.begin(), columns.end());
    std::vector<const std::pair<const Names, Sums>*> order;
    for (const auto& group : groups_) order.push_back(&group);
    std::ranges::sort(order, [&](auto* a, auto* b) {
      const auto of_a = weigh(a->second), of_b = weigh(b->second);
      return of_a != of_b ? of_a > of_b : a->first < b->first;
    });
    for (const auto* group : order) {
      std::vector<std::string> row = group->first;
      for (std::string& cell : cells(group->second)) row.push_back(std::move(cell));
      table.rows.push_back(std::move(row));
    }
    return table;
  }

 private:
  Names by_;
  Names names_;
  std::map<Names, Sums> groups_;
};

std::vector<Column> numbers(std::initializer_list<const char*> names) {
  std::vector<Column> columns;
  for (const char* name : names) columns.push_back({name, true});
  return columns;
}

class Cost final : public Question {
 public:
  explicit Cost(Names by) : groups_(std::move(by)) {}

  void take(const RequestLine& line) override {
    Sums& sums = groups_.of(line);
    ++sums.requests;
    sums.input += line.input;
    sums.output += line.output;
    sums.cost += line.cost;
    sums.lost += line.lost;
    sums.saved += line.saved;
    if (line.outcome.raw == "\"client_abort\"") sums.aborted += line.cost;
  }
  Table answer() const override {
    return groups_.table(
        numbers({"requests", "input_tokens", "output_tokens", "cost_usd", "aborted_usd", "lost_usd", "saved_usd"}),
        [](const Sums& sums) { return std::pair(sums.cost.nanodollars(), sums.requests); },
        [](const Sums& sums) {
          return std::vector<std::string>{std::to_string(sums.requests), std::to_string(sums.input),
                                          std::to_string(sums.output),   to_decimal(sums.cost),
                                          to_decimal(sums.aborted),      to_decimal(sums.lost),
                                          to_decimal(sums.saved)};
        });
  }

 private:
  struct Sums {
    std::int64_t requests = 0, input = 0, output = 0;
    Money cost, aborted, lost, saved;
  };
  Groups<Sums> groups_;
};

class Latency final : public Question {
 public:
  explicit Latency(Names by) : groups_(std::move(by)) {}

  void take(const RequestLine& line) override {
    if (line.failed()) return;
    Sums& sums = groups_.of(line);
    ++sums.requests;
    if (line.stream && line.ttft_us) sums.first.add(*line.ttft_us);
    if (line.duration_us) sums.all.add(*line.duration_us);
    if (line.gateway_us) sums.gateway.add(*line.gateway_us);
    if (line.provider_us) sums.provider.add(*line.provider_us);
  }
  Table answer() const override {
    return groups_.table(
        numbers({"requests", "ttft_p50_ms", "ttft_p95_ms", "ttft_p99_ms", "total_p50_ms", "total_p95_ms",
                 "total_p99_ms", "gateway_p50_ms", "gateway_p99_ms", "provider_p50_ms"}),
        [](const Sums& sums) { return sums.requests; },
        [](const Sums& sums) {
          std::vector<std::string> cells = {std::to_string(sums.requests)};
          for (const double percent : {50, 95, 99}) cells.push_back(ms(sums.first, percent));
          for (const double percent : {50, 95, 99}) cells.push_back(ms(sums.all, percent));
          for (const double percent : {50, 99}) cells.push_back(ms(sums.gateway, percent));
          cells.push_back(ms(sums.provider, 50));
          return cells;
        });
  }

 private:
  struct Sums {
    std::int64_t requests = 0;
    Spread first, all, gateway, provider;
  };
  // With one digit behind the point, below ten with three.
  static std::string ms(const Spread& spread, double percent) {
    if (spread.count() == 0) return "";
    const std::int64_t us = spread.percentile(percent);
    const bool fine = us < 10'000;
    const std::string rest = std::to_string(1000 + us % 1000).substr(1, fine ? 3 : 1);
    return std::to_string(us / 1000) + "." + rest;
  }
  Groups<Sums> groups_;
};

class Errors final : public Question {
 public:
  explicit Errors(Names by) : groups_(std::move(by)) {}

  void take(const RequestLine& line) override {
    ++all_;
    if (!line.failed()) return;
    Sums& sums = groups_.of(line);
    ++sums.requests;
    if (sums.last < line.time) sums.last = line.time;
    if (sums.first.empty() || line.time < sums.first) sums.first = line.time;
  }
  Table answer() const override {
    auto columns = numbers({"requests", "percent_of_all"});
    columns.insert(columns.end(), {{"first"}, {"last"}});
    return groups_.table(
        columns, [](const Sums& sums) { return sums.requests; },
        [this](const Sums& sums) {
          const std::int64_t hundredths = sums.requests * 10'000 / std::max<std::int64_t>(all_, 1);
          const std::string rest = std::to_string(100 + hundredths % 100).substr(1);
          return std::vector<std::string>{std::to_string(sums.requests), std::to_string(hundredths / 100) + "." + rest,
                                          sums.first, sums.last};
        });
  }

 private:
  struct Sums {
    std::int64_t requests = 0;
    std::string first, last;
  };
  Groups<Sums> groups_;
  std::int64_t all_ = 0;
};

}  // namespace

std::unique_ptr<Question> make_question(const std::string& what, std::vector<std::string> by) {
  if (by.empty()) by = {what == "errors" ? "error" : "model"};
  if (what == "cost") return std::make_unique<Cost>(std::move(by));
  if (what == "latency") return std::make_unique<Latency>(std::move(by));
  if (what == "errors") return std::make_unique<Errors>(std::move(by));
  return nullptr;
}

}  // namespace sluice::report
