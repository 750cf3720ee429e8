#pragma once
// What the standalone upstream does, chosen by the request's `model`:
//   ok, tools, structured, stream-N (N text deltas), slow-stream (one event each 100 ms), stall (after two deltas),
//   hang, error-STATUS, error-stream (error object after two deltas), flaky-429 (one 429 per model name, then ok;
//   flaky-429-ANYTHING counts apart), reset-mid, truncate, embed, embed-float, embed-base64. Everything else is `ok`.
// Embeddings have `dimensions` numbers if that is a multiple of three.

#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "support/behaviour.hpp"
#include "support/observed.hpp"

namespace sluice::support {

class ModelScript {
 public:
  // Thread-safe.
  Behaviour operator()(const ObservedRequest& request);

 private:
  bool first_time(const std::string& model);

  std::mutex mutex_;
  std::set<std::string> seen_;
};

// GET /_observed: {"requests":[{connection,method,target,headers,model,at_ms,body}],"connections":[{peer,bytes_in,
// bytes_out,closed_after_ms,closed_at_ms}]}. closed_after_ms counts from when the connection was accepted; at_ms and
// closed_at_ms are CLOCK_MONOTONIC, so that a client on the same machine can compare.
class ScriptedUpstream;
std::string observed_json(const ScriptedUpstream& upstream);

}  // namespace sluice::support
