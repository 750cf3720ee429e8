#include "sluice/observe/metrics.hpp"

#include <algorithm>
#include <new>

#include "observe/bounds.hpp"

namespace sluice::observe {
namespace {

double seconds(nanoseconds span) { return std::chrono::duration<double>(span).count(); }

std::uint64_t unsigned_of(std::int64_t value) { return value > 0 ? static_cast<std::uint64_t>(value) : 0; }

}  // namespace

void Histogram::observe(double value, std::span<const double> bounds) {
  if (counts.empty()) counts.resize(bounds.size() + 1);
  ++counts[static_cast<std::size_t>(std::ranges::lower_bound(bounds, value) - bounds.begin())];
  sum += value;
  ++total;
}

void Histogram::merge(const Histogram& other) {
  if (counts.size() < other.counts.size()) counts.resize(other.counts.size());
  for (std::size_t i = 0; i < other.counts.size(); ++i) counts[i] += other.counts[i];
  sum += other.sum;
  total += other.total;
}

Metrics::Series& Metrics::series_of(const Record& record) {
  const auto& [endpoint, route, provider] = last_key_;
  if (last_series_ != nullptr && endpoint == record.endpoint && route == record.route && provider == record.provider) {
    return *last_series_;
  }
  last_series_ = nullptr;
  last_key_ = {record.endpoint, record.route, record.provider};
  last_series_ = &series_[last_key_];
  return *last_series_;
}

void Metrics::count(const Record& record) {
  try {
    count_in_place(record);
  } catch (const std::bad_alloc&) {
    ++out_of_place_[static_cast<std::size_t>(record.outcome)];
  }
}

// The request itself comes last, when nothing else can fail.
void Metrics::count_in_place(const Record& record) {
  owners_.count(record);
  agents_.count(record);
  Series& series = series_of(record);
  if (auto total = record.until(Stage::kTotal)) series.duration.observe(seconds(*total), kDurationBounds);
  const auto first = record.until(Stage::kFirstToken);
  const auto last = record.until(Stage::kLastToken);
  if (record.stream && first) series.first_token.observe(seconds(*first), kFirstTokenBounds);
  if (record.stream && first && last && record.usage.output > 1) {
    const double rest = static_cast<double>(record.usage.output - 1);
    series.per_token.observe(seconds(*last - *first) / rest, kPerTokenBounds);
    if (*last > *first) series.speed.observe(rest / seconds(*last - *first), kSpeedBounds);
  }
  const Spent spent = record.spent();
  series.overhead.observe(seconds(spent.of(Share::kGateway)), kOverheadBounds);
  for (std::size_t i = 0; i < kStages; ++i) {
    if (spent.stages[i] > nanoseconds(0)) spent_[i].observe(seconds(spent.stages[i]), kStageBounds);
  }
  count_usage(series, record);
  series.events += record.events;
  series.anomalies += record.usage.anomalous ? 1 : 0;
  if (record.committed != TimePoint{})
    series.commit.observe(seconds(record.committed - record.started), kDurationBounds);
  count_attempts(record);
  count_cache(record);
  if (record.failure) ++errors_[*record.failure];
  ++series.requests[{record.outcome, record.status}];
}

void Metrics::count_usage(Series& series, const Record& record) {
  const Usage& usage = record.usage;
  series.input += unsigned_of(usage.input);
  series.output += unsigned_of(usage.output);
  series.cached += unsigned_of(usage.cached);
  series.reasoning += unsigned_of(usage.reasoning);
  if (record.cost) series.cost += *record.cost;
  const bool used = usage.source == UsageSource::kReported || usage.source == UsageSource::kEstimated;
  if (used && usage.input > 0) series.used_input.observe(static_cast<double>(usage.input), kTokenBounds);
  if (used && usage.output > 0) series.used_output.observe(static_cast<double>(usage.output), kTokenBounds);
  if (record.outcome == Outcome::kClientAbort && record.most_output && !record.attempts.empty()) {
    unspent_[record.route] += unsigned_of(*record.most_output - usage.output);
  }
}

void Metrics::count_attempts(const Record& record) {
  const Attempt* before = nullptr;
  for (const Attempt& attempt : record.attempts) {
    ++attempts_[{attempt.provider, attempt.target, attempt.result}];
    if (attempt.reused) ++reused_[attempt.provider];
    if (attempt.ended > attempt.began) {
      asked_[{attempt.provider, attempt.target}].observe(seconds(attempt.ended - attempt.began), kDurationBounds);
    }
    if (attempt.hedge) {
      ++hedges_[{attempt.target, attempt.result}];
    } else if (before != nullptr && before->target != attempt.target) {
      ++fallbacks_[{before->target, attempt.target, before->result}];
    }
    before = &attempt;
  }
}

void Metrics::count_cache(const Record& record) {
  if (record.cache.empty()) return;
  ++cache_[{record.route, record.cache, record.cache_bypass}];
  if (record.usage.source != UsageSource::kCached) return;
  Saved& saved = saved_[record.route];
  saved.input += unsigned_of(record.saved.input);
  saved.output += unsigned_of(record.saved.output);
  saved.cost += record.saved_cost;
}

// The series is there from the start, so that its first value is no new series.
Metrics::Metrics() { loop_lag_.counts.resize(kLoopLagBounds.size() + 1); }

void Metrics::lagged(nanoseconds lag) { loop_lag_.observe(seconds(lag), kLoopLagBounds); }

void Metrics::merge(const Metrics& other) {
  requests_in_flight += other.requests_in_flight;
  connections += other.connections;
  upstreams.add(other.upstreams);
  for (const auto& [key, from] : other.series_) {
    Series& to = series_[key];
    for (const auto& [what, count] : from.requests) to.requests[what] += count;
    to.duration.merge(from.duration);
    to.first_token.merge(from.first_token);
    to.per_token.merge(from.per_token);
    to.overhead.merge(from.overhead);
    to.commit.merge(from.commit);
    to.speed.merge(from.speed);
    to.used_input.merge(from.used_input);
    to.used_output.merge(from.used_output);
    to.cost += from.cost;
    to.input += from.input;
    to.output += from.output;
    to.cached += from.cached;
    to.reasoning += from.reasoning;
    to.events += from.events;
    to.anomalies += from.anomalies;
  }
  for (const auto& [what, count] : other.attempts_) attempts_[what] += count;
  for (const auto& [what, count] : other.fallbacks_) fallbacks_[what] += count;
  for (const auto& [what, count] : other.hedges_) hedges_[what] += count;
  for (const auto& [what, count] : other.reused_) reused_[what] += count;
  for (const auto& [what, count] : other.cache_) cache_[what] += count;
  for (const auto& [route, from] : other.saved_) {
    Saved& to = saved_[route];
    to.input += from.input;
    to.output += from.output;
    to.cost += from.cost;
  }
  for (const auto& [what, times] : other.asked_) asked_[what].merge(times);
  for (const auto& [route, tokens] : other.unspent_) unspent_[route] += tokens;
  for (const auto& [what, count] : other.errors_) errors_[what] += count;
  for (std::size_t i = 0; i < kStages; ++i) spent_[i].merge(other.spent_[i]);
  for (const auto& [what, count] : other.rejects_) rejects_[what] += count;
  for (std::size_t i = 0; i < sheds_.size(); ++i) sheds_[i] += other.sheds_[i];
  loop_lag_.merge(other.loop_lag_);
  owners_.merge(other.owners_);
  agents_.merge(other.agents_);
  for (const auto& [what, count] : other.tls_errors_) tls_errors_[what] += count;
  escaped_ += other.escaped_;
  for (std::size_t i = 0; i < kOutcomes; ++i) {
    if (other.out_of_place_[i] == 0) continue;
    series_[{Endpoint::kNone, "other", ""}].requests[{static_cast<Outcome>(i), 0}] += other.out_of_place_[i];
  }
}

}  // namespace sluice::observe
