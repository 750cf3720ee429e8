#include "report/request_line.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>

#include "sluice/observe/event.hpp"
#include "sluice/report/report.hpp"

namespace sluice::report {
namespace {

constexpr std::string_view kTag = "tag:";
constexpr double kLeastRate = 1e-6;

// A member of a line, and the name that it has as a dimension.
struct Text {
  std::string_view member, dimension;
  json::Value RequestLine::* place;
};
constexpr Text kTexts[] = {{"route", "model", &RequestLine::model},
                           {"provider", "provider", &RequestLine::provider},
                           {"upstream_model", "upstream_model", &RequestLine::upstream_model},
                           {"key", "key", &RequestLine::key},
                           {"group", "group", &RequestLine::group},
                           {"endpoint", "endpoint", &RequestLine::endpoint},
                           {"outcome", "outcome", &RequestLine::outcome},
                           {"error", "error", &RequestLine::error},
                           {"status", "status", &RequestLine::status},
                           {"finish_reason", "finish_reason", &RequestLine::finish_reason},
                           {"cache", "cache", &RequestLine::cache},
                           {"run_id", "run", &RequestLine::run}};
struct Time {
  std::string_view member;
  std::optional<std::int64_t> RequestLine::* place;
};
constexpr Time kTimes[] = {{"ttft_us", &RequestLine::ttft_us},
                           {"duration_us", &RequestLine::duration_us},
                           {"gateway_us", &RequestLine::gateway_us},
                           {"provider_us", &RequestLine::provider_us}};

std::int64_t integer(json::Value value) { return json::integer_of(value).value_or(0); }

Money money(json::Value value) { return from_decimal(value.raw).value_or(Money()); }

// A rate that cannot be is none.
double weight_of(json::Value rate) {
  double share = 0;
  const auto [rest, error] = std::from_chars(rate.raw.data(), rate.raw.data() + rate.raw.size(), share);
  return error == std::errc() && share >= kLeastRate && share <= 1 ? 1 / share : 1;
}

void read_usage(json::Value usage, RequestLine& line) {
  for (const json::Member& member : json::Members(usage)) {
    if (member.key == "input") line.input = integer(member.value);
    if (member.key == "output") line.output = integer(member.value);
  }
}

void read_member(const json::Member& member, RequestLine& line) {
  if (member.key == "time") line.time = member.value.raw.substr(1, member.value.raw.size() - 2);
  if (member.key == "stream") line.stream = member.value.is_true();
  if (member.key == "sample_rate") line.weight = weight_of(member.value);
  if (member.key == "usage") read_usage(member.value, line);
  if (member.key == "saved") line.saved = money(json::find(member.value, "usd").value_or(json::Value{}));
  if (member.key == "tags") line.tags = member.value;
  if (member.key == "cost_usd") line.cost = money(member.value);
  if (member.key == "lost_usd") line.lost = money(member.value);
  for (const Text& text : kTexts) {
    if (member.key == text.member) line.*text.place = member.value;
  }
  for (const Time& time : kTimes) {
    if (member.key == time.member) line.*time.place = json::integer_of(member.value);
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
  if (integer(named("schema")) > observe::kTraceSchema) return Kind::kNewer;
  if (named("event").raw != "\"request\"") return Kind::kOther;
  line = RequestLine();
  for (const json::Member& member : members) read_member(member, line);
  return line.time.empty() ? Kind::kBroken : Kind::kRequest;
}

std::vector<std::string> dimensions() {
  std::vector<std::string> names;
  for (const Text& text : kTexts) names.emplace_back(text.dimension);
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
  const auto at = std::ranges::find(kTexts, name, &Text::dimension);
  return at == std::end(kTexts) ? "-" : shown(line.*at->place);
}

}  // namespace sluice::report
