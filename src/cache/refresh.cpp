#include "cache/refresh.hpp"

#include "sluice/pipeline/copies.hpp"
#include "sluice/pipeline/middleware.hpp"

namespace sluice::cache {
namespace {

// What its request said, or one that it takes the place of.
std::vector<std::pair<std::string, std::string>> wishes(const Entry& old) {
  std::vector<std::pair<std::string, std::string>> fields;
  std::string tags;
  for (const std::string& tag : old.tags) (tags += tags.empty() ? "" : ",") += tag;
  if (!tags.empty()) fields.emplace_back("x-sluice-cache-tags", std::move(tags));
  if (old.asked_ttl_ms >= 0) fields.emplace_back("x-sluice-cache-ttl", std::to_string(old.asked_ttl_ms) + "ms");
  return fields;
}

}  // namespace

void refresh(const pipeline::Exchange& exchange, const Entry& old, const Executor& executor) {
  if (!exchange.stages) return;
  auto plan = pipeline::plan_copy(exchange);
  if (!plan) return;
  plan->fields = wishes(old);
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
