#include "admission/claim.hpp"

#include <algorithm>

#include "admission/node_limits.hpp"
#include "admission/rate_headers.hpp"
#include "admission/refusals.hpp"
#include "admission/user_limits.hpp"
#include "sluice/api/estimate.hpp"
#include "sluice/budget/cost.hpp"

namespace sluice::admission {
namespace {

using observe::Phase;

bool counts_tokens(const limit::Take& take) {
  return take.limit->meter != Meter::kRequests && take.limit->meter != Meter::kConcurrency;
}

// What the upstream itself said no to was not used; a connection that broke may have been.
bool was_refused(const Error& error) {
  return error.kind == ErrorKind::kUpstreamStatus || error.kind == ErrorKind::kUpstreamAuth ||
         error.kind == ErrorKind::kUpstreamConnectFailed || error.kind == ErrorKind::kUpstreamTls;
}

}  // namespace

void Claim::take(const limit::Limit& limit) {
  takes_.push_back({&limit, 0});
  needs_slot_ = needs_slot_ || limit.meter == Meter::kConcurrency;
}

void Claim::take(const Limits& limits) {
  for (const limit::Limit& limit : limits) take(limit);
}

void Claim::find_users(const Path& path, const config::Config& config) {
  if (path.each_user.empty()) return;
  const std::string user = user_of(exchange_, config.auth.user_headers);
  if (user.empty()) return;
  for (const EachUser* each : path.each_user) take(*users_.emplace_back(limits_of_user(*each, user, books_.ledger)));
}

Result<void> Claim::make(const Paths& paths, const Pricing& pricing, const config::Config& config) {
  auto& record = exchange_.record;
  const Path& path = paths.of_key(exchange_.key);
  const ModelNode& model = paths.of_model(record.route);
  const ProviderNode& provider = paths.of_provider(record.provider);
  if (!path.tags.empty()) record.tags = &path.tags;
  take(paths.of_process());
  take(model.limits);
  take(provider.limits);
  for (const limit::Limit* limit : path.limits) take(*limit);
  find_users(path, config);
  priced_ = pricing.is_on();
  if (priced_ && !provider.is_free) {
    auto price = pricing.find(record.provider, record.upstream_model, record.time);
    if (!price) return std::unexpected(std::move(price.error()));
    price_ = *price;
  }
  if (!std::ranges::any_of(takes_, counts_tokens)) {
    for (limit::Take& one : takes_) one.amount = 1;
    return {};
  }
  demand_ = demand_of(*exchange_.view, model.max_output, price_);
  for (limit::Take& one : takes_) one.amount = amount_of(*one.limit, demand_);
  return {};
}

void Claim::granted(limit::Grant grant) {
  used_.resize(takes_.size());
  grant_ = std::move(grant);
  reserved_ = demand_.cost;
  append_rate_headers(grant_.takes(), grant_.standings(), exchange_.passed_on);
  bool cuts = false;
  for (std::size_t i = 0; i < takes_.size(); ++i) {
    const limit::Limit& limit = *takes_[i].limit;
    cuts = cuts || (limit.meter == Meter::kMoney && limit.on_exceeded == OnExceeded::kCut);
    if ((grant_.observed() >> i & 1) == 0) continue;
    auto& observed = exchange_.record.observed;
    observed += (observed.empty() ? "" : ", ") + label_of(limit);
  }
  if (cuts && exchange_.view->stream && price_ != nullptr) {
    exchange_.may_go_on = [this](std::int64_t output) { return may_go_on(output); };
  }
}

Result<void> Claim::decided(limit::Verdict verdict) {
  if (auto* grant = std::get_if<limit::Grant>(&verdict)) {
    granted(std::move(*grant));
    return {};
  }
  // What was taken before the refusal is given back: a slot of it may have been missed by somebody meanwhile.
  if (needs_slot_) books_.room.slot_freed(takes_);
  const auto& refusal = std::get<limit::Refusal>(verdict);
  const limit::Take& take = takes_[refusal.index];
  exchange_.record.limit = label_of(*take.limit);
  return std::unexpected(refusal_error(*take.limit, refusal, take.amount));
}

void Claim::turned_away(const limit::Limit* lacking) {
  if (lacking != nullptr) exchange_.record.limit = label_of(*lacking);
}

void Claim::ended(const Result<void>& result) { upstream_refused_ = !result && was_refused(result.error()); }

// A stream that has used up what was reserved for it takes some more ahead, or else no more than it needs.
Result<void> Claim::may_go_on(std::int64_t output) {
  const Money used = budget::worst_case(*price_, demand_.input, output, 1);
  if (used <= reserved_) return {};
  const Money needed = used - reserved_;
  for (const Money more : {std::max(needed, Money::nanodollars(reserved_.nanodollars() / 8)), needed}) {
    if (!grant_.extend(more)) continue;
    reserved_ += more;
    return {};
  }
  return fail(ErrorKind::kBudgetExceeded, "The answer was cut: the budget for it is used up.");
}

// The provider got the request and has not said what it used: it will be billed all the same.
void Claim::count_unreported() {
  auto& usage = exchange_.record.usage;
  const Phase phase = exchange_.record.phase;
  const bool sent = phase != Phase::kBody && phase != Phase::kQueue && phase != Phase::kConnect;
  if (usage.source != UsageSource::kNone || !sent || upstream_refused_) return;
  usage.source = UsageSource::kEstimated;
  usage.input = api::estimate_input_tokens(*exchange_.view);
}

Claim::~Claim() {
  exchange_.may_go_on = nullptr;
  auto& record = exchange_.record;
  count_unreported();
  if (priced_) {
    const bool any = record.usage.source != UsageSource::kNone;
    record.cost = price_ != nullptr && any ? budget::cost_of(*price_, record.usage) : Money();
  }
  if (!grant_) return;
  for (std::size_t i = 0; i < takes_.size(); ++i) {
    used_[i] = used_of(*takes_[i].limit, record.usage, record.cost.value_or(Money()));
  }
  grant_.settle(used_);
  if (needs_slot_) books_.room.slot_freed(takes_);
}

}  // namespace sluice::admission
