#pragma once
// Our numbers in prometheus-cpp's families, and its serializer for the text format.

#include <prometheus/metric_family.h>

#include <span>
#include <string>
#include <vector>

#include "sluice/observe/metrics.hpp"

namespace sluice::observe {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

MetricFamily family(std::string name, std::string help, MetricType type);
MetricFamily counter(std::string name, std::string help);
MetricFamily gauge(std::string name, std::string help);
void add_number(MetricFamily& to, Labels labels, double value);  // as a counter or a gauge, which the family is
void add_histogram(MetricFamily& to, Labels labels, const Histogram& from, std::span<const double> bounds);
double dollars(Money money);
std::string render_families(const std::vector<MetricFamily>& families);  // but for those without a series

}  // namespace sluice::observe
