#pragma once
// The end of a pipeline that sends nothing: looks at what the stages before it have decided.

#include <memory>

#include "server/explanation.hpp"
#include "sluice/routing/stages.hpp"
#include "sluice/server/snapshot.hpp"

namespace sluice::server {

// What `sluice explain` asks: who asks for what.
struct Question {
  const config::Key* key = nullptr;
  std::string user;
  Endpoint endpoint = Endpoint::kChat;
  std::string body;
};

// After Resolve. Everything given outlives it. Errors: as Admit's before anything is taken.
std::unique_ptr<pipeline::Middleware> make_explain(const Snapshot& snapshot, admission::Books books,
                                                   routing::Insight insight, Explanation& into);

}  // namespace sluice::server
