#pragma once
// The events a Responses answer would have been streamed as. Source: OpenAI API reference, "Streaming events".

#include <string>
#include <vector>

#include "sluice/api/json.hpp"

namespace sluice::cache {

// Each text and each call's arguments come in one piece. `response`: a whole answer.
std::vector<std::string> responses_events(json::Value response);

}  // namespace sluice::cache
