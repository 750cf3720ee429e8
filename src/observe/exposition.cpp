// Rendering: our numbers in prometheus-cpp's families, and its serializer for the text format.

#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>

#include "observe/bounds.hpp"
#include "observe/families.hpp"
#include "sluice/core/build_info.hpp"
#include "sluice/observe/metrics.hpp"

namespace sluice::observe {
namespace {

double resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  double total = 0, resident = 0;
  statm >> total >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

double open_descriptors() {
  std::error_code failed;
  std::filesystem::directory_iterator entries("/proc/self/fd", failed);
  return failed ? 0 : static_cast<double>(std::distance(begin(entries), end(entries)) - 1);
}

double most_descriptors() {
  rlimit limit{};
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? static_cast<double>(limit.rlim_cur) : 0;
}

double cpu_seconds() {
  timespec spent{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
  return static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) / 1e9;
}

// `what` is "trace" or "log".
void add_line_families(std::vector<MetricFamily>& to, const std::string& what, const LineCounts& counts) {
  const std::string prefix = "sluice_" + what;
  const auto add = [&](const char* name, std::string help, MetricType type, std::uint64_t value) {
    to.push_back(family(prefix + name, std::move(help), type));
    add_number(to.back(), {}, static_cast<double>(value));
  };
  add("_lines_total", "Lines written to the " + what + ".", MetricType::Counter, counts.lines);
  auto dropped = family(prefix + "_dropped_total",
                        "Lines of the " + what + " lost because its file was too slow or could not be written.",
                        MetricType::Counter);
  for (std::size_t i = 0; i < kDrops; ++i) {
    add_number(dropped, {{"reason", std::string(to_string(static_cast<Drop>(i)))}},
               static_cast<double>(counts.dropped[i]));
  }
  to.push_back(std::move(dropped));
  add("_write_errors_total", "Tries to open or write the file of the " + what + " that failed.", MetricType::Counter,
      counts.write_errors);
  add("_queue_bytes", "Memory held by lines that wait for the file of the " + what + ".", MetricType::Gauge,
      counts.queue_bytes);
}

const double kStartedAt = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();

}  // namespace

class Exposition {
 public:
  explicit Exposition(const Metrics& from) : from_(from) {}

  std::string render() {
    for (const auto& [key, series] : from_.series_) {
      const auto& [endpoint, route, provider] = key;
      add_series({{"endpoint", std::string(to_string(endpoint))}, {"model", route}, {"provider", provider}}, series);
    }
    add_attempts();
    add_cache();
    add_errors();
    for (std::size_t i = 0; i < kStages; ++i) {
      if (from_.spent_[i].total == 0) continue;
      add_histogram(stages_, {{"stage", std::string(kStageNames[i])}}, from_.spent_[i], kStageBounds);
    }
    for (const auto& [kind, count] : from_.rejects_) {
      add_number(rejects_, {{"reason", std::string(traits(kind).code)}}, static_cast<double>(count));
    }
    for (std::size_t i = 0; i < from_.sheds_.size(); ++i) {
      add_number(sheds_, {{"reason", std::string(kShedNames[i])}}, static_cast<double>(from_.sheds_[i]));
    }
    add_histogram(loop_lag_, {}, from_.loop_lag_, kLoopLagBounds);
    for (const auto& [reason, count] : from_.tls_errors_) {
      add_number(tls_errors_, {{"reason", std::string(reason)}}, static_cast<double>(count));
    }
    add_upstreams(from_.upstreams);
    for (std::size_t i = 0; i < kSeriesKinds; ++i) {
      add_number(capped_, {{"kind", std::string(kSeriesKindNames[i])}},
                 static_cast<double>(from_.gate_.refused(static_cast<SeriesKind>(i))));
    }
    add_number(sampled_out_, {}, static_cast<double>(from_.sampled_out_));
    add_number(escaped_, {}, static_cast<double>(from_.escaped_));
    add_number(in_flight_, {}, static_cast<double>(from_.requests_in_flight));
    add_number(connections_, {}, static_cast<double>(from_.connections));
    return render_families(
        {requests_, duration_,  first_token_, per_token_, overhead_,    tokens_,  events_,   anomalies_,    commit_,
         attempts_, fallbacks_, hedges_,      reused_,    connected_,   refused_, look_ups_, rejects_,      tls_errors_,
         sheds_,    loop_lag_,  escaped_,     in_flight_, connections_, cache_,   bypassed_, saved_tokens_, saved_cost_,
         errors_,   stages_,    speed_,       used_,      cost_,        asked_,   unspent_,  sampled_out_,  capped_});
  }

