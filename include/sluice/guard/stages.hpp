#pragma once
// The stages that see what agents do: which tools they call, and when a run of theirs must stop.

#include <memory>

#include "sluice/config/config.hpp"
#include "sluice/guard/runs.hpp"
#include "sluice/guard/tool_log.hpp"
#include "sluice/pipeline/middleware.hpp"

namespace sluice::guard {

// What goes on over reloads.
struct Books {
  std::shared_ptr<Runs> runs;
  std::shared_ptr<ToolLog> tools;
};

// Puts into the record who the end user is and which tools' results the request brings, and follows the answer for
// the calls that it asks for. After ParseRequest.
std::unique_ptr<pipeline::Middleware> make_watch_agents(const config::Config& config, std::shared_ptr<ToolLog> tools);

// Requests of a run, named by a header or by metadata.run_id, are counted together, and refused once a cap of their key
// is met: kRunStopped, which SDKs do not retry. A client may lower a cap, by x-sluice-run-max-turns and its like, and
// never raise it. What the gateway itself refuses further inside was no turn.
std::unique_ptr<pipeline::Middleware> make_guard_run(const config::Config& config, std::shared_ptr<Runs> runs);

// POST /v1/feedback: what an app says of an answer, for the trace. After ParseRequest; asks nobody.
std::unique_ptr<pipeline::Middleware> make_take_feedback(const config::Config& config);

}  // namespace sluice::guard
