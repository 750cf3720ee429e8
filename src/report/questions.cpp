#include "report/questions.hpp"

#include <algorithm>

#include "report/cells.hpp"
#include "report/spread.hpp"

namespace sluice::report {
namespace {

class Cost final : public Question {
 public:
  Cost(Names by, std::size_t most) : groups_(std::move(by), most) {}

  void take(const TraceLine& line) override {
    if (line.event != Event::kRequest) return;
    Sums& sums = groups_.of(line);
    sums.requests += line.weight;
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
        [](const Sums& sums) {
          return std::vector<std::string>{
              whole(sums.requests),     std::to_string(sums.input), std::to_string(sums.output), to_decimal(sums.cost),
              to_decimal(sums.aborted), to_decimal(sums.lost),      to_decimal(sums.saved)};
        });
  }
  std::string note() const override { return note_of(groups_.folded()); }

 private:
  struct Sums {
    double requests = 0;
    std::int64_t input = 0, output = 0;
    Money cost, aborted, lost, saved;
    auto weight() const { return std::pair(cost, requests); }
    void operator+=(const Sums& other) {
      requests += other.requests;
      input += other.input;
      output += other.output;
      cost += other.cost;
      aborted += other.aborted;
      lost += other.lost;
      saved += other.saved;
    }
  };
  Groups<Sums> groups_;
};

class Latency final : public Question {
 public:
  Latency(Names by, std::size_t most) : groups_(std::move(by), most) {}

  void take(const TraceLine& line) override {
    if (line.event != Event::kRequest || line.failed()) return;
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
        [](const Sums& sums) {
          std::vector<std::string> cells = {whole(sums.requests)};
          for (const double percent : {50, 95, 99}) cells.push_back(ms(sums.first, percent));
          for (const double percent : {50, 95, 99}) cells.push_back(ms(sums.all, percent));
          for (const double percent : {50, 99}) cells.push_back(ms(sums.gateway, percent));
          cells.push_back(ms(sums.provider, 50));
          return cells;
        });
  }
  std::string note() const override { return note_of(groups_.folded()); }

 private:
  struct Sums {
    double requests = 0;
    Spread first, all, gateway, provider;
    auto weight() const { return requests; }
    void operator+=(const Sums& other) {
      requests += other.requests;
      first += other.first;
      all += other.all;
      gateway += other.gateway;
      provider += other.provider;
    }
  };
  Groups<Sums> groups_;
};

class Errors final : public Question {
 public:
  Errors(Names by, std::size_t most) : groups_(std::move(by), most) {}

  void take(const TraceLine& line) override {
    if (line.event != Event::kRequest) return;
    all_ += line.weight;
    if (!line.failed()) return;
    groups_.of(line) += Sums{line.weight, std::string(line.time), std::string(line.time)};
  }
  Table answer() const override {
    auto columns = numbers({"requests", "percent_of_all"});
    columns.insert(columns.end(), {{"first"}, {"last"}});
    return groups_.table(columns, [this](const Sums& sums) {
      return std::vector<std::string>{whole(sums.requests), percent_of(sums.requests, all_), sums.first, sums.last};
    });
  }
  std::string note() const override { return note_of(groups_.folded()); }

 private:
  struct Sums {
    double requests = 0;
    std::string first, last;
    auto weight() const { return requests; }
    void operator+=(const Sums& other) {
      requests += other.requests;
      if (last < other.last) last = other.last;
      if (first.empty() || other.first < first) first = other.first;
    }
  };
  Groups<Sums> groups_;
  double all_ = 0;
};

std::string usual_dimension(const std::string& what) {
  if (what == "errors") return "error";
  if (what == "tools") return "tool";
  return what == "runs" ? "run" : "model";
}

}  // namespace

const std::vector<std::string>& question_names() {
  static const std::vector<std::string> names = {"cost", "latency", "errors", "tools", "runs"};
  return names;
}

std::string note_of(std::uint64_t folded) {
  if (folded == 0) return "";
  return std::to_string(folded) + " rows that weigh least, of more than can be told apart, are one: (other)";
}

std::unique_ptr<Question> make_question(const std::string& what, Names by, std::size_t most) {
  if (by.empty()) by = {usual_dimension(what)};
  if (what == "latency") return std::make_unique<Latency>(std::move(by), most);
  if (what == "errors") return std::make_unique<Errors>(std::move(by), most);
  if (what == "tools") return make_tools(std::move(by), most);
  if (what == "runs") return make_runs(std::move(by), most);
  return std::make_unique<Cost>(std::move(by), most);
}

}  // namespace sluice::report
