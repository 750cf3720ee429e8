#include "routing/plan.hpp"

#include <algorithm>

#include "routing/credential_ring.hpp"
#include "routing/rules.hpp"

namespace sluice::routing {
namespace {

bool goes_by_latency(Strategy strategy) {
  return strategy == Strategy::kLowestLatency || strategy == Strategy::kLowestCost;
}

Candidate candidate_of(const Target& target, const Facts& facts, bool with_latency, TimePoint now) {
  Candidate candidate = target.state ? target.state->candidate(now, with_latency) : Candidate{};
  candidate.tier = target.tier;
  candidate.weight = target.weight;
  candidate.price = target.price;
  if (!target.when.empty()) candidate.available = candidate.available && holds(target.when, facts);
  return candidate;
}

}  // namespace

void note_target(observe::Record& record, const Target& target) {
  record.provider = target.place.provider;
  record.upstream_model = target.place.model.empty() ? record.model : target.place.model;
}

Plan::Plan(const Route& alias, const Route& route, const PlanSources& sources, TimePoint now)
    : alias_(alias), route_(route), sources_(sources), fallbacks_(&route.fallback) {
  enter(route, now);
}

const Target* Plan::first() const {
  if (!order_.empty()) return order_.front();
  if (!route_.targets.empty()) return &route_.targets.front();
  for (const Route* fallback : route_.fallback) {
    if (!fallback->targets.empty()) return &fallback->targets.front();
  }
  return nullptr;
}

void Plan::enter(const Route& route, TimePoint now) {
  const auto& targets = route.targets;
  if (targets.size() == 1 && targets.front().when.empty()) {
    order_.push_back(&targets.front());
    return;
  }
  boost::container::small_vector<Candidate, 64> candidates;
  for (const Target& target : targets) {
    candidates.push_back(candidate_of(target, sources_.facts, goes_by_latency(route.model.strategy), now));
    if (!candidates.back().available && target.state) is_out(target.state->available_at(now));
  }
  const Draw draw{
      .turn = route.turn.fetch_add(1, std::memory_order_relaxed), .random = sources_.random, .key = sources_.sticky};
  for (const std::uint32_t index : choose(candidates, route.model.strategy, draw)) order_.push_back(&targets[index]);
}

void Plan::begin_anew(TimePoint now) {
  order_.clear();
  place_ = next_fallback_ = 0;
  fallbacks_ = &route_.fallback;
  enter(route_, now);
}

bool Plan::enter_next(TimePoint now) {
  if (next_fallback_ >= fallbacks_->size()) return false;
  enter(*(*fallbacks_)[next_fallback_++], now);
  return true;
}

std::optional<Errand> Plan::next(TimePoint now) {
  for (;;) {
    if (again_ != nullptr) {
      current_ = std::exchange(again_, nullptr);
    } else if (place_ < order_.size()) {
      current_ = order_[place_++];
    } else if (enter_next(now)) {
      continue;
    } else {
      return std::nullopt;
    }
    if (auto errand = errand_to(*current_, now)) return errand;
  }
}

std::optional<Errand> Plan::errand_to(const Target& target, TimePoint now) {
  Errand errand{.target = &target, .leave = target.state ? target.state->begin(now) : std::nullopt};
  if (target.state && !errand.leave) {
    is_out(target.state->available_at(now));
    return std::nullopt;
  }
  if (target.credentials == nullptr) return errand;
  const CredentialPick pick = target.credentials->pick(now, sources_.tokens);
  if (pick.index) {
    errand.credential = *pick.index;
    return errand;
  }
  is_out(pick.usable_at);
  (pick.why == Unusable::kQuarantined ? quarantined_ : rate_limited_) = true;
  return std::nullopt;
}

void Plan::failed(Reason reason, TimePoint now) {
  switch (reason) {
    case Reason::kRateLimit:
    case Reason::kCredential:
      if (current_->credentials != nullptr && current_->credentials->usable(now, sources_.tokens)) again_ = current_;
      return;
    case Reason::kContextLength:
    case Reason::kContentPolicy: {
      const auto* others = reason == Reason::kContextLength ? &route_.for_length : &route_.for_policy;
      place_ = order_.size();
      if (fallbacks_ != others) next_fallback_ = 0;
      fallbacks_ = others;
      return;
    }
    case Reason::kOutage:
    case Reason::kNone:
      return;
  }
}

bool Plan::has_more() const { return place_ < order_.size() || next_fallback_ < fallbacks_->size(); }

Error Plan::nobody(TimePoint now) const {
  Error error;
  if (quarantined_ && !rate_limited_) {
    error = fail(ErrorKind::kUpstreamAuth, "The provider did not accept this gateway's credential.",
                 "every credential is quarantined")
                .error();
    return error;
  }
  if (rate_limited_) {
    error = fail(ErrorKind::kUpstreamStatus, "The provider's rate limit is reached; please try again later.",
                 "every credential rests")
                .error();
    error.status = 429;
    error.type = "rate_limit_error";
    error.code = "rate_limit_exceeded";
  } else {
    error = fail(ErrorKind::kNoHealthyUpstream, "No provider of this model is in order at the moment.",
                 "every target is ejected")
                .error();
  }
  if (back_at_ == kNever) return error;
  tell_wait(error, std::max(std::chrono::ceil<milliseconds>(back_at_ - now), milliseconds(1)));
  return error;
}

}  // namespace sluice::routing
