#include "sluice/report/weekly.hpp"

#include "report/cells.hpp"
#include "report/groups.hpp"
#include "report/lines.hpp"
#include "sluice/config/units.hpp"

namespace sluice::report {
namespace {

constexpr auto kWeek = std::chrono::days(7);

// Of the week, and what the one before has cost.
struct Sums {
  double requests = 0;
  std::int64_t input = 0, output = 0, cached = 0, cache_write = 0, reasoning = 0;
  Money cost{}, saved{}, before{};
  auto weight() const { return std::tuple(cost, before, requests); }
  void operator+=(const Sums& other) {
    requests += other.requests;
    input += other.input;
    output += other.output;
    cached += other.cached;
    cache_write += other.cache_write;
    reasoning += other.reasoning;
    cost += other.cost;
    saved += other.saved;
    before += other.before;
  }
};

Sums sums_of(const TraceLine& line, bool of_week) {
  if (!of_week) return {.before = line.cost};
  return {.requests = line.weight,
          .input = line.input,
          .output = line.output,
          .cached = line.cached,
          .cache_write = line.cache_write,
          .reasoning = line.reasoning,
          .cost = line.cost,
          .saved = line.saved};
}

std::vector<Column> columns() {
  return numbers({"requests", "input_tokens", "output_tokens", "cached_tokens", "cache_write_tokens",
                  "reasoning_tokens", "cost_usd", "saved_usd", "week_before_usd", "change_usd"});
}

std::vector<std::string> cells_of(const Sums& sums, bool before_is_known) {
  return {whole(sums.requests),
          std::to_string(sums.input),
          std::to_string(sums.output),
          std::to_string(sums.cached),
          std::to_string(sums.cache_write),
          std::to_string(sums.reasoning),
          to_decimal(sums.cost),
          to_decimal(sums.saved),
          before_is_known ? to_decimal(sums.before) : "",
          before_is_known ? to_decimal(sums.cost - sums.before) : ""};
}

std::string with_week(Table table, const std::string& week) {
  table.columns.insert(table.columns.begin(), {"week"});
  for (auto& row : table.rows) row.insert(row.begin(), week);
  return as_csv(table);
}

class Adding {
 public:
  explicit Adding(const WeeklyQuestion& question)
      : before_(config::format_day(question.monday - kWeek)),
        week_(config::format_day(question.monday)),
        end_(config::format_day(question.monday + kWeek)),
        groups_({question.by}),
        reaches_before_(question.older),
        reaches_week_(question.older) {}

  void take(std::string_view text) {
    switch (read_line(text, line_)) {
      case Kind::kKnown:
        return take_line();
      case Kind::kBroken:
      case Kind::kNewer:
        ++skipped_;
        return;
      case Kind::kOther:
        return;
    }
  }

  WeeklyAnswer answer() const {
    const auto cells = [this](const Sums& sums) { return cells_of(sums, reaches_before_); };
    const Table table = groups_.table(columns(), cells);
    WeeklyAnswer answer{.known = reaches_week_ || lines_of_week_, .complete = reaches_week_, .skipped = skipped_};
    answer.rows = as_json(table);
    answer.rows.pop_back();  // the line feed
    answer.total = as_json_object(columns(), cells(total_));
    answer.csv = with_week(table, week_);
    return answer;
  }

 private:
  // Times of lines begin with the day, so a day is earlier than all that is in it.
  void take_line() {
    reaches_before_ = reaches_before_ || line_.time < before_;
    reaches_week_ = reaches_week_ || line_.time < week_;
    if (line_.time < before_ || line_.time >= end_) return;
    const bool of_week = line_.time >= week_;
    lines_of_week_ = lines_of_week_ || of_week;
    if (line_.event != Event::kRequest) return;
    const Sums sums = sums_of(line_, of_week);
    groups_.of(line_) += sums;
    total_ += sums;
  }

  std::string before_, week_, end_;  // first days
  Groups<Sums> groups_;
  Sums total_;
  TraceLine line_;
  bool reaches_before_, reaches_week_;  // there are lines older than that
  bool lines_of_week_ = false;
  std::uint64_t skipped_ = 0;
};

}  // namespace

std::expected<WeeklyAnswer, std::string> add_up_week(const WeeklyQuestion& question,
                                                     const std::function<bool()>& go_on) {
  Adding adding(question);
  for (const std::string& file : question.files) {
    const auto read =
        read_lines(file, [&](std::string_view line) { adding.take(line); }, [&](std::uint64_t) { return go_on(); });
    if (!read) return std::unexpected(file + ": " + read.error());
  }
  return adding.answer();
}

}  // namespace sluice::report
