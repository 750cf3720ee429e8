#pragma once
// Counters of one worker. Plain numbers, touched by that worker's thread only; a scrape asks each worker for a copy,
// adds them up and renders the text. So counting costs no lock and no atomic, and a series exists only for names that
// the configuration gave, within a SeriesBudget. Names follow the OpenTelemetry GenAI semantic conventions where they
// have one.

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "sluice/core/upstream_counts.hpp"
#include "sluice/observe/agent_metrics.hpp"
#include "sluice/observe/histogram.hpp"
#include "sluice/observe/owner_metrics.hpp"
#include "sluice/observe/record.hpp"
#include "sluice/observe/series_budget.hpp"
#include "sluice/observe/sink.hpp"

namespace sluice::observe {

// What is turned away or cut because there is too much of something.
enum class Shed : std::uint8_t { kConnections, kDescriptors, kMemory, kMemoryStreams };
inline constexpr std::array<std::string_view, 4> kShedNames = {"connections", "descriptors", "memory",
                                                               "memory_streams"};

// Sums over all series, for whoever looks at the process as a whole.
struct Totals {
  std::array<std::uint64_t, kOutcomes> requests{};
  std::map<ErrorKind, std::uint64_t> errors;
  Histogram first_token;  // of streams, in seconds
  std::uint64_t input = 0, output = 0;
  Money cost;
  Money saved;  // by the cache
};
std::span<const double> first_token_bounds();

class Metrics {
 public:
  // The budget outlives it. Null: there is no bound, as where the copies of workers are added up.
  explicit Metrics(SeriesBudget* budget = nullptr);
  // Never throws: what there is no memory for in its place is counted by its outcome alone.
  void count(const Record& record);
  void count_sampled_out() { ++sampled_out_; }  // a request that the trace does without
  void count_escaped() { ++escaped_; }          // an exception that reached the event loop
  void count_reject(ErrorKind kind) { ++rejects_[kind]; }
  void count_shed(Shed reason) { ++sheds_[static_cast<std::size_t>(reason)]; }
  void lagged(std::chrono::nanoseconds lag);                                // how late the event loop came to a timer
  void count_tls_error(std::string_view reason) { ++tls_errors_[reason]; }  // a literal of a closed set
  void merge(const Metrics& other);

  std::int64_t requests_in_flight = 0;
  std::int64_t connections = 0;
  UpstreamCounts upstreams;  // what the worker's client has counted, for whoever renders

  // The text exposition format, version 0.0.4.
  std::string render() const;
  Totals totals() const;

 private:
  // What is measured of requests, in histograms.
  enum class Measure : std::uint8_t {
    kDuration,
    kFirstToken,
    kPerToken,
    kOverhead,  // our own share
    kCommit,    // until the answer began to go to the client
    kSpeed,     // output tokens per second, after the first
    kUsedInput,
    kUsedOutput,
  };
  static constexpr std::size_t kMeasures = 8;
  struct Series {  // per endpoint, route and provider
    std::map<std::pair<Outcome, int>, std::uint64_t> requests;
    std::array<Histogram, kMeasures> measures;
    Money cost;
    std::uint64_t input = 0, output = 0, cached = 0, reasoning = 0;
    std::uint64_t events = 0;
    std::uint64_t anomalies = 0;
    Histogram& of(Measure measure) { return measures[static_cast<std::size_t>(measure)]; }
    void merge(const Series& other);
  };
  using SeriesKey = std::tuple<Endpoint, std::string, std::string>;
  friend class Exposition;

  Series& series_of(const Record& record);
  Series& other_series();
  void measure(Series& series, Measure what, double value);  // of the series that series_of() gave last
  void count_request(Series& series, Outcome outcome, int status);
  void count_in_place(const Record& record);
  void count_times(Series& series, const Record& record);
  void count_usage(Series& series, const Record& record);

  SeriesGate gate_;
  std::map<SeriesKey, Series> series_;
  Series* last_series_ = nullptr;  // most requests look like the one before
  SeriesKey last_key_;
  using AttemptKey = std::tuple<std::string, std::string, std::string_view>;   // provider, target, result
  using FallbackKey = std::tuple<std::string, std::string, std::string_view>;  // from, to, why
  void count_attempts(const Record& record);
  std::map<AttemptKey, std::uint64_t> attempts_;
  std::map<FallbackKey, std::uint64_t> fallbacks_;
  std::map<std::pair<std::string, std::string_view>, std::uint64_t> hedges_;  // target, result
  std::map<std::pair<std::string, std::string>, Histogram> asked_;            // time by provider and target
  std::map<std::string, std::uint64_t> reused_;  // attempts on a connection that had served before, by provider
  using CacheKey = std::tuple<std::string, std::string_view, std::string_view>;  // route, result, why it was bypassed
  struct Saved {
    std::uint64_t input = 0, output = 0;
    Money cost;
  };
  void count_cache(const Record& record);
  std::map<CacheKey, std::uint64_t> cache_;
  std::map<std::string, Saved> saved_;  // by route
  std::map<std::string, std::uint64_t>
      unspent_;  // tokens that those who left had allowed, and that never came; by route
  std::map<ErrorKind, std::uint64_t> errors_;
  std::array<Histogram, kStages> spent_;
  std::map<ErrorKind, std::uint64_t> rejects_;
  std::array<std::uint64_t, kShedNames.size()> sheds_{};
  Histogram loop_lag_;
  std::map<std::string_view, std::uint64_t> tls_errors_;
  OwnerMetrics owners_;
  AgentMetrics agents_;
  std::uint64_t escaped_ = 0;
  std::uint64_t sampled_out_ = 0;
  std::array<std::uint64_t, kOutcomes> out_of_place_{};  // merge() makes them requests of no endpoint and no provider
};

// Facts of the process that are no worker's.
struct ProcessFacts {
  const LineCounts& trace;
  const LineCounts& log;
  std::uint64_t reloads_ok = 0;
  std::uint64_t reloads_failed = 0;
  std::string config_hash;
  unsigned workers = 0;
  std::size_t max_connections = 0;
  std::size_t memory_used = 0;
  std::size_t memory_limit = 0;
  bool draining = false;
  std::int64_t certificate_expiry = 0;  // of the listener, seconds since the epoch; 0: no TLS
};
std::string render_process(const ProcessFacts& facts);

}  // namespace sluice::observe
