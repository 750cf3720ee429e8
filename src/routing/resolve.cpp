#include "routing/resolve.hpp"

#include <algorithm>

#include "routing/decide.hpp"
#include "routing/plan.hpp"
#include "routing/random.hpp"
#include "routing/rules.hpp"
#include "routing/stable_hash.hpp"
#include "sluice/core/text.hpp"
#include "sluice/pipeline/user.hpp"
#include "sluice/routing/stages.hpp"

namespace sluice::routing {
namespace {

// Moderation requests may name no model; this is the one OpenAI then takes.
constexpr std::string_view kDefaultModerationModel = "omni-moderation-latest";

constexpr std::size_t kStickyPrompt = 1024;  // of a prompt's beginning: what a provider's cache would keep

// Who asks, as far as that is known: the end user, else the key, else the address.
std::string caller_of(const pipeline::Exchange& exchange, const std::string& user) {
  if (!user.empty()) return "user " + user;
  return exchange.key != nullptr ? "key " + exchange.key->name : "from " + to_string(exchange.source);
}

std::string beginning_of_prompt(const api::RequestView& view) {
  for (std::string_view name : {"messages", "input", "prompt"}) {
    if (const json::Member* member = view.member(name)) return std::string(member->value.raw.substr(0, kStickyPrompt));
  }
  return {};
}

std::uint64_t sticky_of(const Route& route, const pipeline::Exchange& exchange, const std::string& user) {
  if (route.model.strategy != config::Strategy::kSticky) return 0;
  std::string what;
  switch (route.model.sticky) {
    case config::StickyBy::kUser:
      break;
    case config::StickyBy::kKey:
      if (exchange.key != nullptr) what = "key " + exchange.key->name;
      break;
    case config::StickyBy::kPromptCacheKey:
      what = exchange.view->text("prompt_cache_key");
      break;
    case config::StickyBy::kPrompt:
      what = beginning_of_prompt(*exchange.view);
      break;
  }
  if (what.empty()) what = caller_of(exchange, user);
  return stable_hash(route.model.name, what);
}

class Resolve final : public pipeline::Middleware {
 public:
  Resolve(std::shared_ptr<const Router> router, Insight insight)
      : router_(std::move(router)), insight_(std::move(insight)) {}

  Task<Result<void>> handle(pipeline::Exchange& exchange, pipeline::Next next) const override {
    auto alias = find(exchange);
    if (!alias) co_return std::unexpected(std::move(alias.error()));
    const Route* route = *alias;
    const bool plain = is_plain(*route);
    std::string user;
    if (!plain) user = pipeline::user_of(exchange, router_->config().auth.user_headers);
    FactSources sources = sources_of(exchange, insight_, user);
    if (route->rules && route->rules->ask_for(config::Fact::kBudgetLeft) && insight_.budget_left) {
      sources.budget_left = co_await insight_.budget_left(exchange);
    }
    const Facts facts(sources);
    if (route->rules || !route->split.empty()) route = decided(exchange, *route, facts, user);
    Plan plan(**alias, *route,
              {.facts = facts,
               .sticky = sticky_of(*route, exchange, user),
               .random = plain ? 0 : random_bits(),
               .tokens = static_cast<std::int64_t>(exchange.view->body.size() / 4)},
              Clock::now());
    const Target* first = plan.first();
    if (first == nullptr && !route->last_words) co_return off(exchange, *route);
    note(exchange, plan, first);
    auto result = co_await next(exchange);
    exchange.plan = nullptr;
    co_return result;
  }

 private:
  // One target and nothing to decide: nobody needs to know who asks.
  static bool is_plain(const Route& route) {
    return route.targets.size() == 1 && !route.rules && route.split.empty() && route.targets.front().when.empty();
  }

  static const Route* decided(pipeline::Exchange& exchange, const Route& alias, const Facts& facts,
                              const std::string& user) {
    Decided decided = decide(alias, facts, caller_of(exchange, user), random_bits());
    auto& record = exchange.record;
    if (!decided.reason.empty()) record.decision = decided.route->model.name + ": " + decided.reason;
    if (decided.shadow == nullptr) return decided.route;
    record.shadow = decided.shadow->model.name + ": " + decided.shadow_reason;
    if (!decided.shadow->targets.empty()) exchange.shadow = &decided.shadow->targets.front().place;
    return decided.route;
  }

  static void note(pipeline::Exchange& exchange, Plan& plan, const Target* first) {
    exchange.plan = &plan;
    auto& record = exchange.record;
    record.route = plan.alias().model.name;
    if (first == nullptr) return;
    const Route& route = plan.route();
    exchange.places = route.places;
    exchange.resolved = {.model = route.forwards ? std::string_view(exchange.view->model) : route.model.name,
                         .revision = route.revision,
                         .entry = &route.model};
    note_target(record, *first);
  }

  Result<const Route*> find(const pipeline::Exchange& exchange) const {
    const std::string_view model = exchange.view->model.empty() ? kDefaultModerationModel : exchange.view->model;
    auto route = router_->find(model);
    if (route && !may_use(exchange.key, model)) {
      return fail_param(ErrorKind::kModelNotAllowed, "model",
                        "Your API key may not use the model `" + truncate_utf8(model, kMaxEchoedModel) +
                            "`. GET /v1/models lists those it may.");
    }
    return route;
  }

  static Result<void> off(const pipeline::Exchange& exchange, const Route& route) {
    return fail(ErrorKind::kProviderOff,
                "The model `" + truncate_utf8(exchange.view->model, kMaxEchoedModel) +
                    "` is not available: the provider of `" + truncate_utf8(route.model.name, kMaxEchoedModel) +
                    "`, which it leads to, has no credential.",
                route.off_reason);
  }

  std::shared_ptr<const Router> router_;
  Insight insight_;
};

}  // namespace

FactSources sources_of(const pipeline::Exchange& exchange, const Insight& insight, std::string_view user) {
  return {.view = *exchange.view,
          .head = &exchange.request.head,
          .key = exchange.key,
          .tags = insight.tags && exchange.key != nullptr ? insight.tags(exchange.key) : nullptr,
          .user = user,
          .now = std::chrono::floor<std::chrono::seconds>(exchange.record.time),
          .budget_left = {}};
}

bool may_use(const config::Key* key, std::string_view model) {
  if (key == nullptr || !key->models) return true;
  return std::ranges::any_of(*key->models, [&](const std::string& pattern) { return glob_match(pattern, model); });
}

std::unique_ptr<pipeline::Middleware> make_resolve(std::shared_ptr<const Router> router, Insight insight) {
  return std::make_unique<Resolve>(std::move(router), std::move(insight));
}

}  // namespace sluice::routing
