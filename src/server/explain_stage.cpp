#include "server/explain_stage.hpp"

#include <algorithm>

#include "admission/claim.hpp"
#include "admission/node_limits.hpp"
#include "cache/question.hpp"
#include "routing/plan.hpp"
#include "routing/resolve.hpp"
#include "routing/rules.hpp"
#include "sluice/pipeline/user.hpp"

namespace sluice::server {
namespace {

using routing::Facts;
using routing::Route;
using routing::Target;

std::string per_million(Price price) { return to_decimal(Money::nanodollars(price.picodollars() * 1000)); }

// Entry by entry, as decide() goes, but for splits: those are told in the decision.
void add_rules(Explanation& into, const Route& alias, const Facts& facts) {
  const Route* at = &alias;
  for (unsigned step = 0; at->rules && step < config::kMostRules; ++step) {
    const routing::Decision decision = routing::choose(*at->rules, facts);
    const auto& all = at->rules->all();
    for (std::size_t i = 0; i < all.size() && i <= decision.index; ++i) {
      ExplainedRule rule{.entry = at->model.name, .why = {}, .use = all[i].use};
      const bool chosen = i == decision.index;
      const bool shadow = !chosen && (decision.shadows >> i & 1) != 0;
      if (chosen) rule.verdict = ExplainedRule::Verdict::kChosen;
      if (shadow) rule.verdict = ExplainedRule::Verdict::kShadow;
      rule.why = chosen || shadow ? reason(*at->rules, i, facts) : obstacle(*at->rules, i, facts);
      into.rules.push_back(std::move(rule));
    }
    if (at->rules->ask_for(config::Fact::kComplexity)) into.complexity = explain(facts.complexity());
    if (decision.rule == nullptr) return;
    at = at->uses[decision.index];
  }
  for (const routing::Branch& part : at->split) {
    into.splits.push_back(at->model.name + ": " + std::to_string(part.percent) + " % as \"" + part.name + "\" to " +
                          part.to->model.name);
  }
}

class Explain final : public pipeline::Middleware {
 public:
  Explain(const Snapshot& snapshot, admission::Books books, routing::Insight insight, Explanation& into)
      : snapshot_(snapshot), books_(books), insight_(std::move(insight)), pricing_(snapshot.config), into_(into) {}

  Task<Result<void>> handle(pipeline::Exchange& exchange, pipeline::Next) const override {
    admission::Claim claim(exchange, books_, *snapshot_.paths, pricing_);
    if (auto good = claim.make(snapshot_.config); !good) co_return good;
    const std::string user = pipeline::user_of(exchange, snapshot_.config.auth.user_headers);
    auto sources = sources_of(exchange, insight_, user);
    if (insight_.budget_left) sources.budget_left = co_await insight_.budget_left(exchange);
    const Facts facts(sources);
    const routing::Plan& plan = *exchange.plan;
    into_.model = exchange.record.model;
    into_.entry = plan.alias().model.name;
    into_.user = user;
    into_.decision = exchange.record.decision;
    add_rules(into_, plan.alias(), facts);
    add_route(claim, plan, facts);
    if (auto good = add_cache(exchange); !good) co_return good;
    add_limits(claim);
    co_return Result<void>{};
  }

 private:
  ExplainedTarget explained(const admission::Claim& claim, const Target& target) const {
    ExplainedTarget out{.name = target.name,
                        .provider = target.place.provider,
                        .model = target.place.model.empty() ? into_.model : target.place.model,
                        .tier = target.tier,
                        .weight = target.weight,
                        .input_price = {},
                        .output_price = {},
                        .left_out = {}};
    const auto price = claim.price_of(out.provider, out.model);
    if (!price || *price == nullptr) return out;
    out.input_price = per_million((*price)->input);
    out.output_price = per_million((*price)->output);
    out.guessed_price = *price == &snapshot_.config.prices.unknown_row;
    return out;
  }

  // `order`: those that are asked, where that is known already; else as the file has them.
  ExplainedModel explained(const admission::Claim& claim, const Route& route, const Facts& facts,
                           std::span<const Target* const> order) const {
    ExplainedModel out{
        .name = route.model.name, .strategy = std::string(to_string(route.model.strategy)), .targets = {}};
    for (const Target* target : order) out.targets.push_back(explained(claim, *target));
    for (const Target& target : route.targets) {
      if (std::ranges::find(order, &target) != order.end()) continue;
      auto& left = out.targets.emplace_back(explained(claim, target));
      if (!routing::holds(target.when, facts)) left.left_out = "its `when` does not hold";
    }
    return out;
  }

  void add_route(const admission::Claim& claim, const routing::Plan& plan, const Facts& facts) const {
    const Route& route = plan.route();
    into_.answers = explained(claim, route, facts, plan.order());
    const auto add = [&](std::vector<ExplainedModel>& list, const std::vector<const Route*>& routes) {
      for (const Route* one : routes) list.push_back(explained(claim, *one, facts, {}));
    };
    add(into_.fallback, route.fallback);
    if (route.for_length != route.fallback) add(into_.for_length, route.for_length);
    if (route.for_policy != route.fallback) add(into_.for_policy, route.for_policy);
    if (route.mirror.to != nullptr) {
      into_.mirror = std::to_string(route.mirror.percent) + " % to " + route.mirror.to->model.name;
    }
    into_.answer = route.model.answer;
  }

  Result<void> add_cache(const pipeline::Exchange& exchange) const {
    if (!snapshot_.cache) return {};
    auto question = cache::question_of(exchange, snapshot_.config.cache, snapshot_.cache->keys());
    if (!question) return std::unexpected(std::move(question.error()));
    if (question->off) return {};
    if (!question->key) {
      into_.cache = "bypassed: " + std::string(to_string(question->bypass));
      return {};
    }
    const auto ttl = cache::ttl_for(question->rules, question->control);
    into_.cache = "kept for " + std::to_string(ttl.count()) + " ms, shared by " + question->scope;
    if (!snapshot_.config.cache.secret.empty()) into_.cache_key = question->key->hex();
    return {};
  }

  void add_limits(const admission::Claim& claim) const {
    const admission::Demand demand = claim.worst_case();
    into_.input_tokens = demand.input;
    into_.output_tokens = demand.output;
    into_.priced = pricing_.is_on();
    into_.cost = demand.cost;
    for (const limit::Take& take : claim.takes()) {
      const limit::Limit& limit = *take.limit;
      into_.limits.push_back({.node = limit.node,
                              .meter = std::string(to_string(limit.meter)),
                              .most = admission::in_words(limit),
                              .amount = take.amount,
                              .money = limit.meter == Meter::kMoney,
                              .observed = limit.mode == Mode::kObserve});
    }
  }

  const Snapshot& snapshot_;
  admission::Books books_;
  routing::Insight insight_;
  admission::Pricing pricing_;
  Explanation& into_;
};

}  // namespace

std::unique_ptr<pipeline::Middleware> make_explain(const Snapshot& snapshot, admission::Books books,
                                                   routing::Insight insight, Explanation& into) {
  return std::make_unique<Explain>(snapshot, books, std::move(insight), into);
}

}  // namespace sluice::server
