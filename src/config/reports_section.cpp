// reports: what the gateway itself tells of its trace.

#include <algorithm>

#include "config/sections.hpp"
#include "config/test_values.hpp"
#include "config/values.hpp"

namespace sluice::config {
namespace {

using std::chrono::minutes;

// "mon 06:00", of the week that begins when the reported one has ended.
std::expected<minutes, std::string> parse_week_time(std::string_view text) {
  const auto space = std::min(text.find(' '), text.size());
  const auto days = day_words();
  const auto day = std::ranges::find(days, text.substr(0, space), &Word::text);
  const auto minute = parse_minute(text.substr(std::min(space + 1, text.size())));
  if (day == days.end() || !minute) return std::unexpected("write a day and a time in UTC, e.g. mon 06:00");
  return std::chrono::days(day->number) + minutes(*minute);
}

void check_weekly(const Value& section, const Config& config) {
  const WeeklyReport& weekly = config.weekly_report;
  const Rotate& rotate = config.trace.rotate;
  if (weekly.folder.empty()) return;
  if (config.trace.path.empty()) section.fail_key("needs trace.path: what is reported is added up from the trace");
  const milliseconds needed = 7 * kDay + weekly.at;
  const auto files = rotate.age == 0ms ? 0 : static_cast<std::size_t>((needed + rotate.age - 1ms) / rotate.age);
  if (rotate.keep < files) {
    section.fail_key("needs the trace of a week: with a trace.rotate.age of " + format_duration(rotate.age) +
                     " a trace.rotate.keep of " + std::to_string(files) + " or more");
  }
  if (weekly.webhook && !config.alerts.webhook) section.fail_key("webhook needs alerts.webhook, which says where to");
  if (config.prices.rows.empty()) {
    section.scope->report.note("reports.weekly: there are no prices, so there is no cost to report; see prices.file");
  }
}

void read_weekly(const Value& section, Config& config) {
  WeeklyReport& weekly = config.weekly_report;
  MapReader map(section);
  map.read("folder", weekly.folder, read_text);
  map.read("webhook", weekly.webhook, read_flag);
  map.read("at", weekly.at, spelled(parse_week_time));
  map.read("by", weekly.by, choice<ReportBy>({{"team", ReportBy::kTeam}, {"group", ReportBy::kGroup}}));
  check_weekly(section, config);
}

}  // namespace

void read_reports(const Value& section, Config& config) {
  MapReader map(section);
  map.section("weekly", [&](const Value& value) { read_weekly(value, config); });
}

}  // namespace sluice::config
