#include "sluice/routing/router.hpp"

#include <functional>
#include <set>

#include "unit/routing/support.hpp"

namespace sluice::routing {
namespace {

using namespace std::chrono_literals;
using namespace testing;

config::Config config_with(std::vector<config::Model> models) {
  auto config = small_config();
  config.models = std::move(models);
  return config;
}

std::string target_of(const Router& router, std::string_view name) {
  const auto route = router.find(name);
  return route ? (*route)->targets.front().provider->config().name + "/" + (*route)->targets.front().place.model
               : std::string(traits(route.error().kind).code);
}

TEST(Router, ExactNamesComeBeforeGlobs) {
  const auto router = router_of(config_with({model("gpt-*", "house"), model("gpt-4o", "up", "real")}));
  EXPECT_EQ(target_of(*router, "gpt-4o"), "up/real");
  EXPECT_EQ(target_of(*router, "gpt-4o-mini"), "house/");
}

TEST(Router, GlobsAreTriedInTheOrderOfTheFile) {
  const auto first =
      router_of(config_with({model("gpt-4*", "up", "a"), model("gpt-*", "up", "b"), model("*", "up", "c")}));
  EXPECT_EQ(target_of(*first, "gpt-4o"), "up/a");
  EXPECT_EQ(target_of(*first, "gpt-3"), "up/b");
  EXPECT_EQ(target_of(*first, "else"), "up/c");
  const auto second = router_of(config_with({model("*", "up", "c"), model("gpt-4*", "up", "a")}));
  EXPECT_EQ(target_of(*second, "gpt-4o"), "up/c");
}

TEST(Router, AStarAsTargetForwardsTheNameThatWasAskedFor) {
  const auto router = router_of(config_with({model("gpt-*", "up", "*"), model("x", "up", "y")}));
  EXPECT_EQ((*router->find("gpt-4o"))->targets.front().place.model, "");
  EXPECT_EQ((*router->find("x"))->targets.front().place.model, "y");
  EXPECT_EQ((*router->find("gpt-4o"))->model.name, "gpt-*");
}

TEST(Router, WhenOffAnswersOnlyWhileTheTargetsProviderIsOff) {
  auto dark = model("dark", "off", "a"), lit = model("lit", "up", "b");
  for (auto* one : {&dark, &lit}) one->targets.push_back({.provider = "house", .model = "*", .when_off = true});
  const auto router = router_of(config_with({dark, lit}));
  EXPECT_EQ(target_of(*router, "dark"), "house/");
  EXPECT_EQ(target_of(*router, "lit"), "up/b");
}

TEST(Router, AModelWhoseProviderIsOffSaysSoAndKeepsTheReasonForTheLog) {
  const auto router = router_of(small_config());
  const auto route = router->find("dark");
  ASSERT_FALSE(route.has_value());
  EXPECT_EQ(route.error().kind, ErrorKind::kProviderOff);
  EXPECT_NE(route.error().detail.find("NAME is not set"), std::string::npos);
  EXPECT_EQ(route.error().message.find("NAME"), std::string::npos);
}

TEST(Router, F16AnUnknownNameIsEchoedOnlyInPart) {
  const auto router = router_of(small_config());
  for (const std::string& name : {std::string("nope"), std::string(1'000'000, 'x'), std::string()}) {
    const auto route = router->find(name);
    ASSERT_FALSE(route.has_value());
    EXPECT_EQ(route.error().kind, ErrorKind::kModelNotFound);
    EXPECT_EQ(route.error().param, "model");
    EXPECT_LT(route.error().message.size(), 200U);
    EXPECT_NE(route.error().message.find(name.substr(0, 64)), std::string::npos);
  }
}

TEST(Router, NamesAreMatchedToTheByte) {
  const auto router = router_of(small_config());
  for (auto name : {"Fast", "fast ", " fast", "fas", "fastt", "my-gpt-4"}) {
    EXPECT_EQ(target_of(*router, name), "model_not_found") << name;
  }
}

TEST(Router, ListsNamesWithoutAStarWhoseTargetCanAnswer) {
  auto config = small_config();
  auto saved = model("saved", "off");
  saved.targets.push_back({.provider = "house", .model = "*", .when_off = true});
  config.models.push_back(saved);
  const auto router = router_of(config);
  std::vector<std::string> names;
  for (const Route* route : router->listed()) names.push_back(route->model.name);
  EXPECT_EQ(names, (std::vector<std::string>{"fast", "house", "saved"}));
  EXPECT_NE(router->listed_model("fast"), nullptr);
  EXPECT_EQ(router->listed_model("dark"), nullptr);
  EXPECT_EQ(router->listed_model("gpt-*"), nullptr);
  EXPECT_EQ(router->listed_model("gpt-4o"), nullptr) << "answered, but not listed";
}

TEST(Router, AModelsTimeoutsWinOverItsProviders) {
  auto config = small_config();
  config.providers["up"].timeouts.connect = 1s;
  config.providers["up"].timeouts.total = 99s;
  auto patient = model("patient", "up");
  patient.timeouts.total = 3600s;
  patient.timeouts.idle = 7s;
  config.models.push_back(patient);
  const auto router = router_of(config);
  const auto& timeouts = (*router->find("patient"))->targets.front().timeouts;
  EXPECT_EQ(timeouts.connect, 1s);
  EXPECT_EQ(timeouts.total, 3600s);
  EXPECT_EQ(timeouts.idle, 7s);
  EXPECT_EQ((*router->find("fast"))->targets.front().timeouts.total, 99s);
}

TEST(Router, F63ARevisionChangesWithAllThatSaysWhatGoesWhere) {
  const auto revision = [](const std::function<void(config::Provider&)>& change) {
    auto config = config_with({model("m", "up", "real")});
    change(config.providers.at("up"));
    return (*router_of(config)->find("m"))->revision;
  };
  const auto same = [](config::Provider&) {};
  const std::uint64_t plain = revision(same);
  EXPECT_EQ(revision(same), plain);
  EXPECT_EQ(revision([](auto& up) { up.api_keys = {Secret("another")}; }), plain) << "whoever pays, it answers alike";
  const std::vector<std::function<void(config::Provider&)>> changes = {
      [](auto& up) { up.base_url.host = "elsewhere"; },
      [](auto& up) { up.base_url.port += 1; },
      [](auto& up) { up.base_url.path = "/v2"; },
      [](auto& up) { up.base_url.query = Secret("api-version=2"); },
      [](auto& up) { up.headers.emplace_back("openai-organization", Secret("a")); },
      [](auto& up) { up.headers.emplace_back("openai-organization", Secret("b")); },
      [](auto& up) { up.headers.emplace_back("openai-project", Secret("a")); },
      [](auto& up) { up.paths[Endpoint::kChat] = "/talk"; },
      [](auto& up) { up.paths[Endpoint::kCompletions] = "/talk"; },
      [](auto& up) { up.quirks.drop = {"seed"}; },
      [](auto& up) { up.quirks.rename = {{"a", "b"}}; }};
  std::set<std::uint64_t> seen = {plain};
  for (const auto& change : changes) seen.insert(revision(change));
  EXPECT_EQ(seen.size(), changes.size() + 1);
}

TEST(Router, OutlivesTheConfigurationItWasBuiltFrom) {
  std::shared_ptr<const Router> router;
  {
    auto config = std::make_unique<config::Config>(small_config());
    router = router_of(*config);
  }
  EXPECT_EQ(target_of(*router, "fast"), "up/gpt-4o-mini");
}

}  // namespace
}  // namespace sluice::routing
