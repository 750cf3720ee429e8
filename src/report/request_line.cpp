#include "report/request_line.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "sluice/report/report.hpp"

namespace sluice::report {
namespace {

constexpr std::int64_t kSchema = 1;
constexpr std::string_view kTag = "tag:";

using Place = json::Value RequestLine::*;
constexpr std::pair<std::string_view, Place> kTexts[] = {{"route", &RequestLine::model},
                                                         {"provider", &RequestLine::provider},
                                                         {"upstream_model", &RequestLine::upstream_model},
                                                         {"key", &RequestLine::key},
                                                         {"group", &RequestLine::group},
                                                         {"endpoint", &RequestLine::endpoint},
                                                         {"outcome", &RequestLine::outcome},
                                                         {"error", &RequestLine::error},
                                                         {"status", &RequestLine::status},
                                                         {"finish_reason", &RequestLine::finish_reason},
                                                         {"cache", &RequestLine::cache},
                                                         {"run_id", &RequestLine::run},
                                                         {"tags", &RequestLine::tags}};
using Number = std::optional<std::int64_t> RequestLine::*;
constexpr std::pair<std::string_view, Number> kTimes[] = {{"ttft_us", &RequestLine::ttft_us},
                                                          {"duration_us", &RequestLine::duration_us},
                                                          {"gateway_us", &RequestLine::gateway_us},
                                                          {"provider_us", &RequestLine::provider_us}};
// Names of dimensions, and of the members that hold them.
constexpr std::pair<std::string_view, Place> kDimensions[] = {{"model", &RequestLine::model},
                                                              {"provider", &RequestLine::provider},
                                                              {"upstream_model", &RequestLine::upstream_model},
                                                              {"key", &RequestLine::key},
                                                              {"group", &RequestLine::group},
                                                              {"endpoint", &RequestLine::endpoint},
                                                              {"outcome", &RequestLine::outcome},
                                                              {"error", &RequestLine::error},
                                                              {"status", &RequestLine::status},
                                                              {"finish_reason", &RequestLine::finish_reason},
                                                              {"cache", &RequestLine::cache},
                                                              {"run", &RequestLine::run}};

std::int64_t integer(json::Value value) { return json::integer_of(value).value_or(0); }

// As to_decimal() writes it: digits, at most nine of them behind a point.
Money money(json::Value value) {
  std::int64_t nanodollars = 0;
  int behind = -1;
  for (const char c : value.raw) {
    if (c == '.') behind = 0;
    if (c < '0' || c > '9' || behind == 9 || nanodollars > INT64_MAX / 100) continue;
    nanodollars = nanodollars * 10 + (c - '0');
    if (behind >= 0) ++behind;
  }
  for (behind = std::max(behind, 0); behind < 9 && nanodollars <= INT64_MAX / 10; ++behind) nanodollars *= 10;
  return Money::nanodollars(value.raw.starts_with('-') ? -nanodollars : nanodollars);
}

void read_usage(json::Value usage, RequestLine& line) {
  for (const json::Member& member : json::Members(usage)) {
    if (member.key == "input") line.input = integer(member.value);
    if (member.key == "output") line.output = integer(member.value);
  }
}

void read_saved(json::Value saved, RequestLine& line) {
  for (const json::Member& member : json::Members(saved)) {
    if (member.key == "input") line.saved_input = integer(member.value);
    if (member.key == "output") line.saved_output = integer(member.value);
    if (member.key == "usd") line.saved = money(member.value);
  }
}

void read_member(const json::Member& member, RequestLine& line) {
  if (member.key == "time") line.time = member.value.raw.substr(1, member.value.raw.size() - 2);
  if (member.key == "stream") line.stream = member.value.is_true();
  if (member.key == "usage") read_usage(member.value, line);
  if (member.key == "saved") read_saved(member.value, line);
  if (member.key == "cost_usd") line.cost = money(member.value);
  if (member.key == "lost_usd") line.lost = money(member.value);
  for (const auto& [name, place] : kTexts) {
    if (member.key == name) line.*place = member.value;
  }
  for (const auto& [name, place] : kTimes) {
    if (member.key == name) line.*place = json::integer_of(member.value);
  }
}

std::string shown(json::Value value) {
  if (value.raw.empty() || value.is_null()) return "-";
  std::string text = value.is_string() ? json::text_of(value) : std::string(value.raw);
  return text.empty() ? "-" : text;
}

}  // namespace

bool RequestLine::failed() const { return outcome.raw != "\"ok\"" && outcome.raw != "\"cache_hit\""; }

Kind read_line(std::string_view text, RequestLine& line) {
  thread_local std::vector<json::Member> members;
  const auto checked = json::check(text, members, json::Surrogates::kAny);
  if (!checked || !checked->is_object()) return Kind::kBroken;
  const auto named = [&](std::string_view name) {
    const auto at = std::ranges::find(members, name, &json::Member::key);
    return at == members.end() ? json::Value{} : at->value;
  };
  if (integer(named("schema")) > kSchema) return Kind::kNewer;
  if (named("event").raw != "\"request\"") return Kind::kOther;
  line = RequestLine();
  for (const json::Member& member : members) read_member(member, line);
  return line.time.empty() ? Kind::kBroken : Kind::kRequest;
}

std::vector<std::string> dimensions() {
  std::vector<std::string> names;
  for (const auto& [name, place] : kDimensions) names.emplace_back(name);
  for (const char* name : {"team", "feature", "day", "hour"}) names.emplace_back(name);
  return names;
}

std::string dimension(const RequestLine& line, std::string_view name) {
  if (name == "day") return std::string(line.time.substr(0, 10));
  if (name == "hour") return std::string(line.time.substr(0, 13));
  if (name == "team") name = "group";
  if (name == "feature") name = "tag:feature";
  if (name.starts_with(kTag)) {
    const auto tag = json::find(line.tags, name.substr(kTag.size()));
    return tag ? shown(*tag) : "-";
  }
  const auto at = std::ranges::find(kDimensions, name, &std::pair<std::string_view, Place>::first);
  return at == std::end(kDimensions) ? "-" : shown(line.*(at->second));
}

}  // namespace sluice::report
