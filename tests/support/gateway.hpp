#pragma once
// The real gateway binary, run on ports of its own with a configuration in a directory of its own.

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "support/canary.hpp"
#include "support/metrics.hpp"
#include "support/process.hpp"
#include "support/raw_client.hpp"
#include "support/temp_dir.hpp"

namespace sluice::support {

struct GatewayOptions {
  std::string binary;
  std::string config = {};                              // "{DIR}" stands for the directory
  std::map<std::string, std::string> environment = {};  // beside marked UP_KEY, UP_HEADER, SPARE_KEY, SPARE_QUERY
  std::map<std::string, std::string> files = {};        // written beside the configuration first
  std::string config_name = "gateway.yaml";
};

class Gateway {
 public:
  explicit Gateway(const GatewayOptions& options);

  // Until both ports are known; false if the process ended or took too long.
  bool wait_ready(milliseconds timeout = 20s);
  std::uint16_t port() const { return port_; }
  std::uint16_t admin_port() const { return admin_port_; }

  Process& process() { return process_; }
  void signal(int number) const { process_.signal(number); }
  std::optional<int> wait_exit(milliseconds timeout = 10s) { return process_.wait_exit(timeout); }
  std::string output() const { return process_.output(); }
  bool wait_output(std::string_view text, milliseconds timeout = 5s) const;

  void replace_config(const std::string& text) const;
  std::string config_path() const { return directory_.path(config_name_); }
  const TempDir& directory() const { return directory_; }

  // The complete lines of {DIR}/trace.jsonl that are about such an event; waits until there are `count`, and returns
  // what there is then.
  std::vector<nlohmann::json> events(std::string_view event, std::size_t count = 0, milliseconds timeout = 5s) const;
  std::vector<nlohmann::json> trace(std::size_t count = 0, milliseconds timeout = 5s) const {
    return events("request", count, timeout);
  }
  Metrics metrics() const;
  Response admin(std::string_view target) const { return fetch(admin_port_, get_request(target)); }

  // Everything it shows to anybody but the client who asks: its output, its files, and while it runs the admin
  // listener's answers and its command line.
  std::vector<Sink> sinks();

  std::size_t open_fds() const;
  std::size_t resident_bytes() const;
  // Sanitizer reports in the output, as text; empty is good.
  std::string sanitizer_report() const;

 private:
  std::vector<Sink> live_sinks() const;

  TempDir directory_;
  std::string config_name_;
  std::vector<std::string> given_files_;
  Process process_;
  std::uint16_t port_ = 0;
  std::uint16_t admin_port_ = 0;
};

// Runs `binary check FILE` on that text; exit code and output.
struct CheckResult {
  int exit_code = -1;
  std::string output;
};
CheckResult check_config(const std::string& binary, const std::string& text);

// Polls a condition that no signal announces, every few milliseconds, up to `timeout`.
bool eventually(const std::function<bool()>& condition, milliseconds timeout = 5s);

}  // namespace sluice::support
