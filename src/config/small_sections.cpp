#include "config/sections.hpp"
#include "config/values.hpp"

namespace sluice::config {
namespace {

constexpr std::size_t kLeastSeries = 2000;  // half of which are not for names
constexpr std::size_t kMostSeries = 1'000'000;

}  // namespace

void read_dns(const Value& section, Dns& dns) {
  MapReader map(section);
  map.read("ttl", dns.ttl, duration(1ms, kDay));
}

void read_log(const Value& section, Log& log) {
  MapReader map(section);
  map.read("level", log.level,
           choice<std::string>({{"error", "error"}, {"warn", "warn"}, {"info", "info"}, {"debug", "debug"}}));
  map.read("requests", log.requests, read_flag);
  map.read("queue_bytes", log.queue_bytes, size(kLeastQueue, 16 * kGiB));
}

void read_metrics(const Value& section, Metrics& metrics) {
  MapReader map(section);
  map.read("max_series", metrics.max_series, count(kLeastSeries, kMostSeries));
}

}  // namespace sluice::config
