#pragma once
// The running process: workers, admin listener, signals.

#include <string>

namespace sluice::server {

// Exit codes of the commands.
inline constexpr int kExitOk = 0;
inline constexpr int kExitFailure = 1;  // something outside the configuration: a port that is taken
inline constexpr int kExitConfig = 2;

// `sluice serve`: until SIGTERM or SIGINT. SIGHUP reloads. Problems go to standard error before any port is opened.
int serve(const std::string& config_file);

// `sluice check`: every problem of the file on standard error, or one line on standard output.
int check(const std::string& config_file);

}  // namespace sluice::server
