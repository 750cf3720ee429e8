#include "sluice/report/report.hpp"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <optional>
#include <utility>

#include "report/lines.hpp"
#include "report/questions.hpp"
#include "sluice/config/units.hpp"

namespace sluice::report {
namespace {

constexpr int kGood = 0, kUnreadable = 1, kSenseless = 2;
constexpr int kBarWidth = 30;

using SystemTime = std::chrono::system_clock::time_point;

std::string text_of(SystemTime time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts)};
}

// As lines tell times, as far as it is told: a beginning of such a text is earlier than all that go on with it.
std::optional<std::string> bound_of(const std::string& text, SystemTime now) {
  if (const auto ago = config::parse_duration(text)) return text_of(now - *ago);
  constexpr std::string_view kShape = "dddd-dd-ddTdd:dd:dd";
  std::string_view told = text;
  if (told.ends_with('Z')) told.remove_suffix(1);
  const bool whole = told.size() == 10 || told.size() == 16 || told.size() == kShape.size();
  if (!whole) return std::nullopt;
  for (std::size_t i = 0; i < told.size(); ++i) {
    const bool digit = told[i] >= '0' && told[i] <= '9';
    if (kShape[i] == 'd' ? !digit : told[i] != kShape[i]) return std::nullopt;
  }
  return std::string(told);
}

int refuse(const std::string& why) {
  std::fprintf(stderr, "sluice report: %s\n", why.c_str());
  return kSenseless;
}

// How far the reading has come, for whoever sits at a terminal.
class Bar {
 public:
  explicit Bar(const std::vector<std::string>& files) : on_(::isatty(STDERR_FILENO) == 1) {
    for (const std::string& file : files) {
      std::error_code failed;
      const auto size = std::filesystem::file_size(file, failed);
      if (!failed) all_ += size;
    }
  }
  ~Bar() {
    if (shown_ >= 0) std::fputs("\r\033[K", stderr);
  }
  Bar(const Bar&) = delete;
  Bar& operator=(const Bar&) = delete;

  bool read(std::uint64_t of_this_file) {
    of_this_file_ = of_this_file;
    show(before_ + of_this_file);
    return true;
  }
  void end_of_file() { before_ += std::exchange(of_this_file_, 0); }

 private:
  void show(std::uint64_t bytes) {
    if (!on_ || all_ == 0) return;
    const int percent = static_cast<int>(std::min<std::uint64_t>(100, bytes * 100 / all_));
    if (percent == shown_) return;
    shown_ = percent;
    const int filled = percent * kBarWidth / 100;
    std::fprintf(stderr, "\r[%s%s] %3d %%", std::string(static_cast<std::size_t>(filled), '#').c_str(),
                 std::string(static_cast<std::size_t>(kBarWidth - filled), '.').c_str(), percent);
  }

  bool on_;
  std::uint64_t all_ = 0, before_ = 0, of_this_file_ = 0;
  int shown_ = -1;
};

// What a reader of the report has to know of the files.
struct Remarks {
  std::uint64_t torn = 0, broken = 0, newer = 0;
  std::uint64_t sampled = 0;  // lines that stand for several requests,
  double stood_for = 0;       // and for how many
  void tell() const {
    if (sampled > 0) {
      std::fprintf(stderr,
                   "%lu lines stand for %.0f requests, of which the trace was a sample: figures are estimates\n",
                   sampled, stood_for);
    }
    if (torn > 0) std::fprintf(stderr, "%lu torn last lines were skipped\n", torn);
    if (broken > 0) std::fprintf(stderr, "%lu lines were skipped: they are no trace lines\n", broken);
    if (newer > 0) std::fprintf(stderr, "%lu lines were skipped: a newer sluice wrote them\n", newer);
  }
};

class Reading {
 public:
  Reading(Question& question, std::string since, std::string until)
      : question_(question), since_(std::move(since)), until_(std::move(until)) {}

  void take(std::string_view text) {
    switch (read_line(text, line_)) {
      case Kind::kKnown:
        if (line_.time >= since_ && (until_.empty() || line_.time < until_)) ask();
        break;
      case Kind::kBroken:
        ++remarks.broken;
        break;
      case Kind::kNewer:
        ++remarks.newer;
        break;
      case Kind::kOther:
        break;
    }
  }

  Remarks remarks;

 private:
  void ask() {
    question_.take(line_);
    if (line_.weight == 1 || line_.event != Event::kRequest) return;
    ++remarks.sampled;
    remarks.stood_for += line_.weight;
  }

  Question& question_;
  std::string since_, until_;
  TraceLine line_;
};

std::string printed(const Table& table, const Options& options) {
  if (options.format == "csv") return as_csv(table);
  return options.format == "json" ? as_json(table) : as_text(table, options.rows);
}

std::optional<std::string> fault_of(const Options& options) {
  const auto known = dimensions();
  for (const std::string& name : options.by) {
    if (name.starts_with("tag:") && name.size() > 4) continue;
    if (std::ranges::find(known, name) != known.end()) continue;
    std::string all;
    for (const std::string& one : known) all += one + ", ";
    return "--by " + name + ": use " + all + "or tag:NAME";
  }
  return std::nullopt;
}

}  // namespace

CLI::App* add_command(CLI::App& app, Options& options) {
  auto* report =
      app.add_subcommand("report", "Answer questions from trace files: cost, latency, errors, tools or runs");
  report->add_option("what", options.what, "cost, latency, errors, tools or runs")
      ->required()
      ->check(CLI::IsMember(question_names()));
  report->add_option("files", options.files, "Trace files, also put aside and compressed (.gz); - is standard input")
      ->required();
  report->add_option("--by", options.by, "Comma-separated: model, provider, team, user, tool, run, day, tag:NAME, …")
      ->delimiter(',')
      ->allow_extra_args(false);
  report->add_option("--since", options.since, "2026-11-01, 2026-11-01T12:00:00Z, or how long ago: 90m, 24h, 7d");
  report->add_option("--until", options.until, "The same; exclusive");
  report->add_option("--format", options.format, "table, csv or json")->check(CLI::IsMember({"table", "csv", "json"}));
  report->add_option("--rows", options.rows, "Most rows of a table; 0 shows all");
  return report;
}

int run(const Options& options) {
  if (const auto fault = fault_of(options)) return refuse(*fault);
  const auto now = std::chrono::system_clock::now();
  const auto since = options.since.empty() ? std::string() : bound_of(options.since, now);
  const auto until = options.until.empty() ? std::string() : bound_of(options.until, now);
  if (!since || !until) {
    return refuse(std::string(since ? "--until" : "--since") + ": write 2026-11-01, 2026-11-01T12:00:00Z, or 7d");
  }
  const auto question = make_question(options.what, options.by);
  Reading reading(*question, *since, *until);
  int code = kGood;
  {
    Bar bar(options.files);
    for (const std::string& file : options.files) {
      const auto read = read_lines(
          file, [&](std::string_view line) { reading.take(line); },
          [&](std::uint64_t bytes) { return bar.read(bytes); });
      bar.end_of_file();
      if (read) {
        reading.remarks.torn += read->torn;
        continue;
      }
      std::fprintf(stderr, "sluice report: %s: %s\n", file.c_str(), read.error().c_str());
      code = kUnreadable;
    }
  }
  reading.remarks.tell();
  if (const std::string note = question->note(); !note.empty()) std::fprintf(stderr, "%s\n", note.c_str());
  const std::string text = printed(question->answer(), options);
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) code = kUnreadable;
  return code;
}

}  // namespace sluice::report
