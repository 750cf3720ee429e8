#pragma once
// The innermost stages: who answers.

#include <functional>
#include <memory>
#include <optional>

#include "sluice/config/config.hpp"
#include "sluice/pipeline/middleware.hpp"
#include "sluice/routing/router.hpp"

namespace sluice::routing {

// GET /v1/models and /v1/models/{id}, from memory; everything else goes on.
std::unique_ptr<pipeline::Middleware> make_list_models(std::shared_ptr<const Router> router);

// What rules may ask the books. Either may be null: then nobody has it.
struct Insight {
  std::function<const config::Tags*(const config::Key*)> tags;  // of the key and the groups above it
  // Percent that is left of the tightest budget on the request's way; nothing: there is none.
  std::function<Task<std::optional<double>>(const pipeline::Exchange&)> budget_left;
};

// Finds where the model that is asked for leads, and whether the key may ask for it: exchange.plan, and the record's
// route, provider and upstream model. Errors: kModelNotFound, kModelNotAllowed, kProviderOff.
std::unique_ptr<pipeline::Middleware> make_resolve(std::shared_ptr<const Router> router, Insight insight = {});

// Asks the targets of exchange.plan in turn, until one answers or nobody is left, and relays its answer.
std::unique_ptr<pipeline::Middleware> make_dispatch(std::shared_ptr<const Router> router);

}  // namespace sluice::routing
