#include "report/trace_line.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>

#include "sluice/config/units.hpp"
#include "sluice/observe/event.hpp"
#include "sluice/report/report.hpp"

namespace sluice::report {
namespace {

constexpr std::string_view kTag = "tag:";
constexpr double kLeastRate = 1e-6;

// A member of a line, and the name that it has as a dimension.
struct Text {
  std::string_view member, dimension;
  json::Value TraceLine::* place;
};
constexpr Text kTexts[] = {{"route", "model", &TraceLine::model},
                           {"provider", "provider", &TraceLine::provider},
                           {"upstream_model", "upstream_model", &TraceLine::upstream_model},
                           {"key", "key", &TraceLine::key},
                           {"group", "group", &TraceLine::group},
                           {"endpoint", "endpoint", &TraceLine::endpoint},
                           {"outcome", "outcome", &TraceLine::outcome},
                           {"error", "error", &TraceLine::error},
                           {"status", "status", &TraceLine::status},
                           {"finish_reason", "finish_reason", &TraceLine::finish_reason},
                           {"cache", "cache", &TraceLine::cache},
                           {"run_id", "run", &TraceLine::run},
                           {"user", "user", &TraceLine::user},
                           {"tool", "tool", &TraceLine::tool}};
struct Time {
  std::string_view member;
  std::optional<std::int64_t> TraceLine::* place;
};
constexpr Time kTimes[] = {{"ttft_us", &TraceLine::ttft_us},
                           {"duration_us", &TraceLine::duration_us},
                           {"gateway_us", &TraceLine::gateway_us},
                           {"provider_us", &TraceLine::provider_us}};

std::int64_t integer(json::Value value) { return json::integer_of(value).value_or(0); }

Money money(json::Value value) { return from_decimal(value.raw).value_or(Money()); }

// A rate that cannot be is none.
double weight_of(json::Value rate) {
  double share = 0;
  const auto [rest, error] = std::from_chars(rate.raw.data(), rate.raw.data() + rate.raw.size(), share);
  return error == std::errc() && share >= kLeastRate && share <= 1 ? 1 / share : 1;
}

void read_usage(json::Value usage, TraceLine& line) {
  for (const json::Member& member : json::Members(usage)) {
    if (member.key == "input") line.input = integer(member.value);
    if (member.key == "output") line.output = integer(member.value);
    if (member.key == "cached") line.cached = integer(member.value);
    if (member.key == "cache_write") line.cache_write = integer(member.value);
    if (member.key == "reasoning") line.reasoning = integer(member.value);
  }
}

void read_member(const json::Member& member, TraceLine& line) {
  if (member.key == "time") line.time = member.value.raw.substr(1, member.value.raw.size() - 2);
  if (member.key == "stream") line.stream = member.value.is_true();
  if (member.key == "sample_rate") line.weight = weight_of(member.value);
  if (member.key == "usage") read_usage(member.value, line);
  if (member.key == "saved") line.saved = money(json::find(member.value, "usd").value_or(json::Value{}));
  if (member.key == "tags") line.tags = member.value;
  if (member.key == "cost_usd") line.cost = money(member.value);
  if (member.key == "lost_usd") line.lost = money(member.value);
  if (member.key == "failed") line.call_failed = member.value.is_true();
  if (member.key == "retries") line.retries = integer(member.value);
  if (member.key == "cap") line.cap = member.value;
  if (member.key == "result") line.result = member.value;
  for (const Text& text : kTexts) {
    if (member.key == text.member) line.*text.place = member.value;
  }
  for (const Time& time : kTimes) {
    if (member.key == time.member) line.*time.place = json::integer_of(member.value);
  }
}

// What the line says of itself becomes what is said of all that it stands for.
void weigh(TraceLine& line) {
  const auto weighted = [&line](std::int64_t value) {
    constexpr double kMost = 1e18;  // more no report adds up
    return std::llround(std::clamp(static_cast<double>(value) * line.weight, -kMost, kMost));
  };
  for (std::int64_t* count : {&line.input, &line.output, &line.cached, &line.cache_write, &line.reasoning}) {
    *count = weighted(*count);
  }
  for (Money* money : {&line.cost, &line.lost, &line.saved})
    *money = Money::nanodollars(weighted(money->nanodollars()));
}

std::optional<Event> event_of(json::Value name) {
  if (name.raw == "\"request\"") return Event::kRequest;
  if (name.raw == "\"tool_call\"") return Event::kToolCall;
  if (name.raw == "\"guard\"") return Event::kGuard;
  return std::nullopt;
}

}  // namespace

std::string shown(json::Value value) {
  if (value.raw.empty() || value.is_null()) return "-";
  std::string text = value.is_string() ? json::text_of(value) : std::string(value.raw);
  return text.empty() ? "-" : text;
}

std::optional<std::int64_t> microseconds_of(std::string_view time) {
  constexpr std::size_t kWithoutFraction = std::string_view("2026-11-21T04:53:36").size();
  const auto second = config::parse_instant(time);
  if (!second) return std::nullopt;
  std::int64_t fraction = 0, unit = 100'000;
  for (std::size_t at = kWithoutFraction + 1; at < time.size() && time[at] >= '0' && time[at] <= '9';
       ++at, unit /= 10) {
    fraction += (time[at] - '0') * unit;
  }
  return second->time_since_epoch().count() * 1'000'000 + fraction;
}

bool TraceLine::failed() const { return outcome.raw != "\"ok\"" && outcome.raw != "\"cache_hit\""; }

bool TraceLine::refused() const { return event == Event::kGuard && result.raw == "\"refused\""; }

Kind read_line(std::string_view text, TraceLine& line) {
  thread_local std::vector<json::Member> members;
  const auto checked = json::check(text, members, json::Surrogates::kAny);
  if (!checked || !checked->is_object()) return Kind::kBroken;
  const auto named = [&](std::string_view name) {
    const auto at = std::ranges::find(members, name, &json::Member::key);
    return at == members.end() ? json::Value{} : at->value;
  };
  if (integer(named("schema")) > observe::kTraceSchema) return Kind::kNewer;
  const auto event = event_of(named("event"));
  if (!event) return Kind::kOther;
  line = TraceLine();
  line.event = *event;
  for (const json::Member& member : members) read_member(member, line);
  if (line.weight != 1) weigh(line);
  return line.time.empty() ? Kind::kBroken : Kind::kKnown;
}

std::vector<std::string> dimensions() {
  std::vector<std::string> names;
  for (const Text& text : kTexts) names.emplace_back(text.dimension);
  for (const char* name : {"team", "feature", "day", "hour"}) names.emplace_back(name);
  return names;
}

std::string dimension(const TraceLine& line, std::string_view name) {
  if (name == "day") return std::string(line.time.substr(0, 10));
  if (name == "hour") return std::string(line.time.substr(0, 13));
  if (name == "team") {
    std::string team = shown(line.group);
    return team.substr(0, team.find('/'));
  }
  if (name == "feature") name = "tag:feature";
  if (name.starts_with(kTag)) {
    const auto tag = json::find(line.tags, name.substr(kTag.size()));
    return tag ? shown(*tag) : "-";
  }
  const auto at = std::ranges::find(kTexts, name, &Text::dimension);
  return at == std::end(kTexts) ? "-" : shown(line.*at->place);
}

}  // namespace sluice::report
