#include "config/sections.hpp"
#include "config/values.hpp"

namespace sluice::config {
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

}  // namespace sluice::config
