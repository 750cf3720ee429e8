// routing, and what a provider says beside it.

#include "config/sections.hpp"
#include "config/url.hpp"
#include "config/values.hpp"

namespace sluice::config {
namespace {

constexpr unsigned kMostFailures = 1'000'000;

void read_retry_budget(const Value& section, RetryBudget& budget) {
  MapReader map(section);
  map.read("percent", budget.percent, percent(0, 100));
  map.read("least", budget.least, count(0, 10'000));
}

void read_backoff(const Value& section, Backoff& backoff) {
  MapReader map(section);
  map.read("base", backoff.base, duration(0ms, 1min));
  map.read("most", backoff.most, duration(0ms, 10min));
  if (backoff.most < backoff.base) section.fail_key("most must not be below base");
}

std::optional<std::string> read_health_path(const Value& value) {
  auto text = read_text(value);
  if (!text || text->empty()) return text;
  if (text->find('{') == std::string::npos) return parsed(parse_endpoint_path)(value);
  value.fail("a check is of the host, not of a model");
  return std::nullopt;
}

}  // namespace

std::optional<unsigned> read_attempts(const Value& value) { return small_count(1, 100)(value); }

void read_breaker(const Value& section, Breaker& breaker) {
  MapReader map(section);
  map.read("consecutive_failures", breaker.consecutive_failures, small_count(0, kMostFailures));
  map.read("error_rate", breaker.error_percent, percent(0, 100));
  map.read("window", breaker.window, duration(1s, 1h));
  map.read("least_requests", breaker.least_requests, count(1, 1'000'000));
  map.read("ejection", breaker.ejection, duration(1ms, kDay));
  map.read("longest_ejection", breaker.longest_ejection, duration(1ms, kDay));
  map.read("slow_start", breaker.slow_start, duration(0ms, 1h));
  if (breaker.longest_ejection < breaker.ejection) section.fail_key("longest_ejection must not be below ejection");
}

void read_health(const Value& section, Health& health) {
  MapReader map(section);
  map.read("path", health.path, read_health_path);
  map.read("interval", health.interval, duration(100ms, kDay));
  map.read("timeout", health.timeout, duration(1ms, 1min));
  if (health.timeout > health.interval) section.fail_key("timeout must not be above interval");
}

void read_routing(const Value& section, Routing& routing) {
  MapReader map(section);
  map.read("max_attempts", routing.max_attempts, read_attempts);
  map.read("retries", routing.retries, small_count(0, 100));
  map.section("retry_budget", [&](const Value& value) { read_retry_budget(value, routing.retry_budget); });
  map.section("backoff", [&](const Value& value) { read_backoff(value, routing.backoff); });
  map.section("breaker", [&](const Value& value) { read_breaker(value, routing.breaker); });
  map.read("response_headers", routing.response_headers, read_flag);
}

}  // namespace sluice::config
