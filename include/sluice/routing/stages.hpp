#pragma once
// The innermost stages: who answers.

#include <memory>

#include "sluice/config/config.hpp"
#include "sluice/pipeline/middleware.hpp"
#include "sluice/routing/router.hpp"

namespace sluice::routing {

// GET /v1/models and /v1/models/{id}, from memory; everything else goes on.
std::unique_ptr<pipeline::Middleware> make_list_models(std::shared_ptr<const Router> router);

// Finds the target, asks it and relays its answer.
std::unique_ptr<pipeline::Middleware> make_dispatch(std::shared_ptr<const Router> router, const config::Limits& limits);

}  // namespace sluice::routing
