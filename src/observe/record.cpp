#include "sluice/observe/record.hpp"

#include <algorithm>
#include <new>

#include "observe/agent_lines.hpp"
#include "observe/event_line.hpp"
#include "observe/line_parts.hpp"
#include "sluice/core/text.hpp"

namespace sluice::observe {
namespace {

void append_usage(JsonLine& line, const Usage& usage) {
  line.open("usage");
  line.number("input", usage.input).number("output", usage.output).number("cached", usage.cached);
  line.number("cache_write", usage.cache_write).number("reasoning", usage.reasoning);
  line.name("source", to_string(usage.source));
  if (usage.anomalous) line.boolean("anomalous", true);
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

void append_ledger(JsonLine& line, const Record& record) {
  const Spent spent = record.spent();
  if (const auto first = record.until(Stage::kFirstToken)) line.number("ttft_us", microseconds_of(*first));
  if (const auto total = record.until(Stage::kTotal)) line.number("duration_us", microseconds_of(*total));
  line.number("gateway_us", microseconds_of(spent.of(Share::kGateway)));
  line.number("provider_us", microseconds_of(spent.of(Share::kProvider)));
  line.open("ledger_us");
  for (std::size_t i = 0; i < kStages; ++i) {
    if (record.stages[i] != TimePoint{}) line.number(kStageNames[i], microseconds_of(spent.stages[i]));
  }
  line.close();
}

void append_content(JsonLine& line, const Content& content) {
  line.name("input_hash", content.input_hash);
  if (!content.has_text) return;
  line.whole_text("input", content.input).whole_text("output", content.output);
  if (content.truncated) line.boolean("truncated", true);
  if (content.redactions.empty()) return;
  line.open("redactions");
  for (const auto& [kind, count] : content.redactions) line.number(kind, count);
  line.close();
}

void append_request(std::string& out, const Record& record, std::uint32_t share) {
  JsonLine line = open_event(out, "request", record.time);
  append_trace_ids(line, record, share, record.trace.span, record.trace.parent);
  line.name("endpoint", to_string(record.endpoint));
  if (!record.mirror_of.empty()) line.name("mirror_of", record.mirror_of);
  if (!record.refresh_of.empty()) line.name("refresh_of", record.refresh_of);
  line.boolean("stream", record.stream).text("model", record.model).text("route", record.route);
  append_owner(line, record);
  if (!record.user.empty()) line.text("user", record.user);
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
  append_ledger(line, record);
  line.number("bytes_in", record.bytes_in).number("bytes_out", record.bytes_out).number("events", record.events);
  if (!record.upstream_request_id.empty()) line.text("upstream_request_id", record.upstream_request_id);
  if (!record.client_request_id.empty()) line.text("client_request_id", record.client_request_id);
  if (record.content) append_content(line, *record.content);
  close_event(out);
}

// Of a request whose only attempt went well its own line says everything.
bool deserve_lines(const std::vector<Attempt>& attempts) {
  return attempts.size() > 1 || (!attempts.empty() && attempts.front().result != "ok");
}

void append_attempt(std::string& out, const Record& record, std::uint32_t share, std::size_t index) {
  const Attempt& attempt = record.attempts[index];
  const auto since = std::chrono::duration_cast<std::chrono::system_clock::duration>(attempt.began - record.started);
  JsonLine line = open_event(out, "attempt", record.time + since);
  append_trace_ids(line, record, share, attempt.span, record.trace.span);
  line.number("number", index + 1).text("provider", attempt.provider).text("target", attempt.target);
  line.name("result", attempt.result).boolean("reused", attempt.reused);
  if (attempt.hedge) line.boolean("hedge", true);
  const auto add = [&](std::string_view name, TimePoint when) {
    if (when != TimePoint{}) line.number(name, microseconds_of(when - attempt.began));
  };
  add("connect_us", attempt.connected);
  add("first_byte_us", attempt.first_byte);
  add("duration_us", attempt.ended);
  close_event(out);
}

void append_limit(std::string& out, const Record& record, std::uint32_t share, std::string_view result,
                  const std::string& limit) {
  JsonLine line = open_event(out, "limit", record.time);
  append_trace_ids(line, record, share, record.trace.span, record.trace.parent);
  append_owner(line, record);
  line.text("route", record.route).name("result", result).text("limit", limit);
  close_event(out);
}

}  // namespace

std::string_view to_string(Phase phase) {
  constexpr std::array<std::string_view, 7> kNames = {"body",        "queue",  "connect", "first_byte",
                                                      "first_token", "stream", "answer"};
  return kNames[static_cast<std::size_t>(phase)];
}

Share share_of(Stage stage) {
  switch (stage) {
    case Stage::kAccept:
    case Stage::kBody:
    case Stage::kRelay:
      return Share::kClient;
    case Stage::kQueue:
      return Share::kQueue;
    case Stage::kRetry:
    case Stage::kConnect:
    case Stage::kTls:
    case Stage::kFirstByte:
    case Stage::kFirstToken:
    case Stage::kLastToken:
      return Share::kProvider;
    default:
      return Share::kGateway;
  }
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
  failure = what.kind;
  try {
    error = what.code;  // an upstream's own code is free text
    detail = result.error().detail;
  } catch (const std::bad_alloc&) {
    // Then the record says less.
  }
}

void Record::asks(TimePoint now) {
  const bool first = stages[static_cast<std::size_t>(Stage::kRoute)] == TimePoint{};
  reached(first ? Stage::kRoute : Stage::kRetry, now);
  for (const Stage later : {Stage::kConnect, Stage::kTls, Stage::kFirstByte}) reached(later, TimePoint{});
}

Spent Record::spent() const {
  Spent spent;
  TimePoint before = started;
  for (std::size_t i = 0; i < kStages; ++i) {
    if (stages[i] <= before) continue;  // not reached, or by an attempt that was given up for another
    spent.stages[i] = stages[i] - before;
    spent.shares[static_cast<std::size_t>(share_of(static_cast<Stage>(i)))] += spent.stages[i];
    before = stages[i];
  }
  return spent;
}

std::optional<nanoseconds> Record::until(Stage stage) const {
  const TimePoint when = stages[static_cast<std::size_t>(stage)];
  if (when == TimePoint{}) return std::nullopt;
  return when - started;
}

std::size_t append_trace_lines(std::string& out, const Record& record, std::uint32_t share) {
  std::size_t count = 1;
  append_request(out, record, share);
  if (deserve_lines(record.attempts)) {
    for (std::size_t i = 0; i < record.attempts.size(); ++i) append_attempt(out, record, share, i);
    count += record.attempts.size();
  }
  if (!record.limit.empty()) ++count, append_limit(out, record, share, "refused", record.limit);
  if (!record.observed.empty()) ++count, append_limit(out, record, share, "observed", record.observed);
  return count + append_agent_lines(out, record, share);
}

std::string server_timing(const Record& record) {
  const Spent spent = record.spent();
  std::string out;
  out.reserve((kStages + kShares) * 24);
  const auto add = [&out](std::string_view name, nanoseconds span) {
    const auto us = microseconds_of(span);
    out.append(out.empty() ? "" : ", ").append(name).append(";dur=");
    append_number(out, us / 1000);
    const auto rest = static_cast<int>(us % 1000);
    out += '.';
    for (const int digit : {rest / 100, rest / 10 % 10, rest % 10}) out += static_cast<char>('0' + digit);
  };
  for (std::size_t i = 0; i < kStages; ++i) {
    if (spent.stages[i] > nanoseconds(0)) add(kStageNames[i], spent.stages[i]);
  }
  add("gateway", spent.of(Share::kGateway));
  add("provider", spent.of(Share::kProvider));
  return out;
}

std::size_t append_log_line(std::string& out, const Record& record) {
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
  return 1;
}

}  // namespace sluice::observe
