#include "sluice/redis/counts.hpp"

namespace sluice::redis {
namespace {

constexpr std::array<std::string_view, kFailures> kNames = {
    "timeout",      "closed", "tls",     "protocol", "loading", "master_down", "readonly",
    "cluster_down", "oom",    "misconf", "auth",     "no_perm", "full",        "open"};

template <std::size_t N>
void add(std::array<std::uint64_t, N>& to, const std::array<std::uint64_t, N>& from) {
  for (std::size_t i = 0; i < N; ++i) to[i] += from[i];
}

}  // namespace

std::string_view to_string(Failure failure) { return kNames[static_cast<std::size_t>(failure)]; }

Counts& Counts::operator+=(const Counts& other) {
  replies += other.replies;
  refused += other.refused;
  cancelled += other.cancelled;
  add(failures, other.failures);
  add(latency, other.latency);
  latency_sum += other.latency_sum;
  connects += other.connects;
  failed_connects += other.failed_connects;
  opened += other.opened;
  open = open || other.open;
  connected = connected && other.connected;
  in_flight += other.in_flight;
  desyncs += other.desyncs;
  script_loads += other.script_loads;
  redirects += other.redirects;
  return *this;
}

}  // namespace sluice::redis
