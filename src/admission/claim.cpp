#include "admission/claim.hpp"

#include <algorithm>

#include "admission/node_limits.hpp"
#include "admission/rate_headers.hpp"
#include "admission/refusals.hpp"
#include "admission/user_limits.hpp"
#include "sluice/api/estimate.hpp"
#include "sluice/budget/cost.hpp"
#include "sluice/pipeline/user.hpp"

namespace sluice::admission {
namespace {

using observe::Phase;

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
  const std::string user = pipeline::user_of(exchange_, config.auth.user_headers);
  if (user.empty()) return;
  for (const EachUser* each : path.each_user) take(*users_.emplace_back(limits_of_user(*each, user, books_.ledger)));
}

Result<void> Claim::make(const config::Config& config) {
  auto& record = exchange_.record;
  const Path& path = paths_.of_key(exchange_.key);
  const ModelNode& model = paths_.of_model(record.route);
  if (!path.tags.empty()) record.tags = &path.tags;
  take(paths_.of_process());
  take(model.limits);
  first_provider_ = record.provider;
  provider_from_ = takes_.size();
  take(paths_.of_provider(record.provider).limits);
  provider_to_ = takes_.size();
  for (const limit::Limit* limit : path.limits) take(*limit);
  find_users(path, config);
  priced_ = pricing_.is_on() || exchange_.reckons_cost;
  auto price = price_of(record.provider, record.upstream_model);
  if (!price) return std::unexpected(std::move(price.error()));
  price_ = *price;
  max_output_ = model.max_output;
  const bool estimates = !record.decision.empty() && priced_;
  if (estimates || counts_tokens()) demand_ = worst_case();
  if (estimates) estimate();
  for (limit::Take& one : takes_) one.amount = amount_of(*one.limit, demand_);
  return {};
}

// The dearest of the places that may be asked is reserved for.
Demand Claim::worst_case() const {
  Demand demand = demand_of(*exchange_.view, max_output_);
  demand.cost = cost_at(price_, demand);
  if (exchange_.places.size() < 2) return demand;
  for (const pipeline::Place& place : exchange_.places) {
    const auto price = price_of(place.provider, model_of(place));
    if (price) demand.cost = std::max(demand.cost, cost_at(*price, demand));
  }
  return demand;
}

// What a choice of model comes to, for whoever wonders about it.
void Claim::estimate() {
  auto& record = exchange_.record;
  const Money chosen = cost_at(price_, demand_);
  record.estimated_cost = chosen;
  if (exchange_.shadow == nullptr) return;
  const auto price = price_of(exchange_.shadow->provider, model_of(*exchange_.shadow));
  if (!price) return;
  record.shadow_saves = Money::nanodollars(chosen.nanodollars() - cost_at(*price, demand_).nanodollars());
}

bool Claim::counts_tokens() const {
  return std::ranges::any_of(takes_, [](const limit::Take& take) {
    return take.limit->meter != Meter::kRequests && take.limit->meter != Meter::kConcurrency;
  });
}

const std::string& Claim::model_of(const pipeline::Place& place) const {
  return place.model.empty() ? exchange_.record.model : place.model;
}

// Null: nothing is charged there.
Result<const config::PriceRow*> Claim::price_of(const std::string& provider, const std::string& model) const {
  if (!priced_ || paths_.of_provider(provider).is_free) return nullptr;
  return pricing_.find(provider, model, exchange_.record.time);
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

void Claim::ended(const Result<void>& result) { upstream_refused_ = !result && is_refusal(result.error()); }

// A stream that has used up what was reserved for it takes some more ahead, or else no more than it needs.
Result<void> Claim::may_go_on(std::int64_t output) {
  if (price_ == nullptr) return {};
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

// Whom one turns to when another has failed is not waited for.
Task<Result<void>> Claim::move_to(const pipeline::Place& place) {
  auto price = price_of(place.provider, model_of(place));
  if (!price) co_return std::unexpected(std::move(price.error()));
  const Limits& limits = paths_.of_provider(place.provider).limits;
  const auto same = [&](const Move& move) { return *move.provider == place.provider; };
  if (!limits.empty() && place.provider != first_provider_ && std::ranges::none_of(moves_, same)) {
    if (demand_.input == 0) {
      demand_ = demand_of(*exchange_.view, max_output_);
      demand_.cost = cost_at(*price, demand_);
    }
    std::vector<limit::Take> takes;
    for (const limit::Limit& limit : limits) takes.push_back({&limit, amount_of(limit, demand_)});
    Move move{&place.provider, {}, std::vector<std::int64_t>(takes.size())};
    auto verdict = co_await books_.ledger.admit(takes, limit::wall_now());
    if (!verdict) co_return std::unexpected(std::move(verdict.error()));
    if (const auto* refusal = std::get_if<limit::Refusal>(&*verdict)) {
      const limit::Take& refused = takes[refusal->index];
      co_return std::unexpected(refusal_error(*refused.limit, *refusal, refused.amount));
    }
    move.grant = std::move(std::get<limit::Grant>(*verdict));
    moves_.push_back(std::move(move));
  }
  price_ = *price;
  co_return Result<void>{};
}

Money Claim::cost_of(const Usage& usage) const {
  const bool used = usage.source != UsageSource::kNone && usage.source != UsageSource::kCached;
  return price_ != nullptr && used ? budget::cost_of(*price_, usage) : Money();
}

void Claim::lost(const pipeline::Place& place, const Usage& usage) {
  if (usage.source == UsageSource::kNone) return;
  lost_.input += usage.input;
  lost_.output += usage.output;
  const auto price = price_of(place.provider, model_of(place));
  if (price && *price != nullptr) lost_cost_ += budget::cost_of(**price, usage);
  exchange_.record.lost_cost = lost_cost_;
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

std::int64_t Claim::used_at(const limit::Limit& limit, bool here) const {
  const auto& record = exchange_.record;
  if (!here) return used_of(limit, {}, Money());
  Usage usage = record.usage;
  usage.input += lost_.input;
  usage.output += lost_.output;
  return used_of(limit, usage, record.cost.value_or(Money()));
}

// `provider`: whose limits these are; null: some are of the first provider, the others everybody's.
void Claim::settle(limit::Grant& grant, std::vector<std::int64_t>& used, const std::string* provider) {
  const auto takes = grant.takes();
  for (std::size_t i = 0; i < takes.size(); ++i) {
    const bool firsts = provider == nullptr && i >= provider_from_ && i < provider_to_;
    const std::string* of = firsts ? &first_provider_ : provider;
    used[i] = used_at(*takes[i].limit, of == nullptr || *of == exchange_.record.provider);
  }
  grant.settle(used);
}

Claim::~Claim() {
  exchange_.may_go_on = nullptr;
  exchange_.account = nullptr;
  auto& record = exchange_.record;
  count_unreported();
  if (priced_) record.cost = cost_of(record.usage) + lost_cost_;
  for (Move& move : moves_) settle(move.grant, move.used, move.provider);
  if (!grant_) return;
  settle(grant_, used_, nullptr);
  if (needs_slot_) books_.room.slot_freed(takes_);
}

}  // namespace sluice::admission
