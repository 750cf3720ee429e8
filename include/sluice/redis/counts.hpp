#pragma once
// What a client has seen, for metrics. Plain numbers of one worker; add them up for the process.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "sluice/core/clock.hpp"

namespace sluice::redis {

// Why a command came to nothing. The set is closed: the names are values of a label.
enum class Failure : std::uint8_t {
  kTimeout,      // no reply within the deadline
  kClosed,       // no connection, or it was lost
  kTls,          // no agreement, or a certificate that is not believed
  kProtocol,     // what came is no RESP, or a reply beyond its bounds
  kLoading,      // LOADING, BUSY: the server does not serve yet, or just now
  kMasterDown,   // MASTERDOWN, NOREPLICAS: replication is broken
  kReadonly,     // READONLY, or the server is no master: a failover
  kClusterDown,  // CLUSTERDOWN, TRYAGAIN, or a slot that could not be followed
  kOom,          // OOM: maxmemory
  kMisconf,      // MISCONF: writes are stopped, the disk most likely
  kAuth,         // NOAUTH, WRONGPASS: the server wants another user or password
  kNoPerm,       // NOPERM: the user may not do this
  kFull,         // more than Settings::max_in_flight
  kOpen,         // the breaker is open; nothing was sent
};
inline constexpr std::size_t kFailures = 14;
std::string_view to_string(Failure failure);  // "timeout", "closed", "tls", "protocol", "loading", …

struct Counts {
  // Upper bounds in seconds; `latency` has one more bucket for what lies above the last one.
  static constexpr std::array kLatencyBounds = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1};

  std::uint64_t replies = 0;  // the server did what it was asked
  std::uint64_t refused = 0;  // error replies that are the caller's affair: WRONGTYPE, a script's own error
  std::uint64_t cancelled = 0;
  std::array<std::uint64_t, kFailures> failures{};
  std::array<std::uint64_t, kLatencyBounds.size() + 1> latency{};  // of commands that got a reply
  nanoseconds latency_sum{0};

  std::uint64_t connects = 0;  // that came to be usable
  std::uint64_t failed_connects = 0;
  std::uint64_t opened = 0;  // times the breaker opened
  bool open = false;
  bool connected = false;
  std::uint64_t in_flight = 0;
  std::uint64_t desyncs = 0;       // replies nobody had asked for; each cost its connection
  std::uint64_t script_loads = 0;  // EVALSHA that had to be followed by EVAL
  std::uint64_t redirects = 0;     // MOVED and ASK

  Counts& operator+=(const Counts& other);  // `open` if any is, `connected` if all are
};

}  // namespace sluice::redis
