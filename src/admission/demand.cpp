#include "admission/demand.hpp"

#include <algorithm>

#include "sluice/api/estimate.hpp"
#include "sluice/budget/cost.hpp"

namespace sluice::admission {
namespace {

// Whatever a request asks for.
constexpr std::int64_t kMostTokens = std::int64_t{1} << 40;
constexpr std::int64_t kMostChoices = 1024;

std::optional<std::int64_t> integer_member(const api::RequestView& view, std::string_view name) {
  const json::Member* member = view.member(name);
  return member == nullptr ? std::nullopt : json::integer_of(member->value);
}

std::int64_t most_output(const api::RequestView& view, std::int64_t otherwise) {
  for (std::string_view name : {"max_completion_tokens", "max_tokens", "max_output_tokens"}) {
    if (const auto most = integer_member(view, name)) return *most;
  }
  return otherwise;
}

bool has_output(Endpoint endpoint) {
  return endpoint == Endpoint::kChat || endpoint == Endpoint::kCompletions || endpoint == Endpoint::kResponses;
}

}  // namespace

Demand demand_of(const api::RequestView& view, std::int64_t default_output, const config::PriceRow* price) {
  Demand demand;
  demand.input = api::reserve_input_tokens(view);
  const auto choices = std::clamp<std::int64_t>(integer_member(view, "n").value_or(1), 1, kMostChoices);
  const bool answers = has_output(view.endpoint);
  const auto each = answers ? std::clamp<std::int64_t>(most_output(view, default_output), 0, kMostTokens) : 0;
  demand.output = each * choices;
  if (price != nullptr) demand.cost = budget::worst_case(*price, demand.input, each, choices);
  return demand;
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