 private:
  void add_attempts() {
    for (const auto& [what, count] : from_.attempts_) {
      const auto& [provider, target, result] = what;
      add_number(attempts_, {{"provider", provider}, {"target", target}, {"result", std::string(result)}},
                 static_cast<double>(count));
    }
    for (const auto& [what, count] : from_.fallbacks_) {
      const auto& [from, to, reason] = what;
      add_number(fallbacks_, {{"from", from}, {"to", to}, {"reason", std::string(reason)}}, static_cast<double>(count));
    }
    for (const auto& [what, count] : from_.hedges_) {
      add_number(hedges_, {{"target", what.first}, {"result", std::string(what.second)}}, static_cast<double>(count));
    }
    for (const auto& [what, times] : from_.asked_) {
      add_histogram(asked_, {{"provider", what.first}, {"target", what.second}}, times, kDurationBounds);
    }
    for (const auto& [provider, count] : from_.reused_) {
      add_number(reused_, {{"provider", provider}}, static_cast<double>(count));
    }
  }

  void add_errors() {
    for (const auto& [kind, count] : from_.errors_) {
      const ErrorTraits& what = traits(kind);
      add_number(errors_,
                 {{"error", std::string(what.code)},
                  {"origin", std::string(to_string(origin_of(kind)))},
                  {"class", what.should_retry ? "transient" : "systematic"}},
                 static_cast<double>(count));
    }
    for (const auto& [route, tokens] : from_.unspent_) {
      add_number(unspent_, {{"model", route}}, static_cast<double>(tokens));
    }
  }

  void add_cache() {
    std::map<std::pair<std::string, std::string_view>, std::uint64_t> results;
    for (const auto& [what, count] : from_.cache_) {
      const auto& [route, result, bypass] = what;
      results[{route, result}] += count;
      if (bypass.empty()) continue;
      add_number(bypassed_, {{"model", route}, {"reason", std::string(bypass)}}, static_cast<double>(count));
    }
    for (const auto& [what, count] : results) {
      add_number(cache_, {{"model", what.first}, {"result", std::string(what.second)}}, static_cast<double>(count));
    }
    for (const auto& [route, saved] : from_.saved_) {
      add_number(saved_tokens_, {{"model", route}, {"type", "input"}}, static_cast<double>(saved.input));
      add_number(saved_tokens_, {{"model", route}, {"type", "output"}}, static_cast<double>(saved.output));
      add_number(saved_cost_, {{"model", route}}, dollars(saved.cost));
    }
  }

  void add_series(const Labels& labels, const Metrics::Series& series) {
    for (const auto& [what, count] : series.requests) {
      Labels with = labels;
      with.push_back({"outcome", std::string(to_string(what.first))});
      with.push_back({"status", std::to_string(what.second)});
      add_number(requests_, std::move(with), static_cast<double>(count));
    }
    for (std::size_t i = 0; i < Metrics::kMeasures; ++i) {
      const auto measure = static_cast<Metrics::Measure>(i);
      Labels with = labels;
      if (measure == Metrics::Measure::kUsedInput) with.push_back({"gen_ai_token_type", "input"});
      if (measure == Metrics::Measure::kUsedOutput) with.push_back({"gen_ai_token_type", "output"});
      add_histogram(family_of(measure), std::move(with), series.measures[i], kMeasureBounds[i]);
    }
    if (series.cost > Money()) add_number(cost_, labels, dollars(series.cost));
    const std::pair<const char*, std::uint64_t> kinds[] = {
        {"input", series.input}, {"output", series.output}, {"cached", series.cached}, {"reasoning", series.reasoning}};
    for (const auto& [kind, count] : kinds) {
      if (count == 0) continue;
      Labels with = labels;
      with.push_back({"type", kind});
      add_number(tokens_, std::move(with), static_cast<double>(count));
    }
    if (series.events > 0) add_number(events_, labels, static_cast<double>(series.events));
    if (series.anomalies > 0) add_number(anomalies_, labels, static_cast<double>(series.anomalies));
  }

  MetricFamily& family_of(Metrics::Measure measure) {
    switch (measure) {
      case Metrics::Measure::kDuration:
        return duration_;
      case Metrics::Measure::kFirstToken:
        return first_token_;
      case Metrics::Measure::kPerToken:
        return per_token_;
      case Metrics::Measure::kOverhead:
        return overhead_;
      case Metrics::Measure::kCommit:
        return commit_;
      case Metrics::Measure::kSpeed:
        return speed_;
      default:
        return used_;
    }
  }

