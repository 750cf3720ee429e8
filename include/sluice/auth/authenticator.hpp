#pragma once
// Who asks, from a request's head alone. Every failure looks the same and takes the same work, so that nobody learns
// which part of a key is right.

#include <array>
#include <chrono>
#include <memory>
#include <string_view>
#include <vector>

#include "sluice/auth/failure_limits.hpp"
#include "sluice/config/config.hpp"
#include "sluice/config/key_hash.hpp"
#include "sluice/core/error.hpp"
#include "sluice/core/ip.hpp"
#include "sluice/http/head.hpp"

namespace sluice::auth {

struct Caller {
  IpAddress source;  // of the connection
  std::chrono::system_clock::time_point time;
};

// Immutable but for the counts of failures; any thread.
class Authenticator {
 public:
  // `config` outlives it.
  Authenticator(const config::Config& config, std::shared_ptr<FailureLimits> failures);

  // The key that the request carries as `authorization: Bearer`, `x-api-key` or `api-key`; one good one among them is
  // enough. Null where no keys are configured: then whoever is on this machine may ask. Errors: kInvalidApiKey,
  // kTooManyAuthFailures (as the former, for a source that fails too often), kLoopbackOnly.
  Result<const config::Key*> identify(const http::RequestHead& head, const Caller& caller) const;

 private:
  struct Row {
    std::array<char, config::kKeyIdSize> id;
    const config::Key* key;
  };
  const Row& nearest(std::string_view id) const;
  const config::Key* verify(std::string_view text, std::chrono::system_clock::time_point time) const;

  const config::Config& config_;
  std::shared_ptr<FailureLimits> failures_;
  config::Key nobody_;     // stands in where there is no row
  std::vector<Row> rows_;  // by id; never empty
};

}  // namespace sluice::auth
