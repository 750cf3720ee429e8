#pragma once
// A real redis-server (or a sentinel) on a port of its own, in a directory that disappears with it. Every wait is
// bounded; what cannot happen in a sane environment throws. Ask installed() first, and skip the test visibly if not.

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/process.hpp"
#include "support/socket.hpp"
#include "support/temp_dir.hpp"
#include "support/test_certificates.hpp"

namespace sluice::support {

struct RedisOptions {
  std::string password = {};            // of the default user
  std::vector<std::string> users = {};  // of access control: "app on >secret ~* &* +@all"
  std::optional<Certificate> tls = {};  // absent: plain TCP
  bool cluster = false;                 // no slot is served until somebody says so
  std::uint16_t replica_of = 0;         // a master's port
  std::uint16_t sentinel_of = 0;        // a sentinel, which knows the master at that port as "main"
  std::vector<std::string> more = {};   // further lines of redis.conf
};

class RedisServer {
 public:
  static bool installed();

  // Started, and ready to accept connections.
  explicit RedisServer(RedisOptions options = {});

  std::uint16_t port() const { return port_; }
  std::uint16_t cluster_port() const { return cluster_port_; }       // of the bus between nodes
  std::string ca_file() const { return directory_.path("ca.pem"); }  // of the authority behind the certificate
  std::string log() const { return process_ ? process_->output() : std::string(); }

  void stop();    // as an operator would: SIGTERM
  void kill();    // SIGKILL
  void freeze();  // SIGSTOP: the kernel still accepts connections
  void thaw();    // SIGCONT
  void start();   // on the same port, with nothing of what it held
  void restart() {
    kill();
    start();
  }

  // Sends a command over a connection of its own (plain TCP only), with the password if there is one. The reply as
  // text: a status, string or number as it is, an error with "-" before it, nil as "(nil)", an array one item per line.
  std::string command(std::initializer_list<std::string_view> words) const;
  // Until the command's reply contains `wanted`; false if it does not in time.
  bool wait_for(std::initializer_list<std::string_view> words, std::string_view wanted,
                milliseconds timeout = 20s) const;

 private:
  bool launch();
  std::string configuration() const;

  RedisOptions options_;
  TempDir directory_;
  std::uint16_t port_ = 0;
  std::uint16_t cluster_port_;
  std::unique_ptr<Process> process_;
};

}  // namespace sluice::support
