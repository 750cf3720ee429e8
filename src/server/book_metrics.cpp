#include "server/book_metrics.hpp"

#include "observe/families.hpp"

namespace sluice::server {
namespace {

using namespace observe;

std::vector<MetricFamily> waits(const limit::WaitCounts& counts) {
  auto queued = gauge("sluice_queue_requests", "Requests that wait for a slot now, by class.");
  auto shed = counter("sluice_queue_shed_total", "Waiting requests that made room for a higher class, by class.");
  for (std::size_t i = 0; i < kPriorities; ++i) {
    const std::string name(to_string(static_cast<Priority>(i)));
    add_number(queued, {{"class", name}}, static_cast<double>(counts.queued[i]));
    add_number(shed, {{"class", name}}, static_cast<double>(counts.evicted[i]));
  }
  auto ended = counter("sluice_queue_waits_total", "Requests that had to wait for a slot, by what came of it.");
  const std::pair<const char*, std::uint64_t> results[] = {{"granted", counts.granted},     {"refused", counts.refused},
                                                           {"timed_out", counts.timed_out}, {"gone", counts.gone},
                                                           {"full", counts.full},           {"late", counts.late}};
  for (const auto& [result, count] : results) add_number(ended, {{"result", result}}, static_cast<double>(count));
  auto waited = family("sluice_queue_wait_seconds", "How long requests waited that got a slot.", MetricType::Histogram);
  add_histogram(waited, {}, counts.waited, limit::kWaitBounds);
  return {queued, shed, ended, waited};
}

std::vector<MetricFamily> alerts(const budget::AlertCounts& counts) {
  auto raised = counter("sluice_budget_alerts_total", "Thresholds that budgets have reached, by kind of node.");
  for (const auto& [what, count] : counts.raised) {
    add_number(raised, {{"node", what.first}, {"percent", std::to_string(what.second)}}, static_cast<double>(count));
  }
  auto hooks = counter("sluice_alert_webhooks_total", "Webhooks of alerts, by what came of them.");
  add_number(hooks, {{"result", "delivered"}}, static_cast<double>(counts.delivered));
  add_number(hooks, {{"result", "retried"}}, static_cast<double>(counts.retries));
  add_number(hooks, {{"result", "failed"}}, static_cast<double>(counts.failed));
  add_number(hooks, {{"result", "dropped"}}, static_cast<double>(counts.dropped));
  auto queued = gauge("sluice_alert_webhooks_queued", "Webhooks that wait to be sent.");
  add_number(queued, {}, static_cast<double>(counts.queued));
  return {raised, hooks, queued};
}

std::vector<MetricFamily> store(const budget::StoreCounts& counts) {
  auto rows = counter("sluice_state_rows_total", "Rows of the books of spend, by what became of them.");
  add_number(rows, {{"result", "written"}}, static_cast<double>(counts.rows));
  add_number(rows, {{"result", "dropped"}}, static_cast<double>(counts.dropped));
  auto errors = counter("sluice_state_errors_total", "Tries to write the books of spend that failed, by reason.");
  for (std::size_t i = 0; i < budget::kStoreFaults; ++i) {
    add_number(errors, {{"reason", std::string(to_string(static_cast<budget::StoreFault>(i)))}},
               static_cast<double>(counts.errors[i]));
  }
  auto waiting = gauge("sluice_state_rows_waiting", "Rows that the last try has left unwritten.");
  add_number(waiting, {}, static_cast<double>(counts.waiting));
  auto lag = gauge("sluice_state_lag_seconds", "Everything older than this is in the file.");
  add_number(lag, {}, std::chrono::duration<double>(counts.lag).count());
  return {rows, errors, waiting, lag};
}

std::vector<MetricFamily> reports(const ReportCounts& counts) {
  auto made = counter("sluice_reports_total", "Weekly reports, by what came of them.");
  add_number(made, {{"result", "written"}}, static_cast<double>(counts.written));
  add_number(made, {{"result", "failed"}}, static_cast<double>(counts.failed));
  return {made};
}

std::vector<MetricFamily> shared(const limit::RedisLedgerCounts& counts) {
  auto admissions = counter("sluice_shared_admissions_total", "Admissions, by who decided.");
  add_number(admissions, {{"by", "redis"}}, static_cast<double>(counts.shared));
  add_number(admissions, {{"by", "local"}}, static_cast<double>(counts.local));
  auto unanswered = counter("sluice_shared_unanswered_total", "Admissions for which Redis was asked in vain.");
  add_number(unanswered, {}, static_cast<double>(counts.unanswered));
  auto settled = counter("sluice_shared_settlements_total", "Settlements, by what became of them.");
  add_number(settled, {{"result", "taken"}}, static_cast<double>(counts.settled));
  add_number(settled, {{"result", "repeated"}}, static_cast<double>(counts.repeated));
  add_number(settled, {{"result", "lost"}}, static_cast<double>(counts.lost));
  auto waiting = gauge("sluice_shared_settlements_waiting", "Settlements that Redis has not taken yet.");
  add_number(waiting, {}, static_cast<double>(counts.waiting));
  auto replicas = gauge("sluice_shared_replicas", "By how many limits are divided while Redis is away.");
  add_number(replicas, {}, counts.replicas);
  auto local = gauge("sluice_shared_local_only", "1 while a worker keeps its limits without Redis.");
  add_number(local, {}, counts.local_only ? 1 : 0);
  return {admissions, unanswered, settled, waiting, replicas, local};
}

std::vector<MetricFamily> redis_clients(const redis::Counts& counts) {
  auto up = gauge("sluice_redis_up", "1 while every worker is connected to Redis.");
  add_number(up, {}, counts.connected && !counts.open ? 1 : 0);
  auto commands = counter("sluice_redis_commands_total", "Commands, by result.");
  add_number(commands, {{"result", "ok"}}, static_cast<double>(counts.replies));
  add_number(commands, {{"result", "refused"}}, static_cast<double>(counts.refused));
  add_number(commands, {{"result", "cancelled"}}, static_cast<double>(counts.cancelled));
  for (std::size_t i = 0; i < redis::kFailures; ++i) {
    add_number(commands, {{"result", std::string(to_string(static_cast<redis::Failure>(i)))}},
               static_cast<double>(counts.failures[i]));
  }
  auto connects = counter("sluice_redis_connects_total", "Connections, by result.");
  add_number(connects, {{"result", "ok"}}, static_cast<double>(counts.connects));
  add_number(connects, {{"result", "failed"}}, static_cast<double>(counts.failed_connects));
  auto opened = counter("sluice_redis_breaker_opened_total", "Times a worker gave Redis up.");
  add_number(opened, {}, static_cast<double>(counts.opened));
  auto desyncs = counter("sluice_redis_desyncs_total", "Replies nobody had asked for; each cost its connection.");
  add_number(desyncs, {}, static_cast<double>(counts.desyncs));
  auto latency = family("sluice_redis_command_duration_seconds", "From a command to its reply.", MetricType::Histogram);
  Histogram histogram;
  histogram.counts.assign(counts.latency.begin(), counts.latency.end());
  for (const auto count : counts.latency) histogram.total += count;
  histogram.sum = std::chrono::duration<double>(counts.latency_sum).count();
  add_histogram(latency, {}, histogram, redis::Counts::kLatencyBounds);
  return {up, commands, connects, opened, desyncs, latency};
}

std::vector<MetricFamily> agents(const BookCounts& counts) {
  auto runs = gauge("sluice_runs", "Runs of agents that this process keeps account of.");
  add_number(runs, {}, static_cast<double>(counts.runs.runs));
  auto evicted = counter("sluice_runs_evicted_total", "Runs that were forgotten to make room: guard.most_runs.");
  add_number(evicted, {}, static_cast<double>(counts.runs.evicted));
  auto waiting = gauge("sluice_tool_calls_remembered", "Calls of tools that this process remembers.");
  add_number(waiting, {}, static_cast<double>(counts.tool_calls.waiting));
  auto forgotten = counter("sluice_tool_calls_evicted_total",
                           "Calls that were forgotten before their results came: guard.most_tool_calls.");
  add_number(forgotten, {}, static_cast<double>(counts.tool_calls.evicted));
  return {runs, evicted, waiting, forgotten};
}

std::vector<MetricFamily> shared_agents(const guard::RunCounts& counts) {
  auto unshared =
      counter("sluice_runs_unshared_total", "Requests of runs that were counted here, since Redis did not answer.");
  add_number(unshared, {}, static_cast<double>(counts.unshared));
  auto lost = counter("sluice_run_ends_lost_total", "Requests of runs whose use Redis never heard of.");
  add_number(lost, {}, static_cast<double>(counts.lost_ends));
  return {unshared, lost};
}

}  // namespace

std::string render_books(const BookCounts& counts) {
  auto families = waits(counts.waits);
  for (auto& one : alerts(counts.alerts)) families.push_back(std::move(one));
  for (auto& one : store(counts.store)) families.push_back(std::move(one));
  for (auto& one : agents(counts)) families.push_back(std::move(one));
  for (auto& one : reports(counts.reports)) families.push_back(std::move(one));
  if (counts.shared) {
    for (auto& one : shared_agents(counts.runs)) families.push_back(std::move(one));
    for (auto& one : shared(*counts.shared)) families.push_back(std::move(one));
    for (auto& one : redis_clients(counts.redis)) families.push_back(std::move(one));
  }
  return render_families(families);
}

}  // namespace sluice::server
