#include "admission/demand.hpp"

#include <algorithm>

#include "sluice/api/estimate.hpp"
#include "sluice/budget/cost.hpp"

namespace sluice::admission {
namespace {

// Whatever a request asks for.
constexpr std::int64_t kMostTokens = std::int64_t{1} << 40;
constexpr std::int64_t kMostChoices = 1024;

bool has_output(Endpoint endpoint) {
  return endpoint == Endpoint::kChat || endpoint == Endpoint::kCompletions || endpoint == Endpoint::kResponses;
}

}  // namespace

Demand demand_of(const api::RequestView& view, std::int64_t default_output) {
  Demand demand;
  demand.input = api::reserve_input_tokens(view);
  const auto choices = std::clamp<std::int64_t>(view.integer("n").value_or(1), 1, kMostChoices);
  const auto each = std::clamp<std::int64_t>(view.max_output().value_or(default_output), 0, kMostTokens);
  if (has_output(view.endpoint)) demand.output = each * choices;
  return demand;
}

Money cost_at(const config::PriceRow* price, const Demand& demand) {
  return price == nullptr ? Money() : budget::worst_case(*price, demand.input, demand.output, 1);
}

std::int64_t amount_of(const limit::Limit& limit, const Demand& demand) {
  switch (limit.meter) {
    case Meter::kInputTokens:
      return demand.input;
    case Meter::kOutputTokens:
      return demand.output;
    case Meter::kTokens:
      return demand.input + demand.output;
    case Meter::kMoney:
      return demand.cost.nanodollars();
    case Meter::kRequests:
    case Meter::kConcurrency:
      break;
  }
  return 1;
}

std::int64_t used_of(const limit::Limit& limit, const Usage& usage, Money cost) {
  return amount_of(limit, {.input = usage.input, .output = usage.output, .cost = cost});
}

}  // namespace sluice::admission
