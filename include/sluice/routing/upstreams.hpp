#pragma once
// What is known of targets and their credentials, and what may be spent on asking again. Lives as long as the process:
// a new configuration finds what the old one has learned. Any thread.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/core/clock.hpp"

namespace sluice::routing {

class Upstreams;
std::shared_ptr<Upstreams> make_upstreams();

// How one target stands, for operators. Names of states and reasons are closed sets.
struct TargetStanding {
  std::string provider;
  std::string model;                    // upstream name, or * for any
  std::string_view state;               // closed, open, half_open
  std::string_view ejected_for;         // none, consecutive_faults, error_rate, failed_probe, health_check
  std::optional<milliseconds> out_for;  // open: until it may be probed
  unsigned consecutive_faults = 0;
  std::uint64_t window_requests = 0;
  std::uint64_t window_faults = 0;
  std::uint64_t ejections = 0;           // ever
  double share = 1;                      // of its weight: less while it starts slowly
  std::optional<double> first_token_ms;  // moving average
  std::uint32_t in_flight = 0;
};
struct CredentialStanding {
  std::string provider;
  std::size_t index = 0;  // its place in api_keys
  std::string_view why;   // none, quarantined, cooling_down, requests_spent, tokens_spent
  std::optional<milliseconds> out_for;
  std::uint64_t rejections = 0;  // 401 and 403
  std::uint64_t cool_downs = 0;  // 429
};
struct RetryStanding {
  std::uint64_t spent = 0;
  std::uint64_t refused = 0;
};
// What a health check of a provider has found: its targets are out until then, unless they are marked again; or it is
// well, and those that such a check took out come back with a slow start.
void mark_unhealthy(Upstreams& upstreams, std::string_view provider, TimePoint until);
void mark_healthy(Upstreams& upstreams, std::string_view provider, TimePoint now);

std::vector<TargetStanding> targets_of(const Upstreams& upstreams, TimePoint now);
RetryStanding retries_of(const Upstreams& upstreams);

}  // namespace sluice::routing
