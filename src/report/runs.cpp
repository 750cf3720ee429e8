// What agents' runs did: each of them, or how many there were and which caps stopped them.

#include <array>
#include <limits>
#include <unordered_map>

#include "report/cells.hpp"
#include "report/questions.hpp"
#include "sluice/config/units.hpp"
#include "sluice/core/run_caps.hpp"

namespace sluice::report {
namespace {

// What is counted of a run and of many alike.
struct Work {
  double requests = 0, refused = 0, tool_calls = 0;
  std::int64_t input = 0, output = 0;
  Money cost;

  void add(const TraceLine& line) {
    requests += line.event == Event::kRequest ? line.weight : 0;
    refused += line.refused() ? line.weight : 0;
    tool_calls += line.event == Event::kToolCall ? line.weight : 0;
    input += line.input;
    output += line.output;
    cost += line.cost;
  }
  void operator+=(const Work& other) {
    requests += other.requests;
    refused += other.refused;
    tool_calls += other.tool_calls;
    input += other.input;
    output += other.output;
    cost += other.cost;
  }
  static std::vector<Column> columns() {
    return numbers({"requests", "refused", "tool_calls", "input_tokens", "output_tokens", "cost_usd"});
  }
  std::vector<std::string> cells() const {
    return {whole(requests),       whole(refused),         whole(tool_calls),
            std::to_string(input), std::to_string(output), to_decimal(cost)};
  }
};

class EachRun final : public Question {
 public:
  EachRun(Names by, std::size_t most) : groups_(std::move(by), most) {}

  void take(const TraceLine& line) override {
    const auto time = line.run.raw.empty() ? std::nullopt : microseconds_of(line.time);
    if (!time) return;
    Sums& sums = groups_.of(line);
    sums.work.add(line);
    // A request's line tells when it came, a tool call's when its result did.
    const std::int64_t lasted = line.event == Event::kRequest ? line.duration_us.value_or(0) : 0;
    sums.first = std::min(sums.first, *time);
    sums.last = std::max(sums.last, *time + lasted);
    if (!line.refused() || *time < sums.stopped) return;
    sums.stopped = *time;
    sums.cap = shown(line.cap);
  }
  Table answer() const override {
    auto columns = Work::columns();
    columns.insert(columns.end(), {{"wall_s", true}, {"stopped_by"}, {"first"}});
    return groups_.table(columns, [](const Sums& sums) {
      auto cells = sums.work.cells();
      cells.push_back(sums.many ? "" : seconds(sums.last - sums.first));
      cells.push_back(sums.many ? "" : sums.cap);
      cells.push_back(sums.many ? "" : instant(sums.first));
      return cells;
    });
  }
  std::string note() const override { return note_of(groups_.folded()); }

 private:
  struct Sums {
    Work work;
    std::int64_t first = std::numeric_limits<std::int64_t>::max();  // microseconds since 1970, as the next two
    std::int64_t last = 0;
    std::int64_t stopped = 0;
    std::string cap;    // that refused it last
    bool many = false;  // of several runs only their work is known
    auto weight() const { return std::pair(work.cost, work.requests); }
    void operator+=(const Sums& other) {
      work += other.work;
      many = true;
    }
  };
  static std::string instant(std::int64_t us) {
    return config::format_instant(std::chrono::sys_seconds(std::chrono::seconds(us / 1'000'000)));
  }
  Groups<Sums> groups_;
};

// What is known of the runs that lines came of last; in bounded memory, so one that comes back after `most` others, or
// more, is forgotten.
class KnownRuns {
 public:
  explicit KnownRuns(std::size_t most) : most_(most) {}

  // The bits that have been set for it.
  std::uint32_t& of(std::uint64_t run) {
    if (const auto at = fresh_.find(run); at != fresh_.end()) return at->second;
    if (fresh_.size() >= most_) {
      old_ = std::exchange(fresh_, {});
      turned_ = true;
    }
    const auto before = old_.find(run);
    return fresh_.try_emplace(run, before == old_.end() ? 0 : before->second).first->second;
  }
  bool may_have_forgotten() const { return turned_; }

 private:
  std::size_t most_;
  std::unordered_map<std::uint64_t, std::uint32_t> fresh_, old_;
  bool turned_ = false;
};

class ManyRuns final : public Question {
 public:
  ManyRuns(Names by, std::size_t most)
      : groups_(std::move(by), most), known_(kRunsPerGroup * most), most_runs_(kRunsPerGroup * most) {}

  void take(const TraceLine& line) override {
    if (line.run.raw.empty()) return;
    Sums& sums = groups_.of(line);
    sums.work.add(line);
    std::uint32_t& bits = known_.of(hash(line));
    const auto first_time = [&bits](std::size_t bit) {
      const std::uint32_t mask = std::uint32_t{1} << bit;
      return (std::exchange(bits, bits | mask) & mask) == 0;
    };
    sums.runs += first_time(kSeen) ? 1 : 0;
    if (!line.refused()) return;
    sums.stopped += first_time(kStopped) ? 1 : 0;
    const std::string cap = shown(line.cap);
    for (std::size_t at = 0; at < kCaps; ++at) {
      if (cap == to_string(static_cast<Cap>(at)) && first_time(at)) ++sums.by_cap[at];
    }
  }
  Table answer() const override {
    auto columns = numbers({"runs", "stopped"});
    for (std::size_t at = 0; at < kCaps; ++at) {
      columns.push_back({"by_" + std::string(to_string(static_cast<Cap>(at))), true});
    }
    for (const Column& column : Work::columns()) columns.push_back(column);
    return groups_.table(columns, [](const Sums& sums) {
      std::vector<std::string> cells = {std::to_string(sums.runs), std::to_string(sums.stopped)};
      for (const std::int64_t count : sums.by_cap) cells.push_back(std::to_string(count));
      for (std::string& cell : sums.work.cells()) cells.push_back(std::move(cell));
      return cells;
    });
  }
  std::string note() const override {
    const std::string note = note_of(groups_.folded());
    if (!known_.may_have_forgotten()) return note;
    return note + (note.empty() ? "" : "\n") + "a run that went on after " + std::to_string(most_runs_) +
           " others or more is counted as several";
  }

 private:
  static constexpr std::size_t kRunsPerGroup = 10;
  static constexpr std::size_t kSeen = kCaps, kStopped = kCaps + 1;

  struct Sums {
    std::int64_t runs = 0, stopped = 0;
    std::array<std::int64_t, kCaps> by_cap{};
    Work work;
    auto weight() const { return std::pair(work.cost, runs); }
    void operator+=(const Sums& other) {
      runs += other.runs;
      stopped += other.stopped;
      for (std::size_t at = 0; at < kCaps; ++at) by_cap[at] += other.by_cap[at];
      work += other.work;
    }
  };

  // Of the run within its group.
  std::uint64_t hash(const TraceLine& line) {
    text_.clear();
    for (const std::string& name : groups_.names()) text_.append(name).push_back('\0');
    text_.append(line.run.raw);
    return std::hash<std::string>()(text_);
  }

  Groups<Sums> groups_;
  KnownRuns known_;
  std::size_t most_runs_;
  std::string text_;
};

}  // namespace

std::unique_ptr<Question> make_runs(Names by, std::size_t most) {
  if (std::ranges::find(by, "run") != by.end()) return std::make_unique<EachRun>(std::move(by), most);
  return std::make_unique<ManyRuns>(std::move(by), most);
}

}  // namespace sluice::report
