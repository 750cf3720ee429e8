// The files of config/ load, and the example names every key with its default.

#include <algorithm>
#include <fstream>
#include <regex>
#include <sstream>

#include "config/document.hpp"
#include "support/paths.hpp"
#include "unit/config/support.hpp"

namespace sluice::config {
namespace {

std::string path_of(const std::string& name) { return support::source_dir() + "/config/" + name; }

std::string read_all(const std::string& file) {
  std::ifstream stream(file);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

std::string text_of(const std::string& name) { return read_all(path_of(name)); }

Loaded load_example(const std::string& name, const Variables& variables) {
  auto loaded = load_file(path_of(name), environment_of(variables));
  if (loaded) return *loaded;
  ADD_FAILURE() << listing(loaded.error());
  return {};
}

void replace_all(std::string& text, const std::regex& what, const std::string& with) {
  text = std::regex_replace(text, what, with);
}

// "providers.openai.tls.verify" → "providers.*.tls.verify": which of several entries shows a key does not matter, nor
// of which node a limit is.
std::string any_entry(std::string path) {
  replace_all(path, std::regex(R"(\[\d+\])"), "");
  replace_all(path, std::regex(R"(^(providers|models|groups)\.("[^"]*"|[^.]*))"), "$1.*");
  replace_all(path, std::regex(R"(^(providers\.\*|models\.\*|groups\.\*|keys\.list)\.limits\.(each_user\.)?)"),
              "limits of a node.");
  replace_all(path, std::regex(R"(^models\.\*\.(targets|rules)\.when\.)"), "conditions.");
  replace_all(path, std::regex(R"(^(models\.\*|keys\.list)\.cache\.)"), "cache.");
  replace_all(path, std::regex(R"(^keys\.list\.guard\.)"), "guard.");
  replace_all(path, std::regex(R"(^prices\.(rows|default)\.)"), "a price.");
  return path;
}

TEST(Examples, TheReferenceNamesEveryKeyThereIs) {
  auto environment = environment_of({{"OPENAI_API_KEY", "k"}});
  Scope scope{environment, "", {}};
  ASSERT_TRUE(load_scoped(text_of("gateway.example.yaml"), scope).has_value());
  std::map<std::string, bool> named;
  for (const auto& [path, present] : scope.keys) named[any_entry(path)] |= present;
  for (const auto& [path, present] : named) EXPECT_TRUE(present) << path << " is missing in the example";
  EXPECT_GE(named.size(), 180U);
}

TEST(Examples, TheReferenceShowsTheBuiltInDefaults) {
  auto config = load_example("gateway.example.yaml", {}).config;
  EXPECT_EQ(config.server, Server{});
  EXPECT_EQ(config.limits, Limits{});
  EXPECT_EQ(config.timeouts, Timeouts{});
  EXPECT_EQ(config.dns, Dns{});
  EXPECT_EQ(config.trace, Trace{});
  EXPECT_EQ(config.log, Log{});
  EXPECT_EQ(config.metrics, Metrics{});
  EXPECT_EQ(config.routing, Routing{});
  EXPECT_EQ(config.admission, Admission{});
  EXPECT_EQ(config.auth, Auth{});
  EXPECT_EQ(config.state, State{});
  EXPECT_EQ(config.alerts, Alerts{});
  EXPECT_EQ(config.weekly_report, WeeklyReport{});
  EXPECT_EQ(config.redis, std::nullopt);
  EXPECT_EQ(config.cache, Cache{});
  EXPECT_EQ(config.guard, Guard{});
  config.prices.rows.clear();
  EXPECT_EQ(config.prices, Prices{});
}

TEST(Examples, TheReferenceShowsTheDefaultsOfRedis) {
  std::string text = text_of("gateway.example.yaml");
  const std::string none = "  url: \"\"";
  text.replace(text.find(none, text.find("\nredis:")), none.size(), "  url: redis://h");
  const std::string beside[] = {"\n  user: \"\"", "\n  password: \"\"", "\n  database: 0", "\n    enabled: false"};
  for (const std::string& line : beside) text.replace(text.find(line, text.find("\nredis:")), line.size(), "\n");
  Redis expected;
  expected.endpoints = {{"h", 6379}};
  EXPECT_EQ(load_good(text).config.redis, expected);
}

TEST(Examples, TheReferenceShowsTheDefaultsOfAKeyAndOfABudget) {
  const auto config = load_example("gateway.example.yaml", {}).config;
  ASSERT_EQ(config.keys.size(), 1U);
  const Key& key = config.keys[0];
  Key expected;
  expected.name = key.name;
  expected.group = "acme/search";
  expected.hash = key.hash;
  expected.expires = key.expires;
  expected.content = key.content;
  expected.models = {"chat", "gpt-*"};
  expected.endpoints = key.endpoints;
  EXPECT_EQ(key, expected);
  EXPECT_EQ(key.endpoints->size(), 7U);
  EXPECT_EQ(config.groups.at("acme").limits.budgets, std::vector{BudgetLimit{Money::nanodollars(500'000'000'000)}});
  EXPECT_EQ(config.models.back().max_output, config.admission.default_max_output);
}

TEST(Examples, TheReferenceShowsTheDefaultsOfAProvider) {
  auto config = load_example("gateway.example.yaml", {{"OPENAI_API_KEY", "k"}}).config;
  Provider expected;
  expected.name = "openai";
  expected.base_url = {true, "api.openai.com", 443, "/v1", {}};
  expected.api_keys = {Secret("k")};
  EXPECT_EQ(config.providers["openai"], expected);
  Provider house;
  house.name = "house";
  house.dialect = ProviderDialect::kStatic;
  house.answer = "We are busy; please try again in a minute.";
  EXPECT_EQ(config.providers["house"], house);
}

const Model& model_of(const Config& config, std::string_view name) {
  return *std::ranges::find(config.models, name, &Model::name);
}

TEST(Examples, TheReferenceShowsTheDefaultsOfAModelWithTargets) {
  const auto config = load_example("gateway.example.yaml", {}).config;
  const Model& team = model_of(config, "team");
  Model expected;
  expected.name = "team";
  expected.targets = {target_of("openai", "gpt-4o"), target_of("openai", "gpt-4o-mini")};
  expected.strategy = Strategy::kSticky;
  expected.split = {{.percent = 10, .use = "chat", .name = "canary"}};
  expected.mirror = Mirror{.use = "gpt-4o"};
  expected.fallback = {"chat", "house/busy"};
  expected.fallback_on.context_length = std::vector<std::string>{"gpt-4o"};
  expected.fallback_on.content_policy.emplace();
  expected.starve.emplace();
  expected.hedge.emplace();
  expected.max_attempts = config.routing.max_attempts;
  EXPECT_EQ(team, expected);
}

TEST(Examples, TheReferenceAsksForEveryFact) {
  const auto config = load_example("gateway.example.yaml", {}).config;
  const Rule& night = model_of(config, "auto").rules.at(0);
  FactSet asked = 0;
  for (const Condition& condition : night.when) asked |= bit_of(condition.fact);
  EXPECT_EQ(asked, (FactSet{1} << kFacts) - 1);
  EXPECT_TRUE(night.shadow);
}

TEST(Examples, TheReferenceShowsTheDefaultTimeoutsOfAModel) {
  auto config = load_example("gateway.example.yaml", {}).config;
  Timeouts defaults;
  TimeoutOverrides expected{defaults.connect, defaults.first_byte, defaults.first_token, defaults.idle, defaults.total};
  EXPECT_EQ(config.models.back().timeouts, expected);
}

TEST(Examples, TheQuickstartRunsWithoutAKey) {
  auto loaded = load_example("quickstart.yaml", {});
  EXPECT_FALSE(loaded.config.providers["openai"].on);
  EXPECT_EQ(loaded.notes, std::vector<std::string>{"provider openai is off: OPENAI_API_KEY is empty"});
  EXPECT_EQ(loaded.config.server.listen, (Address{"127.0.0.1", 8080}));
  EXPECT_EQ(loaded.config.server.admin, (Address{"127.0.0.1", 9464}));
  EXPECT_EQ(loaded.config.trace.path, "traces/sluice.jsonl");
  ASSERT_EQ(loaded.config.models.size(), 2U);
  EXPECT_EQ(loaded.config.models[0].targets, std::vector{target_of("house", "demo")});
  EXPECT_EQ(loaded.config.models[1].targets.back(), when_off("house", "demo"));
}

TEST(Examples, TheQuickstartUsesOpenaiOnceItHasAKey) {
  auto loaded = load_example("quickstart.yaml", {{"OPENAI_API_KEY", "sk-1"}});
  EXPECT_TRUE(loaded.config.providers["openai"].on);
  EXPECT_TRUE(loaded.notes.empty());
  EXPECT_EQ(loaded.config.models[1].targets.front(), target_of("openai", "*"));
}

// The quickstart with the comment marks gone from the lines that hold `provider`.
std::string uncommented(const std::string& provider) {
  std::istringstream lines(text_of("quickstart.yaml"));
  std::string out;
  for (std::string line; std::getline(lines, line);) {
    bool ours = line.starts_with("  # \"") && line.ends_with(": " + provider + "/*");
    out += (ours ? "  " + line.substr(4) : line) + "\n";
  }
  return out;
}

TEST(Examples, UncommentingOneBlockOfTheQuickstartIsEnough) {
  for (auto [provider, port] : {std::pair{"ollama", 11434}, std::pair{"vllm", 8000}}) {
    auto config = load_good(uncommented(provider)).config;
    ASSERT_GT(config.models.size(), 2U) << provider;
    EXPECT_EQ(config.models.back().targets, std::vector{target_of(provider, "*")});
    EXPECT_EQ(config.providers[provider].base_url.host, "127.0.0.1");
    EXPECT_EQ(config.providers[provider].base_url.port, port);
    EXPECT_EQ(config.providers[provider].base_url.path, "/v1");
  }
}

// The text between the next pair of ``` lines; `rest` goes on behind it.
std::string take_block(std::string& rest) {
  auto begin = rest.find('\n', rest.find("```")) + 1;
  auto end = rest.find("```", begin);
  std::string block = rest.substr(begin, end - begin);
  rest.erase(0, end + 3);
  return block;
}

TEST(Examples, TheHandbookShowsWhatACheckReallySays) {
  std::string rest = read_all(support::source_dir() + "/docs/configuration.md");
  rest.erase(0, rest.find("## Checking a file"));
  std::string yaml = take_block(rest);
  std::string told = take_block(rest);
  std::string real;
  for (const Problem& problem : problems_of(yaml)) real += to_string("gateway.yaml", problem) + "\n";
  EXPECT_NE(real, "");
  EXPECT_EQ(told, real);
}

TEST(Examples, TheHandbookTellsOfEveryKey) {
  auto environment = environment_of({{"OPENAI_API_KEY", "k"}});
  Scope scope{environment, "", {}};
  ASSERT_TRUE(load_scoped(text_of("gateway.example.yaml"), scope).has_value());
  std::string handbook = read_all(support::source_dir() + "/docs/configuration.md");
  for (const auto& [path, present] : scope.keys) {
    std::string key = path.substr(path.rfind('.') + 1);
    bool told = handbook.find("`" + key + "`") != handbook.npos || handbook.find("." + key + "`") != handbook.npos ||
                handbook.find("." + key + ".") != handbook.npos || handbook.find("## " + key) != handbook.npos ||
                handbook.find("`" + key + ".") != handbook.npos;
    EXPECT_TRUE(told || key == "trace" || key == "log") << path;
  }
}

}  // namespace
}  // namespace sluice::config
