#pragma once
// How long a client says it waits, in the words of the official SDKs (x-stainless-timeout, in seconds, of openai-python
// and openai-node). Nothing it says is believed beyond a day.

#include "sluice/pipeline/exchange.hpp"

namespace sluice::pipeline {

// When the client will have given up; kNever if it does not say.
TimePoint deadline_of(const Exchange& exchange);

}  // namespace sluice::pipeline
