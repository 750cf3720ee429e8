#pragma once
// Which endpoint a body is meant for, when nobody says. Pure.

#include <optional>
#include <string_view>

#include "sluice/core/endpoint.hpp"

namespace sluice::server {

// Those that take a body: "chat", "completions", "embeddings", "responses", "moderations".
std::optional<Endpoint> endpoint_named(std::string_view name);

// By the members that only one endpoint has; kChat where nothing says otherwise, also for what is no JSON.
std::optional<Endpoint> guess_endpoint(std::string_view body);

}  // namespace sluice::server
