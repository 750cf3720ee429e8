#include <algorithm>

#include "sluice/core/text.hpp"
#include "sluice/routing/plan.hpp"
#include "sluice/routing/stages.hpp"

namespace sluice::routing {
namespace {

// Moderation requests may name no model; this is the one OpenAI then takes.
constexpr std::string_view kDefaultModerationModel = "omni-moderation-latest";

class Resolve final : public pipeline::Middleware {
 public:
  explicit Resolve(std::shared_ptr<const Router> router) : router_(std::move(router)) {}

  Task<Result<void>> handle(pipeline::Exchange& exchange, pipeline::Next next) const override {
    auto route = find(exchange);
    if (!route) co_return std::unexpected(std::move(route.error()));
    Plan plan(**route);
    exchange.plan = &plan;
    exchange.places = plan.route().places;
    auto& record = exchange.record;
    record.route = plan.route().model->name;
    record.provider = plan.first().provider->config().name;
    record.upstream_model = plan.first().upstream_model.empty() ? record.model : plan.first().upstream_model;
    auto result = co_await next(exchange);
    exchange.plan = nullptr;
    co_return result;
  }

 private:
  Result<const Route*> find(const pipeline::Exchange& exchange) const {
    const std::string_view model = exchange.view->model.empty() ? kDefaultModerationModel : exchange.view->model;
    auto route = router_->find(model);
    if (route && !may_use(exchange.key, model)) {
      return fail_param(ErrorKind::kModelNotAllowed, "model",
                        "Your API key may not use the model `" + truncate_utf8(model, kMaxEchoedModel) +
                            "`. GET /v1/models lists those it may.");
    }
    return route;
  }

  std::shared_ptr<const Router> router_;
};

}  // namespace

bool may_use(const config::Key* key, std::string_view model) {
  if (key == nullptr || !key->models) return true;
  return std::ranges::any_of(*key->models, [&](const std::string& pattern) { return glob_match(pattern, model); });
}

std::unique_ptr<pipeline::Middleware> make_resolve(std::shared_ptr<const Router> router) {
  return std::make_unique<Resolve>(std::move(router));
}

}  // namespace sluice::routing
