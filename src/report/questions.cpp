#include "report/questions.hpp"

#include <algorithm>
#include <cmath>
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

// What a line says of itself, for all that it stands for.
std::int64_t weighted(std::int64_t value, double weight) {
  if (weight == 1) return value;
  constexpr double kMost = 1e18;  // more no report adds up
  return std::llround(std::clamp(static_cast<double>(value) * weight, -kMost, kMost));
}
Money weighted(Money money, double weight) { return Money::nanodollars(weighted(money.nanodollars(), weight)); }
std::string whole(double count) { return std::to_string(std::llround(count)); }

class Cost final : public Question {
 public:
  explicit Cost(Names by) : groups_(std::move(by)) {}

  void take(const RequestLine& line) override {
    Sums& sums = groups_.of(line);
    const Money cost = weighted(line.cost, line.weight);
    sums.requests += line.weight;
    sums.input += weighted(line.input, line.weight);
    sums.output += weighted(line.output, line.weight);
    sums.cost += cost;
    sums.lost += weighted(line.lost, line.weight);
    sums.saved += weighted(line.saved, line.weight);
    if (line.outcome.raw == "\"client_abort\"") sums.aborted += cost;
  }
  Table answer() const override {
    return groups_.table(
        numbers({"requests", "input_tokens", "output_tokens", "cost_usd", "aborted_usd", "lost_usd", "saved_usd"}),
        [](const Sums& sums) { return std::pair(sums.cost.nanodollars(), sums.requests); },
        [](const Sums& sums) {
          return std::vector<std::string>{
              whole(sums.requests),     std::to_string(sums.input), std::to_string(sums.output), to_decimal(sums.cost),
              to_decimal(sums.aborted), to_decimal(sums.lost),      to_decimal(sums.saved)};
        });
  }

 private:
  struct Sums {
    double requests = 0;
    std::int64_t input = 0, output = 0;
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
    sums.requests += line.weight;
    if (line.stream && line.ttft_us) sums.first.add(*line.ttft_us, line.weight);
    if (line.duration_us) sums.all.add(*line.duration_us, line.weight);
    if (line.gateway_us) sums.gateway.add(*line.gateway_us, line.weight);
    if (line.provider_us) sums.provider.add(*line.provider_us, line.weight);
  }
  Table answer() const override {
    return groups_.table(
        numbers({"requests", "ttft_p50_ms", "ttft_p95_ms", "ttft_p99_ms", "total_p50_ms", "total_p95_ms",
                 "total_p99_ms", "gateway_p50_ms", "gateway_p99_ms", "provider_p50_ms"}),
        [](const Sums& sums) { return sums.requests; },
        [](const Sums& sums) {
          std::vector<std::string> cells = {whole(sums.requests)};
          for (const double percent : {50, 95, 99}) cells.push_back(ms(sums.first, percent));
          for (const double percent : {50, 95, 99}) cells.push_back(ms(sums.all, percent));
          for (const double percent : {50, 99}) cells.push_back(ms(sums.gateway, percent));
          cells.push_back(ms(sums.provider, 50));
          return cells;
        });
  }

 private:
  struct Sums {
    double requests = 0;
    Spread first, all, gateway, provider;
  };
  // With one digit behind the point, below ten with three.
  static std::string ms(const Spread& spread, double percent) {
    if (spread.empty()) return "";
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
    all_ += line.weight;
    if (!line.failed()) return;
    Sums& sums = groups_.of(line);
    sums.requests += line.weight;
    if (sums.last < line.time) sums.last = line.time;
    if (sums.first.empty() || line.time < sums.first) sums.first = line.time;
  }
  Table answer() const override {
    auto columns = numbers({"requests", "percent_of_all"});
    columns.insert(columns.end(), {{"first"}, {"last"}});
    return groups_.table(
        columns, [](const Sums& sums) { return sums.requests; },
        [this](const Sums& sums) {
          const auto hundredths = static_cast<std::int64_t>(sums.requests * 10'000 / all_);
          const std::string rest = std::to_string(100 + hundredths % 100).substr(1);
          return std::vector<std::string>{whole(sums.requests), std::to_string(hundredths / 100) + "." + rest,
                                          sums.first, sums.last};
        });
  }

 private:
  struct Sums {
    double requests = 0;
    std::string first, last;
  };
  Groups<Sums> groups_;
  double all_ = 0;
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
