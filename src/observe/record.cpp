#include "sluice/observe/record.hpp"

#include <algorithm>
#include <ctime>
#include <new>

#include "observe/json_line.hpp"
#include "sluice/core/text.hpp"

namespace sluice::observe {
namespace {

constexpr std::array<std::string_view, kStages> kStageNames = {"parse",      "admit",       "route",      "connect",
                                                               "first_byte", "first_token", "last_token", "total"};

std::int64_t microseconds_of(nanoseconds span) {
  return std::chrono::duration_cast<std::chrono::microseconds>(span).count();
}

// RFC 3339 in UTC, with microseconds. The date part changes once a second, so it is kept between lines.
void append_time(std::string& out, std::chrono::system_clock::time_point time) {
  const auto since = std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
  const std::time_t second = since / 1'000'000;
  thread_local std::time_t known = -1;
  thread_local char text[32];
  if (second != known) {
    std::tm parts{};
    ::gmtime_r(&second, &parts);
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S.", &parts);
    known = second;
  }
  char fraction[8];
  auto rest = static_cast<unsigned>(since % 1'000'000);
  for (int i = 5; i >= 0; --i, rest /= 10) fraction[i] = static_cast<char>('0' + rest % 10);
  out.append(text).append(fraction, 6).push_back('Z');
}

void append_usage(JsonLine& line, const Usage& usage) {
  line.open("usage");
  line.number("input", usage.input).number("output", usage.output).number("cached", usage.cached);
  line.number("cache_write", usage.cache_write).number("reasoning", usage.reasoning);
  line.name("source", to_string(usage.source));
  if (usage.anomalous) line.boolean("anomalous", true);
  line.close();
}

void append_owner(JsonLine& line, const Record& record) {
  if (!record.key.empty()) line.text("key", record.key);
  if (!record.group.empty()) line.text("group", record.group);
  if (record.tags == nullptr || record.tags->empty()) return;
  line.open("tags");
  for (const auto& [name, value] : *record.tags) line.text(name, value);
  line.close();
}

void append_decision(JsonLine& line, const Record& record) {
  if (!record.decision.empty()) line.text("decision", record.decision);
  if (record.estimated_cost) line.raw("estimated_cost_usd", to_decimal(*record.estimated_cost));
  if (!record.shadow.empty()) line.text("shadow", record.shadow);
  if (record.shadow_saves) line.raw("shadow_saves_usd", to_decimal(*record.shadow_saves));
}

void append_cache(JsonLine& line, const Record& record) {
  if (record.cache.empty()) return;
  line.name("cache", record.cache);
  if (!record.cache_bypass.empty()) line.name("cache_bypass", record.cache_bypass);
  if (record.usage.source != UsageSource::kCached) return;
  line.open("saved");
  line.number("input", record.saved.input).number("output", record.saved.output);
  line.raw("usd", to_decimal(record.saved_cost));
  line.close();
}

void append_stages(JsonLine& line, const Record& record) {
  line.open("stages_us");
  for (std::size_t i = 0; i < kStages; ++i) {
    if (auto span = record.until(static_cast<Stage>(i))) line.number(kStageNames[i], microseconds_of(*span));
  }
  line.close();
}

}  // namespace

std::string_view to_string(Phase phase) {
  constexpr std::array<std::string_view, 7> kNames = {"body",        "queue",  "connect", "first_byte",
                                                      "first_token", "stream", "answer"};
  return kNames[static_cast<std::size_t>(phase)];
}

std::string recorded_id(std::string_view id) {
  constexpr std::size_t kLongest = 128;
  const auto fits = [](char c) {
    const char small = ascii_lower(c);
    return (small >= 'a' && small <= 'z') || (c >= '0' && c <= '9') || std::string_view("-._:=+/").contains(c);
  };
  return id.size() <= kLongest && std::ranges::all_of(id, fits) ? std::string(id) : std::string();
}

void Record::ended(const Result<void>& result) {
  reached(Stage::kTotal);
  if (result) return;
  const ErrorTraits& what = traits(result.error().kind);
  outcome = what.outcome;
  try {
    error = what.code;  // an upstream's own code is free text
    detail = result.error().detail;
  } catch (const std::bad_alloc&) {
    // Then the record says less.
  }
}

std::optional<nanoseconds> Record::until(Stage stage) const {
  const TimePoint when = stages[static_cast<std::size_t>(stage)];
  if (when == TimePoint{}) return std::nullopt;
  return when - started;
}

void append_trace_line(std::string& out, const Record& record) {
  out += "{\"time\":\"";
  append_time(out, record.time);
  out += '"';
  JsonLine line(out);
  line.name("request_id", record.request_id).name("endpoint", to_string(record.endpoint));
  if (!record.mirror_of.empty()) line.name("mirror_of", record.mirror_of);
  if (!record.refresh_of.empty()) line.name("refresh_of", record.refresh_of);
  line.boolean("stream", record.stream).text("model", record.model).text("route", record.route);
  append_owner(line, record);
  line.text("provider", record.provider).text("upstream_model", record.upstream_model);
  line.number("attempts", record.attempts.size()).number("status", record.status);
  line.name("outcome", to_string(record.outcome));
  if (!record.error.empty()) line.text("error", record.error);
  if (!record.detail.empty()) line.text("detail", record.detail);
  if (record.outcome != Outcome::kOk && record.outcome != Outcome::kCacheHit)
    line.name("phase", to_string(record.phase));
  if (!record.finish_reason.empty()) line.text("finish_reason", record.finish_reason);
  append_usage(line, record.usage);
  if (record.cost) line.raw("cost_usd", to_decimal(*record.cost));
  if (record.lost_cost > Money()) line.raw("lost_usd", to_decimal(record.lost_cost));
  append_decision(line, record);
  append_cache(line, record);
  if (!record.limit.empty()) line.text("limit", record.limit);
  if (!record.observed.empty()) line.text("observed", record.observed);
  append_stages(line, record);
  line.number("bytes_in", record.bytes_in).number("bytes_out", record.bytes_out).number("events", record.events);
  if (!record.upstream_request_id.empty()) line.text("upstream_request_id", record.upstream_request_id);
  if (!record.client_request_id.empty()) line.text("client_request_id", record.client_request_id);
  out += "}\n";
}

void append_log_line(std::string& out, const Record& record) {
  append_time(out, record.time);
  out.append(" request ").append(record.request_id).append(" ").append(to_string(record.endpoint));
  if (record.stream) out += " stream";
  out += " model=";
  append_short_json_string(out, record.model);
  if (!record.key.empty()) out.append(" key=").append(record.key);
  if (!record.provider.empty()) out.append(" provider=").append(record.provider);
  out += " status=";
  append_number(out, record.status);
  out.append(" outcome=").append(to_string(record.outcome));
  if (!record.error.empty()) {
    out += " error=";
    append_short_json_string(out, record.error);
  }
  if (!record.cache.empty()) out.append(" cache=").append(record.cache);
  if (!record.limit.empty()) {
    out += " limit=";
    append_short_json_string(out, record.limit);
  }
  if (auto span = record.until(Stage::kFirstToken)) {
    out += " ttft_us=";
    append_number(out, microseconds_of(*span));
  }
  if (auto span = record.until(Stage::kTotal)) {
    out += " total_us=";
    append_number(out, microseconds_of(*span));
  }
  out += " tokens=";
  append_number(out, record.usage.input);
  out += '+';
  append_number(out, record.usage.output);
  if (record.cost) out.append(" cost_usd=").append(to_decimal(*record.cost));
  if (!record.detail.empty()) {
    out += " detail=";
    append_short_json_string(out, record.detail);
  }
  out += '\n';
}

}  // namespace sluice::observe
