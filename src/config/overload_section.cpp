#include "config/sections.hpp"
#include "config/values.hpp"

namespace sluice::config {

void read_overload(const Value& section, Overload& overload) {
  MapReader map(section);
  map.read("max_connections", overload.max_connections, automatic_or(count(1, 1'000'000)));
  map.read("memory", overload.memory, automatic_or(size(16 * kMiB, 1024 * kGiB)));
  map.read("shed_at", overload.shed_percent, percent(10, 100));
  map.read("cut_at", overload.cut_percent, percent(10, 100));
  map.read("watchdog", overload.watchdog, duration(0ms, 1h));
  if (overload.cut_percent < overload.shed_percent) section.fail_key("cut_at must not be below shed_at");
  if (overload.watchdog > 0ms && overload.watchdog < 1s) section.fail_key("watchdog must be 0s or at least 1s");
}

}  // namespace sluice::config
