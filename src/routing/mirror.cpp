#include "routing/mirror.hpp"

#include "routing/attempt.hpp"
#include "routing/random.hpp"
#include "sluice/pipeline/copies.hpp"

namespace sluice::routing {
namespace {

Task<Result<void>> ask(const Router& router, const Route& to, pipeline::Exchange& exchange) {
  auto view = api::parse_request(exchange.endpoint, exchange.request.body);
  if (!view) co_return std::unexpected(std::move(view.error()));
  exchange.view = std::move(*view);
  const Facts facts({.view = *exchange.view});
  Plan plan(to, to, {.facts = facts, .random = random_bits()}, Clock::now());
  auto errand = plan.next(Clock::now());
  if (!errand) co_return std::unexpected(plan.nobody(Clock::now()));
  const auto due = exchange.record.started + errand->target->timeouts.total;
  Attempt attempt(exchange, std::move(*errand), {.limits = router.config().limits, .total_due = due});
  auto result = co_await attempt.start();
  attempt.tell();
  if (!result) co_return result;
  co_return co_await attempt.deliver();
}

}  // namespace

void mirror(const pipeline::Exchange& exchange, const Route& to, std::shared_ptr<const Router> router,
            const Executor& executor) {
  if (exchange.request.body.size() > router->config().limits.inline_bytes) return;
  auto plan = pipeline::plan_copy(exchange);
  if (!plan) return;
  auto& record = plan->record;
  record.mirror_of = exchange.record.request_id;
  record.stream = exchange.record.stream;
  record.model = exchange.record.model;
  record.route = to.model.name;
  plan->ask = [router = std::move(router), &to](pipeline::Exchange& copy) { return ask(*router, to, copy); };
  pipeline::begin_copy(exchange, std::move(*plan), executor);
}

}  // namespace sluice::routing
