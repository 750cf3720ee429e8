#pragma once
// What goes on now, as JSON for the operator's page. Counters go up from the start of the process; whoever wants rates
// asks twice.

#include <string>
#include <string_view>

#include "server/gather.hpp"
#include "sluice/routing/router.hpp"

namespace sluice::server {

struct LiveFacts {
  std::string_view status;  // as /readyz says it
  std::string_view config_hash;
  nanoseconds uptime{0};
  std::size_t workers = 0;
  std::size_t recent_records = 0;  // the most that are shown
  bool keeps_spend = false;        // whether /admin/spend has an answer
  // Whom a first request goes to: what to say where there has been none.
  std::string_view listen;  // URL of the apps' listener
  std::string example_model;
  bool needs_key = false;
};

// A name that somebody may ask for; empty: the configuration has only patterns.
std::string example_model(const config::Config& config);
std::string render_live(const Activity& activity, const routing::Router& router, const LiveFacts& facts);

}  // namespace sluice::server
