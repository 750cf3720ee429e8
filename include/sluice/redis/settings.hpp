#pragma once
// Which Redis, and how much patience with it: what the configuration says, as this folder understands it.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "sluice/core/clock.hpp"
#include "sluice/core/secret.hpp"

namespace sluice::redis {

struct Address {
  std::string host;  // a name, or an IP address without brackets
  std::uint16_t port = 6379;
  bool operator==(const Address&) const = default;
};

struct Settings {
  // One plain server; with `sentinel_master` the sentinels; with `cluster` some of its nodes. Never empty.
  std::vector<Address> endpoints;
  std::string sentinel_master;  // the name under which sentinels know the master; empty: no Sentinel
  // One node is connected to at a time: the owner of the slot of `cluster_key`. So all keys must carry its hash tag.
  bool cluster = false;
  std::string cluster_key = "{sluice}";

  bool tls = false;        // TLS 1.2 or newer
  std::string ca_file;     // PEM file that replaces the system's store; empty: the system's
  bool tls_verify = true;  // the certificate and the host's name (or address), as the endpoint or Sentinel gives it

  std::string user;       // of Redis' access control lists; empty: the default user
  Secret password;        // for servers, not for sentinels; empty: no AUTH
  unsigned database = 0;  // 0 with `cluster`

  milliseconds deadline{25};  // of a command, from the call to the reply, a connection that must be made included
  milliseconds connect_timeout{1000};              // of a connection, until the server has accepted user and database
  std::size_t max_in_flight = 1024;                // commands; what comes beyond them fails at once
  std::size_t reply_bytes = std::size_t{1} << 20;  // what one reply may take in memory
  unsigned failures_to_open = 5;                   // consecutive failures after which nothing is sent any more …
  milliseconds probe_interval{500};                // … but a probe: the first at once, then this often
};

}  // namespace sluice::redis
