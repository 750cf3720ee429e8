#include "sluice/observe/metrics.hpp"

#include <algorithm>
#include <new>

#include "observe/bounds.hpp"
#include "observe/series_table.hpp"

namespace sluice::observe {
namespace {

double seconds(nanoseconds span) { return std::chrono::duration<double>(span).count(); }

std::uint64_t unsigned_of(std::int64_t value) { return value > 0 ? static_cast<std::uint64_t>(value) : 0; }

// Of a histogram: its buckets, the one above the last bound, their sum and count.
constexpr std::size_t series_of_one(std::span<const double> bounds) { return bounds.size() + 3; }

constexpr std::array<std::string_view, kMeasureBounds.size()> kMeasureNames = {
    "duration", "first_token", "per_token", "overhead", "commit", "speed", "used_input", "used_output"};

// Tokens of four types, what they cost, events and anomalies.
constexpr Family kModelFamily{"models", SeriesKind::kModel, 7};
constexpr Family kRequestFamily{"requests", SeriesKind::kModel};
constexpr Family kUnspentFamily{"unspent", SeriesKind::kModel};
constexpr Family kCacheFamily{"cache", SeriesKind::kModel, 2};  // what it did, and why it was bypassed
constexpr Family kSavedFamily{"saved", SeriesKind::kModel, 3};  // tokens of two types, and their cost
constexpr Family kAttemptFamily{"attempts", SeriesKind::kTarget};
constexpr Family kReusedFamily{"reused", SeriesKind::kTarget};
constexpr Family kHedgeFamily{"hedges", SeriesKind::kTarget};
constexpr Family kFallbackFamily{"fallbacks", SeriesKind::kTarget};
constexpr Family kAskedFamily{"asked", SeriesKind::kHistogram, series_of_one(kDurationBounds)};

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
  last_series_ = &place_of(series_, last_key_, kModelFamily, gate_);
  return *last_series_;
}

Metrics::Series& Metrics::other_series() { return series_[other_of(SeriesKey())]; }

void Metrics::measure(Series& series, Measure what, double value) {
  const std::span<const double> bounds = kMeasureBounds[static_cast<std::size_t>(what)];
  const Family family{kMeasureNames[static_cast<std::size_t>(what)], SeriesKind::kHistogram, series_of_one(bounds)};
  const bool own = !series.of(what).counts.empty() || admitted(gate_, family, last_key_);
  (own ? series : other_series()).of(what).observe(value, bounds);
}

// Statuses come from upstreams, so they count as names; of "other" none is told.
void Metrics::count_request(Series& series, Outcome outcome, int status) {
  const auto known = series.requests.find({outcome, status});
  if (known != series.requests.end()) return void(++known->second);
  const auto key = std::tuple_cat(last_key_, std::tuple(to_string(outcome), std::to_string(status)));
  if (admitted(gate_, kRequestFamily, key)) return void(++series.requests[{outcome, status}]);
  ++other_series().requests[{outcome, 0}];
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
  owners_.count(record, gate_);
  agents_.count(record);
  Series& series = series_of(record);
  count_times(series, record);
  count_usage(series, record);
  series.events += record.events;
  series.anomalies += record.usage.anomalous ? 1 : 0;
  count_attempts(record);
  count_cache(record);
  if (record.failure) ++errors_[*record.failure];
  count_request(series, record.outcome, record.status);
}

void Metrics::count_times(Series& series, const Record& record) {
  if (auto total = record.until(Stage::kTotal)) measure(series, Measure::kDuration, seconds(*total));
  const auto first = record.until(Stage::kFirstToken);
  const auto last = record.until(Stage::kLastToken);
  if (record.stream && first) measure(series, Measure::kFirstToken, seconds(*first));
  if (record.stream && first && last && record.usage.output > 1) {
    const double rest = static_cast<double>(record.usage.output - 1);
    measure(series, Measure::kPerToken, seconds(*last - *first) / rest);
    if (*last > *first) measure(series, Measure::kSpeed, rest / seconds(*last - *first));
  }
  const Spent spent = record.spent();
  measure(series, Measure::kOverhead, seconds(spent.of(Share::kGateway)));
  for (std::size_t i = 0; i < kStages; ++i) {
    if (spent.stages[i] > nanoseconds(0)) spent_[i].observe(seconds(spent.stages[i]), kStageBounds);
  }
  if (record.committed != TimePoint{}) measure(series, Measure::kCommit, seconds(record.committed - record.started));
}

void Metrics::count_usage(Series& series, const Record& record) {
  const Usage& usage = record.usage;
  series.input += unsigned_of(usage.input);
  series.output += unsigned_of(usage.output);
  series.cached += unsigned_of(usage.cached);
  series.reasoning += unsigned_of(usage.reasoning);
  if (record.cost) series.cost += *record.cost;
  const bool used = usage.source == UsageSource::kReported || usage.source == UsageSource::kEstimated;
  if (used && usage.input > 0) measure(series, Measure::kUsedInput, static_cast<double>(usage.input));
  if (used && usage.output > 0) measure(series, Measure::kUsedOutput, static_cast<double>(usage.output));
  if (record.outcome == Outcome::kClientAbort && record.most_output && !record.attempts.empty()) {
    place_of(unspent_, record.route, kUnspentFamily, gate_) += unsigned_of(*record.most_output - usage.output);
  }
}

void Metrics::count_attempts(const Record& record) {
  const Attempt* before = nullptr;
  for (const Attempt& attempt : record.attempts) {
    ++place_of(attempts_, {attempt.provider, attempt.target, attempt.result}, kAttemptFamily, gate_);
    if (attempt.reused) ++place_of(reused_, attempt.provider, kReusedFamily, gate_);
    if (attempt.ended > attempt.began) {
      place_of(asked_, {attempt.provider, attempt.target}, kAskedFamily, gate_)
          .observe(seconds(attempt.ended - attempt.began), kDurationBounds);
    }
    if (attempt.hedge) {
      ++place_of(hedges_, {attempt.target, attempt.result}, kHedgeFamily, gate_);
    } else if (before != nullptr && before->target != attempt.target) {
      ++place_of(fallbacks_, {before->target, attempt.target, before->result}, kFallbackFamily, gate_);
    }
    before = &attempt;
  }
}

void Metrics::count_cache(const Record& record) {
  if (record.cache.empty()) return;
  ++place_of(cache_, {record.route, record.cache, record.cache_bypass}, kCacheFamily, gate_);
  if (record.usage.source != UsageSource::kCached) return;
  Saved& saved = place_of(saved_, record.route, kSavedFamily, gate_);
  saved.input += unsigned_of(record.saved.input);
  saved.output += unsigned_of(record.saved.output);
  saved.cost += record.saved_cost;
}

// The series is there from the start, so that its first value is no new series.
Metrics::Metrics(SeriesBudget* budget) : gate_(budget) { loop_lag_.counts.resize(kLoopLagBounds.size() + 1); }

void Metrics::lagged(nanoseconds lag) { loop_lag_.observe(seconds(lag), kLoopLagBounds); }

void Metrics::Series::merge(const Series& other) {
  for (const auto& [what, count] : other.requests) requests[what] += count;
  for (std::size_t i = 0; i < kMeasures; ++i) measures[i].merge(other.measures[i]);
  cost += other.cost;
  input += other.input;
  output += other.output;
  cached += other.cached;
  reasoning += other.reasoning;
  events += other.events;
  anomalies += other.anomalies;
}

void Metrics::merge(const Metrics& other) {
  requests_in_flight += other.requests_in_flight;
  connections += other.connections;
  upstreams.add(other.upstreams);
  gate_.merge(other.gate_);
  for (const auto& [key, from] : other.series_) series_[key].merge(from);
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
  sampled_out_ += other.sampled_out_;
  for (std::size_t i = 0; i < kOutcomes; ++i) {
    if (other.out_of_place_[i] == 0) continue;
    other_series().requests[{static_cast<Outcome>(i), 0}] += other.out_of_place_[i];
  }
}

}  // namespace sluice::observe
