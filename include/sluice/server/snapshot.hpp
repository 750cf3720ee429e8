#pragma once
// A configuration made ready to serve: immutable, shared by all workers, replaced as a whole by a reload. An exchange
// keeps the one it began with.

#include <expected>
#include <memory>
#include <string>

#include "sluice/admission/stages.hpp"
#include "sluice/auth/authenticator.hpp"
#include "sluice/cache/cache.hpp"
#include "sluice/config/config.hpp"
#include "sluice/guard/stages.hpp"
#include "sluice/http/tls.hpp"
#include "sluice/pipeline/middleware.hpp"
#include "sluice/routing/router.hpp"

namespace sluice::server {

// What outlives every configuration: the books go on over reloads.
struct Shared {
  std::shared_ptr<auth::FailureLimits> failures;
  admission::Books books;
  std::shared_ptr<routing::Upstreams> upstreams;
  std::shared_ptr<cache::Cache> cache;  // null: no configuration has wanted one yet
  guard::Books agents;
};

struct Snapshot {
  config::Config config;
  std::string hash;  // of the configuration and the files it reads in, first 12 hexadecimal digits of SHA-256
  std::shared_ptr<const http::TlsContext> tls;  // of the apps' listener; null: plain
  std::unique_ptr<const auth::Authenticator> authenticator;
  std::shared_ptr<const admission::Paths> paths;
  std::shared_ptr<const routing::Router> router;
  std::shared_ptr<cache::Cache> cache;  // null: nothing is cached
  pipeline::Pipeline pipeline;
};

// The error is a sentence for the operator.
std::expected<std::shared_ptr<const Snapshot>, std::string> build_snapshot(config::Config config, std::string hash,
                                                                           std::shared_ptr<const http::TlsContext> tls,
                                                                           const Shared& shared);

}  // namespace sluice::server
