#include "routing/attempt.hpp"
#include "routing/blame.hpp"
#include "sluice/routing/plan.hpp"
#include "sluice/routing/stages.hpp"

namespace sluice::routing {
namespace {

class Dispatch final : public pipeline::Middleware {
 public:
  explicit Dispatch(const config::Limits& limits) : limits_(limits) {}

  Task<Result<void>> handle(pipeline::Exchange& exchange, pipeline::Next) const override {
    const auto passed_on = exchange.passed_on.size();
    Result<void> result;
    while (const Target* target = exchange.plan->next()) {
      exchange.passed_on.resize(passed_on);
      result = co_await ask(exchange, *target);
      if (result || exchange.sink.started() || reason_to_fall_back(result.error()) == Reason::kNone) break;
    }
    co_return result;
  }

 private:
  Task<Result<void>> ask(pipeline::Exchange& exchange, const Target& target) const {
    const AttemptLimits limits{.limits = limits_,
                               .total_due = exchange.record.started + target.timeouts.total,
                               .alternatives = !exchange.plan->is_last()};
    exchange.sink.end_by(limits.total_due);
    Attempt attempt(exchange, target, limits);
    auto started = co_await attempt.start();
    if (!started) co_return started;
    co_return co_await attempt.deliver();
  }

  config::Limits limits_;
};

}  // namespace

std::unique_ptr<pipeline::Middleware> make_dispatch(const config::Limits& limits) {
  return std::make_unique<Dispatch>(limits);
}

}  // namespace sluice::routing
