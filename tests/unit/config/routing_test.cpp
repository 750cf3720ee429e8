// What is written about routing: attempts, breakers, targets, sharing and rescue.

#include "sluice/config/model_names.hpp"
#include "unit/config/support.hpp"

namespace sluice::config {
namespace {

Model model_of(std::string_view lines) {
  const auto loaded = load_good(in_models("  n: p/n\n  m: " + std::string(lines)));
  return loaded.config.models.empty() ? Model{} : loaded.config.models.back();
}

TEST(RoutingSection, IsReadWhole) {
  const auto config =
      load_good(with_top("routing: {max_attempts: 7, retry_budget: {percent: 5%, least: 0}, backoff: {base: 0s, most: "
                         "1s}, breaker: {consecutive_failures: 0, error_rate: 10%, window: 1m, least_requests: 5, "
                         "ejection: 1s, longest_ejection: 1h, slow_start: 0s}, response_headers: false}"))
          .config;
  Routing expected;
  expected.max_attempts = 7;
  expected.retry_budget = {.percent = 5, .least = 0};
  expected.backoff = {.base = 0ms, .most = 1s};
  expected.breaker = {0, 10, 60s, 5, 1s, 1h, 0s};
  expected.response_headers = false;
  EXPECT_EQ(config.routing, expected);
}

TEST(RoutingSection, ProvidersStartFromItsBreakerWhereverItStands) {
  const auto config = load_good(in_upstream("    breaker: {window: 20s}\n    warm_up: 4\n    health: {path: /health, "
                                            "interval: 1s, timeout: 1s}\nrouting: {breaker: {ejection: 9s}}"))
                          .config;
  const Provider& provider = config.providers.at("p");
  Breaker expected;
  expected.window = 20s;
  expected.ejection = 9s;
  EXPECT_EQ(provider.breaker, expected);
  EXPECT_EQ(provider.warm_up, 4U);
  EXPECT_EQ(provider.health, (Health{"/health", 1s, 1s}));
}

TEST(Targets, AreTextOrMapsAndKeepTheirOrder) {
  const Model model = model_of(
      "{targets: [p/a, {provider: p, model: \"*\", weight: 3, tier: 2, name: eu, when: {stream: true}}, house/b]}");
  ASSERT_EQ(model.targets.size(), 3U);
  EXPECT_EQ(model.targets[0], target_of("p", "a"));
  EXPECT_EQ(model.targets[1].model, "*");
  EXPECT_EQ(model.targets[1].weight, 3U);
  EXPECT_EQ(model.targets[1].tier, 2U);
  EXPECT_EQ(model.targets[1].name, "eu");
  EXPECT_EQ(model.targets[1].when.at(0).fact, Fact::kStream);
  EXPECT_EQ(model.targets[2], target_of("house", "b"));
}

TEST(Targets, WithAWeightAreSharedByWeightUnlessAStrategyIsChosen) {
  EXPECT_EQ(model_of("{targets: [p/a, p/b]}").strategy, Strategy::kOrdered);
  EXPECT_EQ(model_of("{targets: [{provider: p, model: a, weight: 1}, p/b]}").strategy, Strategy::kWeighted);
  EXPECT_EQ(model_of("{strategy: least_busy, targets: [{provider: p, model: a, weight: 9}]}").strategy,
            Strategy::kLeastBusy);
  EXPECT_EQ(model_of("{strategy: lowest_latency, target: p/a}").strategy, Strategy::kLowestLatency);
  EXPECT_EQ(model_of("{strategy: lowest_cost, target: p/a}").strategy, Strategy::kLowestCost);
  const Model sticky = model_of("{strategy: sticky, sticky: prompt_cache_key, target: p/a}");
  EXPECT_EQ(sticky.strategy, Strategy::kSticky);
  EXPECT_EQ(sticky.sticky, StickyBy::kPromptCacheKey);
}

TEST(Targets, ShareAndRescueAreRead) {
  const Model model = model_of(
      "{target: p/a, split: [{percent: 60%, use: n}, {percent: 40%, use: p/x, name: x}], mirror: {use: n, percent: 5%},"
      " fallback: [n, \"house/*\"], fallback_on: {content_policy: [house/no]}, starve: {rate: 90/min, within: 2s},"
      " hedge: {after: 800ms, least: 0s}, answer: Sorry., max_attempts: 9}");
  EXPECT_EQ(model.split, (std::vector<Split>{{60, "n", ""}, {40, "p/x", "x"}}));
  EXPECT_EQ(model.mirror, (Mirror{"n", 5}));
  EXPECT_EQ(model.fallback, (std::vector<std::string>{"n", "house/*"}));
  EXPECT_EQ(model.fallback_on.context_length, std::nullopt);
  EXPECT_EQ(model.fallback_on.content_policy, std::vector<std::string>{"house/no"});
  EXPECT_EQ(model.starve, (Starve{{90, std::chrono::seconds(60)}, 2s}));
  EXPECT_EQ(model.hedge, (Hedge{std::nullopt, 800ms, 0ms}));
  EXPECT_EQ(model.answer, "Sorry.");
  EXPECT_EQ(model.max_attempts, 9U);
}

TEST(ModelNames, MeanEntriesThenTargetsThenGlobs) {
  const auto config = load_good(in_models("  p/x: p/real\n  \"*\": p/*\n  m: p/x")).config;
  const ModelNames names(config);
  EXPECT_EQ(names.find("m").entry->name, "m");
  EXPECT_EQ(names.find("p/x").entry->name, "p/x");
  EXPECT_EQ(names.find("p/y").target, target_of("p", "y"));
  EXPECT_EQ(names.find("p/y/z").target, target_of("p", "y/z"));
  EXPECT_EQ(names.find("q/y").entry->name, "*") << "there is no provider q";
  EXPECT_EQ(names.find("else").entry->name, "*");
  const auto without = load_good(in_models("  m: p/x")).config;
  EXPECT_FALSE(ModelNames(without).find("else"));
  EXPECT_FALSE(ModelNames(without).find("/"));
}

BadCase top(std::string name, std::string lines, int column, std::string path, std::string fragment) {
  return {std::move(name), with_top(lines), 1, column, std::move(path), std::move(fragment)};
}
BadCase upstream(std::string name, const std::string& line, int column, const std::string& path, std::string fragment) {
  return {std::move(name), in_upstream("    " + line), 5, column, "providers.p." + path, std::move(fragment)};
}
BadCase model(std::string name, const std::string& line, int column, const std::string& path, std::string fragment) {
  return {std::move(name), in_models("  " + line), 5, column, "models." + path, std::move(fragment)};
}

const BadCase kCases[] = {
    top("attempts_none", "routing: {max_attempts: 0}", 25, "routing.max_attempts", "expected 1 to 100"),
    top("budget_without_sign", "routing: {retry_budget: {percent: 20}}", 35, "routing.retry_budget.percent",
        "is not a percentage"),
    top("backoff_shrinks", "routing: {backoff: {base: 3s}}", 11, "routing.backoff", "most must not be below base"),
    top("ejection_shrinks", "routing: {breaker: {ejection: 1h}}", 11, "routing.breaker", "longest_ejection must not"),
    top("breaker_key", "routing: {breaker: {errors: 5}}", 21, "routing.breaker.errors", "unknown key"),
    upstream("health_relative", "health: {path: health}", 20, "health.path", "starts with /"),
    upstream("health_of_a_model", "health: {path: \"/{model}\"}", 20, "health.path", "is of the host"),
    upstream("health_slower_than_its_interval", "health: {interval: 1s}", 5, "health", "timeout must not be above"),
    upstream("warm_up_beyond_the_pool", "warm_up: 300", 14, "warm_up", "more than pool.max_idle"),
    {"breaker_of_a_static_provider", in_provider("    dialect: static\n    answer: hi\n    breaker: {window: 1s}"), 6,
     5, "providers.p.breaker", "has no meaning for dialect static"},

    model("targets_empty", "m: {targets: []}", 16, "m.targets", "is empty; expected at least one target"),
    model("targets_text", "m: {targets: p/x}", 16, "m.targets", "expected a list, found text"),
    model("targets_and_target", "m: {targets: [p/x], target: p/y}", 23, "m.target", "put it into that list"),
    model("targets_and_when_off", "m: {targets: [p/x], when_off: house/y}", 23, "m.when_off", "beside targets"),
    model("target_twice", "m: {targets: [p/x, p/x]}", 22, "m.targets[1]", "already in the list"),
    model("target_names_twice", "m: {targets: [{provider: p, model: x, name: a}, {provider: p, model: y, name: a}]}",
          51, "m.targets[1]", "another target has the name \"a\""),
    model("target_without_model", "m: {targets: [{provider: p}]}", 17, "m.targets[0].model", "is missing"),
    model("target_of_nobody", "m: {targets: [{provider: hose, model: x}]}", 28, "m.targets[0].provider",
          "unknown provider \"hose\"; did you mean \"house\"?"),
    model("target_glob", "m: {targets: [{provider: p, model: x*}]}", 38, "m.targets[0].model", "a lone *"),
    model("target_name", "m: {targets: [{provider: p, model: x, name: a b}]}", 47, "m.targets[0].name", "1 to 64 of"),
    model("weight_too_large", "m: {targets: [{provider: p, model: x, weight: 1000001}]}", 49, "m.targets[0].weight",
          "expected 0 to 1000000"),
    model("weights_of_nothing", "m: {targets: [{provider: p, model: x, weight: 0}]}", 16, "m.targets",
          "all weights of tier 0 are 0"),
    model("weights_in_order", "m: {strategy: ordered, targets: [{provider: p, model: x, weight: 2}]}", 35, "m.targets",
          "has no meaning for strategy ordered"),
    model("strategy_near", "m: {target: p/x, strategy: wieghted}", 30, "m.strategy", "did you mean \"weighted\"?"),
    model("sticky_without_strategy", "m: {target: p/x, sticky: key}", 20, "m.sticky", "unless strategy is sticky"),
    model("split_over_all", "m: {target: p/x, split: [{percent: 60%, use: p/y}, {percent: 41%, use: p/z}]}", 27,
          "m.split", "101% together"),
    model("split_of_nothing", "m: {target: p/x, split: [{percent: 0%, use: p/y}]}", 38, "m.split[0].percent",
          "expected 1% to 100%"),
    model("split_twice", "m: {target: p/x, split: [{percent: 6%, use: p/y}, {percent: 4%, use: p/y}]}", 53,
          "m.split[1]", "has the name \"p/y\""),
    model("split_without_share", "m: {target: p/x, split: [{use: p/y}]}", 28, "m.split[0].percent", "is missing"),
    model("mirror_of_itself", "m: {target: p/x, mirror: {use: m}}", 34, "m.mirror.use", "is this very model"),
    model("fallback_unknown", "model-a: {target: p/x, fallback: [modl-a]}", 37, "model-a.fallback[0]",
          "unknown model \"modl-a\"; did you mean \"model-a\"?"),
    model("fallback_glob", "m: {target: p/x, fallback: [\"p/g*\"]}", 31, "m.fallback[0]", "or provider/*"),
    model("fallback_to_itself", "m: {target: p/x, fallback: [m]}", 31, "m.fallback[0]",
          "leads back to where it began: \"m\" → \"m\""),
    model("fallback_on_unknown", "m: {target: p/x, fallback_on: {context: [p/y]}}", 34, "m.fallback_on.context",
          "did you mean \"context_length\"?"),
    model("fallback_twice", "m: {target: p/x, fallback: [p/y, p/y]}", 36, "m.fallback[1]", "already in the list"),
    model("starve_of_nothing", "m: {target: p/x, starve: {rate: 0/s}}", 35, "m.starve.rate", "expected 1 to 1000000"),
    model("starve_too_patient", "m: {target: p/x, starve: {rate: 1/min}}", 20, "m.starve", "not even one event"),
    model("hedge_percentile", "m: {target: p/x, hedge: {after: p100}}", 35, "m.hedge.after", "expected p1 to p99"),
    model("hedge_without_after", "m: {target: p/x, hedge: {least: 1s}}", 20, "m.hedge.after", "is missing"),
};

class BadRouting : public testing::TestWithParam<BadCase> {};

TEST_P(BadRouting, IsRefusedAtItsPlace) { expect_only_problem(GetParam(), {}); }

INSTANTIATE_TEST_SUITE_P(Files, BadRouting, testing::ValuesIn(kCases),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace sluice::config
