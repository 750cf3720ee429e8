#include "cache/refresh.hpp"

#include "sluice/pipeline/copies.hpp"
#include "sluice/pipeline/middleware.hpp"

namespace sluice::cache {

void refresh(const pipeline::Exchange& exchange, const Executor& executor) {
  if (!exchange.stages) return;
  auto plan = pipeline::plan_copy(exchange);
  if (!plan) return;
  auto& record = plan->record;
  record.refresh_of = exchange.record.request_id;
  record.key = exchange.record.key;
  record.group = exchange.record.group;
  plan->ask = [stages = exchange.stages, key = exchange.key](pipeline::Exchange& copy) {
    copy.key = key;
    copy.stages = stages;
    copy.refreshing = true;
    return pipeline::Next(*stages)(copy);
  };
  pipeline::begin_copy(exchange, std::move(*plan), executor);
}

}  // namespace sluice::cache