  // All of them from the start, so that a first one is seen as a rise. No public address is ever refused.
  void add_upstreams(const UpstreamCounts& counts) {
    add_number(connected_, {}, static_cast<double>(counts.connections));
    for (std::size_t i = 0; i < counts.refused.size(); ++i) {
      const auto kind = static_cast<AddressKind>(i);
      if (kind == AddressKind::kPublic) continue;
      add_number(refused_, {{"kind", std::string(to_string(kind))}}, static_cast<double>(counts.refused[i]));
    }
    for (std::size_t i = 0; i < counts.look_ups.size(); ++i) {
      add_number(look_ups_, {{"result", std::string(kLookUpEndNames[i])}}, static_cast<double>(counts.look_ups[i]));
    }
  }

  const Metrics& from_;
  MetricFamily requests_ =
      family("sluice_requests_total", "Requests answered or given up, by how they ended.", MetricType::Counter);
  MetricFamily duration_ =
      family("gen_ai_server_request_duration_seconds",
             "From the first byte of a request to the last byte of its answer.", MetricType::Histogram);
  MetricFamily first_token_ =
      family("gen_ai_server_time_to_first_token_seconds",
             "Streams: from the first byte of a request to the first event.", MetricType::Histogram);
  MetricFamily per_token_ = family("gen_ai_server_time_per_output_token_seconds",
                                   "Streams: mean time between output tokens after the first.", MetricType::Histogram);
  MetricFamily overhead_ = family("sluice_overhead_seconds",
                                  "The gateway's own share of a request's time: no waiting for client, slot or "
                                  "upstream.",
                                  MetricType::Histogram);
  MetricFamily stages_ = family("sluice_stage_duration_seconds",
                                "What the stages of requests lasted, where they were reached.", MetricType::Histogram);
  MetricFamily errors_ = counter("sluice_errors_total",
                                 "Requests that failed, by whose doing it was and whether "
                                 "trying again may help.");
  MetricFamily unspent_ = counter("sluice_abort_saved_tokens_total",
                                  "Tokens that clients who left had allowed and that never came: at most so many.");
  MetricFamily speed_ = family("sluice_output_tokens_per_second", "Streams: output tokens per second after the first.",
                               MetricType::Histogram);
  MetricFamily used_ = family("gen_ai_client_token_usage", "Tokens used by a request.", MetricType::Histogram);
  MetricFamily cost_ = counter("sluice_cost_usd_total", "What requests cost by the price table.");
  MetricFamily asked_ = family("gen_ai_client_operation_duration_seconds",
                               "From the choice of a target to the end of its answer.", MetricType::Histogram);
  MetricFamily tokens_ = family("sluice_tokens_total", "Tokens used; input includes cached, output includes reasoning.",
                                MetricType::Counter);
  MetricFamily events_ = family("sluice_stream_events_total", "Events relayed in streams.", MetricType::Counter);
  MetricFamily anomalies_ =
      family("sluice_usage_anomalies_total", "Usage reports with negative, fractional, huge or mistyped numbers.",
             MetricType::Counter);
  MetricFamily commit_ = family("sluice_commit_duration_seconds",
                                "Time until an answer began to go to the client, after which no other target is asked.",
                                MetricType::Histogram);
  MetricFamily cache_ =
      family("sluice_cache_requests_total", "Requests by what the exact cache did.", MetricType::Counter);
  MetricFamily bypassed_ =
      counter("sluice_cache_bypassed_total", "Requests that went past the exact cache, by reason.");
  MetricFamily saved_tokens_ =
      family("sluice_cache_saved_tokens_total", "Tokens of answers that were given again.", MetricType::Counter);
  MetricFamily saved_cost_ =
      family("sluice_cache_saved_cost_usd_total", "What answers that were given again had cost.", MetricType::Counter);
  MetricFamily fallbacks_ =
      family("sluice_fallbacks_total", "Requests that went on to another target, and why.", MetricType::Counter);
  MetricFamily hedges_ =
      family("sluice_hedges_total", "Second targets asked beside one that was slow, by result.", MetricType::Counter);
  MetricFamily attempts_ =
      family("sluice_upstream_attempts_total", "Tries of an upstream, by result.", MetricType::Counter);
  MetricFamily reused_ = family("sluice_upstream_reused_connections_total",
                                "Tries that went over a connection that had served before.", MetricType::Counter);
  MetricFamily connected_ =
      family("sluice_upstream_connections_total", "New connections to upstreams begun.", MetricType::Counter);
  MetricFamily refused_ =
      family("sluice_upstream_addresses_refused_total",
             "Addresses that an upstream's name led to and that were not connected to, by kind.", MetricType::Counter);
  MetricFamily look_ups_ =
      family("sluice_dns_lookups_total", "Look-ups of upstreams' names, by result.", MetricType::Counter);
  MetricFamily rejects_ =
      family("sluice_http_rejects_total", "Requests refused before their head could be believed.", MetricType::Counter);
  MetricFamily sheds_ =
      family("sluice_shed_total", "Connections and requests turned away or cut by overload.", MetricType::Counter);
  MetricFamily loop_lag_ =
      family("sluice_loop_lag_seconds", "How late a worker's event loop comes to its timers.", MetricType::Histogram);
  MetricFamily tls_errors_ =
      family("sluice_tls_errors_total", "Handshakes of clients that failed, by reason.", MetricType::Counter);
  MetricFamily capped_ = counter("sluice_metrics_series_capped_total",
                                 "Times something was counted as other because metrics.max_series left no room for its "
                                 "name.");
  MetricFamily sampled_out_ =
      counter("sluice_trace_sampled_out_total", "Requests that trace.sample left out of the trace.");
  MetricFamily escaped_ = family("sluice_escaped_exceptions_total",
                                 "Event handlers that failed outside of any request, nearly always for "
                                 "want of memory.",
                                 MetricType::Counter);
  MetricFamily in_flight_ = family("sluice_requests_in_flight", "Requests being served now.", MetricType::Gauge);
  MetricFamily connections_ = family("sluice_client_connections", "Open connections of clients.", MetricType::Gauge);
};

std::string Metrics::render() const { return Exposition(*this).render() + owners_.render() + agents_.render(); }

std::string render_process(const ProcessFacts& facts) {
  const auto gauge = [](std::string name, std::string help, double value) {
    auto made = family(std::move(name), std::move(help), MetricType::Gauge);
    add_number(made, {}, value);
    return made;
  };
  auto info = family("sluice_build_info", "Always 1; the version is a label.", MetricType::Gauge);
  add_number(info, {{"version", std::string(version())}}, 1);
  auto config =
      family("sluice_config_info", "Always 1; the hash of the configuration in force is a label.", MetricType::Gauge);
  add_number(config, {{"hash", facts.config_hash}}, 1);
  auto reloads = family("sluice_config_reloads_total", "Reloads since the start, by result.", MetricType::Counter);
  add_number(reloads, {{"result", "ok"}}, static_cast<double>(facts.reloads_ok));
  add_number(reloads, {{"result", "failed"}}, static_cast<double>(facts.reloads_failed));
  auto expiry = family("sluice_tls_certificate_expiry_timestamp_seconds",
                       "When the listener's certificate expires, in seconds since the epoch.", MetricType::Gauge);
  if (facts.certificate_expiry != 0) add_number(expiry, {}, static_cast<double>(facts.certificate_expiry));
  auto cpu = family("process_cpu_seconds_total", "User and system time spent.", MetricType::Counter);
  add_number(cpu, {}, cpu_seconds());
  std::vector<MetricFamily> families = {info, config, reloads, expiry, cpu};
  add_line_families(families, "trace", facts.trace);
  add_line_families(families, "log", facts.log);
  auto rotations = family("sluice_trace_rotations_total", "Times the trace was to go on in a new file, by result.",
                          MetricType::Counter);
  add_number(rotations, {{"result", "ok"}}, static_cast<double>(facts.trace.rotations));
  add_number(rotations, {{"result", "failed"}}, static_cast<double>(facts.trace.rotations_failed));
  families.insert(
      families.end(),
      {rotations, gauge("sluice_workers", "Worker threads.", facts.workers),
       gauge("sluice_max_connections", "Clients that may be connected at once.",
             static_cast<double>(facts.max_connections)),
       gauge("sluice_memory_used_bytes", "Memory in use, as overload protection sees it.",
             static_cast<double>(facts.memory_used)),
       gauge("sluice_memory_limit_bytes", "What it is held against.", static_cast<double>(facts.memory_limit)),
       gauge("sluice_draining", "1 once the process has been told to stop.", facts.draining ? 1 : 0),
       gauge("process_resident_memory_bytes", "Resident memory.", resident_bytes()),
       gauge("process_open_fds", "Open file descriptors.", open_descriptors()),
       gauge("process_max_fds", "File descriptors that may be open.", most_descriptors()),
       gauge("process_start_time_seconds", "Start of the process, in seconds since the epoch.", kStartedAt)});
  return render_families(families);
}

}  // namespace sluice::observe
