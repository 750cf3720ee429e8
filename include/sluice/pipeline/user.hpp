#pragma once
// Who the end user of a request is, by the words of the app that asks for him.

#include <string>
#include <vector>

#include "sluice/pipeline/exchange.hpp"

namespace sluice::pipeline {

// The end user's name: the first of these headers that is there, else safety_identifier, else user of the body; empty:
// none. After the body has been parsed.
std::string user_of(const Exchange& exchange, const std::vector<std::string>& headers);

}  // namespace sluice::pipeline
