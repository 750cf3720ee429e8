#include "config/sections.hpp"
#include "config/values.hpp"

namespace sluice::config {
namespace {

template <class AnyTimeouts>
void read_any(const Value& section, AnyTimeouts& timeouts) {
  MapReader map(section);
  map.read("connect", timeouts.connect, duration(1ms, kDay));
  map.read("first_byte", timeouts.first_byte, duration(1ms, kDay));
  map.read("first_token", timeouts.first_token, duration(1ms, kDay));
  map.read("idle", timeouts.idle, duration(1ms, kDay));
  map.read("total", timeouts.total, duration(1ms, kDay));
}

}  // namespace

void read_timeouts(const Value& section, Timeouts& timeouts) { read_any(section, timeouts); }
void read_timeouts(const Value& section, TimeoutOverrides& timeouts) { read_any(section, timeouts); }

}  // namespace sluice::config
