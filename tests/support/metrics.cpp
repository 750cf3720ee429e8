#include "support/metrics.hpp"

#include <algorithm>
#include <cstdlib>

namespace sluice::support {
namespace {

bool is_series_of(std::string_view series, std::string_view name) {
  return series.starts_with(name) && (series.size() == name.size() || series[name.size()] == '{');
}

}  // namespace

Metrics::Metrics(std::string_view exposition) {
  while (!exposition.empty()) {
    const auto line_end = exposition.find('\n');
    const std::string_view line = exposition.substr(0, line_end);
    exposition.remove_prefix(line_end == std::string_view::npos ? exposition.size() : line_end + 1);
    if (line.empty() || line.front() == '#') continue;
    const auto labels_end = line.rfind('}');
    const auto space = line.find(' ', labels_end == std::string_view::npos ? 0 : labels_end);
    if (space == std::string_view::npos) continue;
    values_[std::string(line.substr(0, space))] = std::strtod(std::string(line.substr(space + 1)).c_str(), nullptr);
  }
}

double Metrics::sum(std::string_view name, std::initializer_list<std::string_view> labels) const {
  double sum = 0;
  for (const auto& [series, value] : values_) {
    if (!is_series_of(series, name)) continue;
    if (std::ranges::all_of(labels, [&](auto label) { return series.find(label) != std::string::npos; })) sum += value;
  }
  return sum;
}

bool Metrics::has(std::string_view name) const {
  return std::ranges::any_of(values_, [&](const auto& entry) { return is_series_of(entry.first, name); });
}

}  // namespace sluice::support
