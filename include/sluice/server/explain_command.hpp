#pragma once
// `sluice explain`: what a gateway with this configuration would do with a request, and why. Asks nobody, opens no
// port and writes no file.

#include <string>

namespace sluice::server {

struct ExplainOptions {
  std::string config;
  std::string request;   // a file with the body; "-": standard input
  std::string key;       // name of the client's key; empty: nobody's
  std::string endpoint;  // "chat", …; empty: by the body's members
  std::string user;      // the end user; empty: as the request says
  bool json = false;
};

// Standard output tells. Exit codes as in gateway.hpp: 1 also when the gateway would refuse the request.
int explain(const ExplainOptions& options);

}  // namespace sluice::server
