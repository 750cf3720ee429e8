#include "server/live_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>
#include <span>
#include <utility>

#include "observe/event_line.hpp"
#include "observe/json_line.hpp"
#include "server/target_report.hpp"
#include "sluice/core/build_info.hpp"

namespace sluice::server {
namespace {

using observe::JsonLine;

constexpr std::array<std::string_view, observe::kShares> kShareNames = {"client", "gateway", "queue", "provider"};

std::int64_t microseconds_of(nanoseconds span) {
  return std::chrono::duration_cast<std::chrono::microseconds>(span).count();
}

// A list as the next member. Each of its items is appended by `add`.
template <class Items, class Add>
void append_list(std::string& out, std::string_view name, const Items& items, Add add) {
  out.append(",\"").append(name).append("\":[");
  bool first = true;
  for (const auto& item : items) {
    if (!std::exchange(first, false)) out += ',';
    add(item);
  }
  out += ']';
}

// An object in a list, which the caller closes; `key` is its first member.
JsonLine begin(std::string& out, std::string_view key, std::string_view value) {
  out.append("{\"").append(key).append("\":");
  append_json_string(out, value);
  return JsonLine(out);
}

void append_first_token(std::string& out, const observe::Histogram& ttft) {
  out += ",\"ttft\":{\"streams\":";
  append_number(out, ttft.total);
  JsonLine(out).raw("sum_s", fmt::format("{:.6f}", ttft.sum));
  append_list(out, "bounds_s", observe::first_token_bounds(), [&](double bound) { out += fmt::format("{}", bound); });
  append_list(out, "counts", ttft.counts, [&](std::uint64_t count) { append_number(out, count); });
  out += '}';
}

void append_totals(std::string& out, const observe::Totals& totals) {
  JsonLine line(out);
  line.open("requests");
  for (std::size_t i = 0; i < kOutcomes; ++i) line.number(to_string(static_cast<Outcome>(i)), totals.requests[i]);
  line.close();
  line.number("input_tokens", totals.input).number("output_tokens", totals.output);
  line.raw("cost_usd", to_decimal(totals.cost)).raw("saved_usd", to_decimal(totals.saved));
  append_list(out, "errors", totals.errors, [&](const auto& error) {
    begin(out, "error", traits(error.first).code)
        .name("origin", to_string(origin_of(error.first)))
        .number("count", error.second);
    out += '}';
  });
  append_first_token(out, totals.first_token);
}

void append_running(std::string& out, const RunningRequests& running) {
  out += ",\"running\":{\"requests\":";
  append_number(out, running.requests);
  JsonLine(out).number("streams", running.streams);
  append_list(out, "oldest", running.oldest, [&](const RunningRequest& one) {
    auto line = begin(out, "request_id", one.request_id);
    line.text("model", one.model).text("route", one.route).text("key", one.key).text("provider", one.provider);
    line.name("phase", one.phase).boolean("stream", one.stream).number("age_us", microseconds_of(one.age));
    if (one.first_token) line.number("ttft_us", microseconds_of(*one.first_token));
    line.number("events", one.events).number("bytes", one.bytes);
    out += '}';
  });
  out += '}';
}

void append_ledger(std::string& out, const RecentRecord& record) {
  JsonLine line(out);
  line.number("gateway_us", microseconds_of(record.spent.of(observe::Share::kGateway)));
  line.number("provider_us", microseconds_of(record.spent.of(observe::Share::kProvider)));
  line.open("ledger_us");
  for (std::size_t i = 0; i < observe::kStages; ++i) {
    const auto span = record.spent.stages[i];
    if (span > nanoseconds(0)) line.number(observe::kStageNames[i], microseconds_of(span));
  }
  line.close();
}

void append_attempts(std::string& out, const RecentRecord& record) {
  append_list(out, "attempts", record.attempts, [&](const RecentAttempt& attempt) {
    auto line = begin(out, "provider", attempt.provider);
    line.text("target", attempt.target).name("result", attempt.result);
    line.boolean("hedge", attempt.hedge).number("duration_us", microseconds_of(attempt.lasted));
    out += '}';
  });
}

void append_record(std::string& out, const RecentRecord& record) {
  auto line = begin(out, "request_id", record.request_id);
  std::string time;
  observe::append_time(time, record.time);
  line.name("time", time).name("endpoint", to_string(record.endpoint)).boolean("stream", record.stream);
  line.text("model", record.model).text("route", record.route).text("key", record.key).text("group", record.group);
  line.text("provider", record.provider).text("upstream_model", record.upstream_model);
  line.name("outcome", to_string(record.outcome)).number("status", record.status);
  for (const auto& [name, text] :
       {std::pair("error", &record.error), std::pair("detail", &record.detail), std::pair("limit", &record.limit),
        std::pair("finish_reason", &record.finish_reason), std::pair("mirror_of", &record.mirror_of),
        std::pair("refresh_of", &record.refresh_of)}) {
    if (!text->empty()) line.text(name, *text);
  }
  if (!record.cache.empty()) line.name("cache", record.cache);
  line.number("input_tokens", record.usage.input).number("output_tokens", record.usage.output);
  line.name("tokens_from", to_string(record.usage.source));
  if (record.cost) line.raw("cost_usd", to_decimal(*record.cost));
  line.number("events", record.events).number("bytes_out", record.bytes_out);
  if (record.first_token) line.number("ttft_us", microseconds_of(*record.first_token));
  if (record.total) line.number("duration_us", microseconds_of(*record.total));
  append_ledger(out, record);
  append_attempts(out, record);
  out += '}';
}

}  // namespace

std::string example_model(const config::Config& config) {
  const auto plain = [](const config::Model& model) { return !model.name.contains('*'); };
  const auto found = std::ranges::find_if(config.models, plain);
  return found == config.models.end() ? std::string() : found->name;
}

std::string render_live(const Activity& activity, const routing::Router& router, const LiveFacts& facts) {
  std::string out = "{\"version\":";
  append_json_string(out, version());
  JsonLine line(out);
  line.name("status", facts.status).text("config", facts.config_hash);
  line.number("uptime_us", microseconds_of(facts.uptime)).number("workers", facts.workers);
  line.boolean("keeps_spend", facts.keeps_spend).number("recent_records", facts.recent_records);
  line.text("listen", facts.listen).text("example_model", facts.example_model).boolean("needs_key", facts.needs_key);
  line.number("connections", activity.metrics.connections);
  append_totals(out, activity.metrics.totals());
  append_running(out, activity.running);
  append_list(out, "stages", std::views::iota(std::size_t{0}, observe::kStages), [&](std::size_t stage) {
    const auto share = static_cast<std::size_t>(share_of(static_cast<observe::Stage>(stage)));
    begin(out, "name", observe::kStageNames[stage]).name("share", kShareNames[share]);
    out += '}';
  });
  const auto shown = std::min(activity.recent.size(), facts.recent_records);
  append_list(out, "recent", std::span(activity.recent).first(shown),
              [&](const RecentRecord& record) { append_record(out, record); });
  line.raw("upstreams", report_targets(router, Clock::now()));
  return out + "}\n";
}

}  // namespace sluice::server
