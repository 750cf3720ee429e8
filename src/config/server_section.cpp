#include "config/address.hpp"
#include "config/sections.hpp"
#include "config/values.hpp"

namespace sluice::config {
namespace {

constexpr std::uint64_t kMaxWorkers = 256;
constexpr std::uint64_t kMaxRecentRecords = 10'000;

std::optional<unsigned> read_workers(const Value& value) {
  auto text = read_text(value);
  if (!text) return std::nullopt;
  if (*text == "auto") return 0U;
  auto number = parse_whole(*text);
  if (number && *number >= 1 && *number <= kMaxWorkers) return static_cast<unsigned>(*number);
  value.fail(value.shown() + " is neither auto nor a number from 1 to " + std::to_string(kMaxWorkers));
  return std::nullopt;
}

void check_addresses(const Value& section, const Server& server) {
  if (overlap(server.listen, server.admin)) {
    section.fail_key("listen and admin must not share an address and port; both take " + to_string(server.listen));
  }
}

}  // namespace

void read_server(const Value& section, Server& server) {
  MapReader map(section);
  map.read("listen", server.listen, parsed(parse_address));
  map.read("admin", server.admin, parsed(parse_address));
  map.read("workers", server.workers, read_workers);
  map.read("server_timing", server.server_timing, read_flag);
  map.read("recent_records", server.recent_records, count(0, kMaxRecentRecords));
  map.read("drain_grace", server.drain_grace, duration(0ms, 1h));
  map.read("drain_timeout", server.drain_timeout, duration(0ms, kDay));
  map.read("core_dumps", server.core_dumps, read_flag);
  if (server.core_dumps) section.scope->report.note("core_dumps is on: a core file shows every key and every prompt");
  map.section("tls", [&](const Value& part) { read_server_tls(part, server.tls); });
  check_addresses(section, server);
}

}  // namespace sluice::config
