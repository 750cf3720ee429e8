#include "config/sections.hpp"
#include "config/values.hpp"

namespace sluice::config {

void read_dns(const Value& section, Dns& dns) {
  MapReader map(section);
  map.read("ttl", dns.ttl, duration(1ms, kDay));
}

void read_trace(const Value& section, Trace& trace) {
  MapReader map(section);
  map.read("path", trace.path, read_text);
}

void read_log(const Value& section, Log& log) {
  MapReader map(section);
  map.read("level", log.level,
           choice<std::string>({{"error", "error"}, {"warn", "warn"}, {"info", "info"}, {"debug", "debug"}}));
  map.read("requests", log.requests, read_flag);
}

}  // namespace sluice::config
