#include "server/weekly_report.hpp"

#include <unistd.h>

#include <array>
#include <filesystem>

#include "server/trace_files.hpp"
#include "server/whole_file.hpp"
#include "sluice/config/units.hpp"
#include "sluice/core/json_string.hpp"
#include "sluice/report/weekly.hpp"

namespace sluice::server {
namespace {

namespace fs = std::filesystem;

constexpr auto kWeek = std::chrono::days(7);
constexpr unsigned kMostReadings = 3;

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "";
  return name.data();
}

void text(std::string& out, std::string_view name, std::string_view value) {
  out.append(",\"").append(name).append("\":");
  append_json_string(out, value);
}

// The trace may be rotated while it is read; a line could then be missed or counted twice, so it is read again.
std::expected<report::WeeklyAnswer, std::string> add_up(const WeeklyJob& job, const std::function<bool()>& go_on) {
  for (unsigned reading = 1;; ++reading) {
    const TraceFiles before = trace_files(job.trace, job.monday - kWeek);
    report::WeeklyQuestion question{.monday = job.monday, .older = before.older};
    question.by = job.config.by == config::ReportBy::kTeam ? "team" : "group";
    for (const TraceFile& file : before.files) question.files.push_back(file.path);
    auto answer = report::add_up_week(question, go_on);
    if (!go_on() || trace_files(job.trace, job.monday - kWeek) == before) return answer;
    if (reading == kMostReadings) return std::unexpected("the trace is rotated faster than it can be read");
  }
}

budget::WebhookMessage message_of(const WeeklyJob& job, const report::WeeklyAnswer& answer) {
  // Each replica tells its own, so they are told apart.
  const std::string host = host_name();
  const std::string week = config::format_day(job.monday);
  budget::WebhookMessage message{budget::webhook_id("weekly|" + week + "|" + host + "|" + job.trace), {}};
  std::string& body = message.body;
  body.append(R"({"type":"report.weekly")");
  text(body, "id", message.id);
  text(body, "time", config::format_instant(job.now));
  text(body, "host", host);
  text(body, "trace", job.trace);
  text(body, "from", config::format_instant(job.monday));
  text(body, "until", config::format_instant(job.monday + kWeek));
  text(body, "by", job.config.by == config::ReportBy::kTeam ? "team" : "group");
  body.append(answer.complete ? R"(,"complete":true)" : R"(,"complete":false)");
  body.append(R"(,"skipped_lines":)").append(std::to_string(answer.skipped));
  body.append(R"(,"total":)").append(answer.total);
  body.append(R"(,"rows":)").append(answer.rows).append("}\n");
  return message;
}

}  // namespace

std::expected<WeeklyOutcome, std::string> make_weekly_report(const WeeklyJob& job, const std::function<bool()>& go_on) {
  const fs::path folder(job.config.folder);
  const std::string stem = (folder / ("weekly-" + config::format_day(job.monday))).string();
  WeeklyOutcome outcome{.path = stem + ".json", .message = {}};
  std::error_code failed;
  if (fs::exists(outcome.path, failed)) {
    outcome.result = WeeklyResult::kThere;
    return outcome;
  }
  const auto answer = add_up(job, go_on);
  if (!answer) return std::unexpected(answer.error());
  if (!answer->known) return outcome;
  fs::create_directories(folder, failed);  // what is wrong with it, writing says
  outcome.result = WeeklyResult::kWritten;
  outcome.complete = answer->complete;
  outcome.message = message_of(job, *answer);
  if (auto written = write_whole_file(stem + ".csv", answer->csv); !written) return std::unexpected(written.error());
  if (auto written = write_whole_file(outcome.path, outcome.message.body); !written) {
    return std::unexpected(written.error());
  }
  return outcome;
}

}  // namespace sluice::server
