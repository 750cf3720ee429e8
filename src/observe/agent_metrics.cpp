#include "sluice/observe/agent_metrics.hpp"

#include <chrono>

#include "observe/bounds.hpp"
#include "observe/families.hpp"

namespace sluice::observe {
namespace {

double number(std::uint64_t count) { return static_cast<double>(count); }

void add_caps(MetricFamily& to, const std::array<std::uint64_t, kCaps>& counts, const std::string& result) {
  for (std::size_t i = 0; i < kCaps; ++i) {
    if (counts[i] == 0) continue;
    add_number(to, {{"cap", std::string(to_string(static_cast<Cap>(i)))}, {"result", result}}, number(counts[i]));
  }
}

}  // namespace

void AgentMetrics::count(const Record& record) {
  if (!record.run_id.empty()) ++requests_;
  if (record.cap) ++(record.cap->refused ? refused_ : observed_)[place_of(record.cap->cap)];
  if (record.feedback) ++feedback_;
  for (const ToolUse& use : record.tools) {
    ++(use.failed ? failed_ : succeeded_);
    if (use.retries > 0) ++retries_;
    if (use.duration) took_.observe(std::chrono::duration<double>(*use.duration).count(), kDurationBounds);
  }
}

void AgentMetrics::merge(const AgentMetrics& other) {
  for (std::size_t i = 0; i < kCaps; ++i) {
    refused_[i] += other.refused_[i];
    observed_[i] += other.observed_[i];
  }
  requests_ += other.requests_;
  succeeded_ += other.succeeded_;
  failed_ += other.failed_;
  retries_ += other.retries_;
  feedback_ += other.feedback_;
  took_.merge(other.took_);
}

std::string AgentMetrics::render() const {
  auto requests = counter("sluice_run_requests_total", "Requests that belong to a run of an agent.");
  if (requests_ > 0) add_number(requests, {}, number(requests_));
  auto caps = counter("sluice_run_guard_total", "Requests of runs that met a cap, by cap and what became of them.");
  add_caps(caps, refused_, "refused");
  add_caps(caps, observed_, "observed");
  auto calls = counter("sluice_tool_calls_total", "Calls of tools whose results have come, by what those say.");
  if (succeeded_ > 0) add_number(calls, {{"result", "ok"}}, number(succeeded_));
  if (failed_ > 0) add_number(calls, {{"result", "failed"}}, number(failed_));
  auto retries = counter("sluice_tool_call_retries_total",
                         "Of them, calls of a tool that had been called with the same arguments before.");
  if (retries_ > 0) add_number(retries, {}, number(retries_));
  auto took = family("sluice_tool_call_duration_seconds", "From an answer that calls a tool until its result comes.",
                     MetricType::Histogram);
  if (took_.total > 0) add_histogram(took, {}, took_, kDurationBounds);
  auto feedback = counter("sluice_feedback_total", "What apps have said of answers.");
  if (feedback_ > 0) add_number(feedback, {}, number(feedback_));
  return render_families({requests, caps, calls, retries, took, feedback});
}

}  // namespace sluice::observe
