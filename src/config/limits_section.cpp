#include "config/sections.hpp"
#include "config/values.hpp"

namespace sluice::config {

void read_limits(const Value& section, Limits& limits) {
  MapReader map(section);
  map.read("header_bytes", limits.header_bytes, size(256, 16 * kMiB));
  map.read("header_fields", limits.header_fields, count(1, 10'000));
  map.read("uri_bytes", limits.uri_bytes, size(16, 16 * kMiB));
  map.read("body_bytes", limits.body_bytes, size(1, 4 * kGiB));
  map.read("head_timeout", limits.head_timeout, duration(1ms, kDay));
  map.read("body_timeout", limits.body_timeout, duration(1ms, kDay));
  map.read("body_min_rate", limits.body_min_rate, rate(0, 100 * kMiB));
  map.read("body_rate_window", limits.body_rate_window, duration(1ms, kDay));
  map.read("keepalive_timeout", limits.keepalive_timeout, duration(1ms, kDay));
  map.read("write_timeout", limits.write_timeout, duration(1ms, kDay));
  map.read("event_bytes", limits.event_bytes, size(16, kGiB));
  map.read("response_bytes", limits.response_bytes, size(1, 4 * kGiB));
  map.read("error_bytes", limits.error_bytes, size(1, 16 * kMiB));
  map.read("inline_bytes", limits.inline_bytes, size(1, kGiB));
}

}  // namespace sluice::config
