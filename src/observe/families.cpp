#include "observe/families.hpp"

#include <prometheus/text_serializer.h>

#include <limits>

namespace sluice::observe {

MetricFamily family(std::string name, std::string help, MetricType type) {
  MetricFamily made;
  made.name = std::move(name);
  made.help = std::move(help);
  made.type = type;
  return made;
}

MetricFamily counter(std::string name, std::string help) {
  return family(std::move(name), std::move(help), MetricType::Counter);
}

MetricFamily gauge(std::string name, std::string help) {
  return family(std::move(name), std::move(help), MetricType::Gauge);
}

void add_number(MetricFamily& to, Labels labels, double value) {
  ClientMetric metric;
  metric.label = std::move(labels);
  if (to.type == MetricType::Counter)
    metric.counter.value = value;
  else
    metric.gauge.value = value;
  to.metric.push_back(std::move(metric));
}

double dollars(Money money) { return static_cast<double>(money.nanodollars()) / 1e9; }

void add_histogram(MetricFamily& to, Labels labels, const Histogram& from, std::span<const double> bounds) {
  if (from.counts.empty()) return;
  ClientMetric metric;
  metric.label = std::move(labels);
  std::uint64_t cumulative = 0;
  for (std::size_t i = 0; i < from.counts.size(); ++i) {
    cumulative += from.counts[i];
    metric.histogram.bucket.push_back(
        {cumulative, i < bounds.size() ? bounds[i] : std::numeric_limits<double>::infinity()});
  }
  metric.histogram.sample_count = from.total;
  metric.histogram.sample_sum = from.sum;
  to.metric.push_back(std::move(metric));
}

std::string render_families(const std::vector<MetricFamily>& families) {
  std::vector<MetricFamily> filled;
  for (const auto& one : families) {
    if (!one.metric.empty()) filled.push_back(one);
  }
  return prometheus::TextSerializer{}.Serialize(filled);
}

}  // namespace sluice::observe
