// Keys, groups and limits as an admin writes them.

#include "unit/config/support.hpp"

namespace sluice::config {
namespace {

using namespace std::chrono_literals;

constexpr auto kMonth = std::chrono::seconds(30 * 24h);

NodeLimits limits_of(const std::string& text) {
  return load_good(with_top("groups: {g: {limits: {" + text + "}}}")).config.groups["g"].limits;
}

TEST(NodeLimits, AreWrittenAsOneText) {
  const auto limits = limits_of(
      "requests: 600/min, tokens: 200k/min, input_tokens: 1M/h, output_tokens: 5k/s, concurrency: 50, "
      "budget: 500 USD/month");
  const std::vector<RateLimit> rates = {{Meter::kRequests, 600, 1min},
                                        {Meter::kTokens, 200'000, 1min},
                                        {Meter::kInputTokens, 1'000'000, 1h},
                                        {Meter::kOutputTokens, 5000, 1s}};
  EXPECT_EQ(limits.rates, rates);
  EXPECT_EQ(limits.concurrency, (ConcurrencyLimit{50}));
  EXPECT_EQ(limits.budgets, std::vector{BudgetLimit{Money::nanodollars(500'000'000'000)}});
}

TEST(NodeLimits, AreWrittenAsLists) {
  const auto limits =
      limits_of("requests: [10/s, 600/min, 5k/d, 9/month], budget: [5 USD/day, 20 USD/week, 9 USD/total]");
  const std::vector<RateLimit> rates = {{Meter::kRequests, 10, 1s},
                                        {Meter::kRequests, 600, 1min},
                                        {Meter::kRequests, 5000, 24h},
                                        {Meter::kRequests, 9, kMonth}};
  EXPECT_EQ(limits.rates, rates);
  ASSERT_EQ(limits.budgets.size(), 3U);
  EXPECT_EQ(limits.budgets[0].period, Period::kDay);
  EXPECT_EQ(limits.budgets[1].period, Period::kWeek);
  EXPECT_EQ(limits.budgets[2].period, Period::kTotal);
}

TEST(NodeLimits, AreWrittenAsMapsThatSayMore) {
  const auto limits = limits_of(
      "requests: {limit: 600/min, mode: observe}, tokens: [1k/s, {limit: 9k/min, mode: enforce}], "
      "concurrency: {limit: 5, mode: observe}, "
      "budget: {limit: 7 USD/week, mode: observe, on_exceeded: cut, alerts: [10%, 99%]}");
  const std::vector<RateLimit> rates = {
      {Meter::kRequests, 600, 1min, Mode::kObserve}, {Meter::kTokens, 1000, 1s}, {Meter::kTokens, 9000, 1min}};
  EXPECT_EQ(limits.rates, rates);
  EXPECT_EQ(limits.concurrency, (ConcurrencyLimit{5, Mode::kObserve}));
  const BudgetLimit budget{
      Money::nanodollars(7'000'000'000), Period::kWeek, Mode::kObserve, OnExceeded::kCut, {10, 99}};
  EXPECT_EQ(limits.budgets, std::vector{budget});
}

TEST(NodeLimits, NothingMayPassOrNothingIsLimited) {
  const auto none = limits_of("requests: 0/min, concurrency: 0, budget: {limit: 0 USD/month, alerts: []}");
  EXPECT_EQ(none.rates.at(0).limit, 0);
  EXPECT_EQ(none.concurrency->limit, 0);
  EXPECT_EQ(none.budgets.at(0).limit, Money{});
  EXPECT_TRUE(none.budgets.at(0).alert_percent.empty());
  EXPECT_TRUE(limits_of("requests: [], concurrency: [], budget: []").empty());
}

TEST(NodeLimits, EachUserHasItsOwn) {
  const auto config =
      load_good(in_key("  limits: {requests: 5/s, each_user: {requests: 1/s, budget: 1 USD/day}}")).config;
  EXPECT_EQ(config.keys.at(0).limits.size(), 1U);
  EXPECT_EQ(config.keys.at(0).each_user.rates, (std::vector<RateLimit>{{Meter::kRequests, 1, 1s}}));
  EXPECT_EQ(config.keys.at(0).each_user.budgets.size(), 1U);
  const auto group = load_good(with_top("groups: {a/b: {limits: {each_user: {concurrency: 2}}}}")).config.groups["a/b"];
  EXPECT_TRUE(group.limits.empty());
  EXPECT_EQ(group.each_user.concurrency, (ConcurrencyLimit{2}));
}

TEST(NodeLimits, ModelsAndProvidersHaveThem) {
  const auto config = load_good(
                          "providers: {p: {base_url: \"http://h.test\", limits: {concurrency: 3}}}\n"
                          "models: {m: {target: p/x, limits: {tokens: 1M/d}, max_output: 8k}, n: p/y}\n")
                          .config;
  EXPECT_EQ(config.providers.at("p").limits.concurrency, (ConcurrencyLimit{3}));
  EXPECT_EQ(config.models.at(0).limits.rates, (std::vector<RateLimit>{{Meter::kTokens, 1'000'000, 24h}}));
  EXPECT_EQ(config.models.at(0).max_output, 8000);
  EXPECT_EQ(config.models.at(1).max_output, std::nullopt);
  EXPECT_TRUE(config.models.at(1).limits.empty());
}

TEST(Keys, ARowIsReadWhole) {
  const auto loaded = load_good(
      in_key("  group: acme/search\n  enabled: false\n  expires: 2026-12-31T12:00:00+01:00\n  models: [m, \"gpt-*\"]\n"
             "  endpoints: [chat, embeddings, models]\n  priority: high\n  tags: {feature: \"Suche ${WHERE}\"}\n"
             "  limits: {requests: 1/s}"),
      {{"WHERE", "überall"}});
  ASSERT_EQ(loaded.config.keys.size(), 1U);
  const Key& key = loaded.config.keys[0];
  EXPECT_EQ(key.name, "k");
  EXPECT_EQ(key.group, "acme/search");
  EXPECT_EQ(key.hash.id, "Abcdefgh0123");
  EXPECT_EQ(key.hash.salt[1], 0x11);
  EXPECT_EQ(key.hash.salt[15], 0xFF);
  EXPECT_EQ(key.hash.digest[15], 0);
  EXPECT_EQ(key.hash.digest[16], 0xFF);
  EXPECT_FALSE(key.enabled);
  EXPECT_EQ(key.expires, std::chrono::sys_days(std::chrono::year(2026) / 12 / 31) + 11h);
  EXPECT_EQ(key.models, (std::vector<std::string>{"m", "gpt-*"}));
  EXPECT_EQ(key.endpoints, (std::vector{Endpoint::kChat, Endpoint::kEmbeddings, Endpoint::kModels}));
  EXPECT_EQ(key.priority, Priority::kHigh);
  EXPECT_EQ(key.tags, (Tags{{"feature", "Suche überall"}}));
  EXPECT_EQ(key.limits.rates.size(), 1U);
}

TEST(Keys, MostOfARowMayBeLeftOut) {
  const auto config = load_good(in_key("")).config;
  Key expected;
  expected.name = "k";
  expected.hash = config.keys.at(0).hash;
  EXPECT_EQ(config.keys.at(0), expected);
  EXPECT_EQ(expected.models, std::nullopt) << "all";
  EXPECT_EQ(load_good(in_key("  models: []\n  endpoints: []")).config.keys[0].models, std::vector<std::string>{});
}

TEST(Keys, NoSectionIsNotAnEmptyOne) {
  EXPECT_FALSE(load_good(with_top("")).config.has_keys);
  for (auto lines : {"keys:", "keys: []", "keys: {}", "keys: {list: []}", "keys: {file: \"\", list: }"}) {
    const auto loaded = load_good(with_top(lines));
    EXPECT_TRUE(loaded.config.has_keys) << lines;
    EXPECT_TRUE(loaded.config.keys.empty()) << lines;
    EXPECT_EQ(loaded.notes, std::vector<std::string>{"keys is empty: nobody is served"}) << lines;
  }
}

TEST(Keys, AListMayStandInAMap) {
  const auto config = load_good(with_top("keys: {list: [{name: k, hash: \"" + kHash + "\"}]}")).config;
  ASSERT_EQ(config.keys.size(), 1U);
  EXPECT_EQ(config.keys[0].name, "k");
}

TEST(Keys, WithoutThemOnlyThisMachineIsServedAndThatIsNoted) {
  const auto open = load_good(with_top("server: {listen: 0.0.0.0:8080}"));
  EXPECT_EQ(open.notes, std::vector<std::string>{"server.listen is 0.0.0.0:8080, and there is no `keys` section: only "
                                                 "clients on this machine are served"});
  EXPECT_TRUE(load_good(in_key("") + "server: {listen: 0.0.0.0:8080}\n").notes.empty());
}

TEST(Keys, AModelThatNothingServesIsNotedOnce) {
  const auto loaded = load_good(with_top("keys:\n- {name: a, hash: \"" + hash_with("aaaaaaaaaaaa") +
                                         "\", models: [m, gpt-9, \"gpt-9*\"]}\n" + "- {name: b, hash: \"" +
                                         hash_with("bbbbbbbbbbbb") + "\", models: [gpt-9]}"));
  EXPECT_EQ(loaded.notes, (std::vector<std::string>{"key a and 1 more: no entry of models serves \"gpt-9\"",
                                                    "key a: no entry of models serves \"gpt-9*\""}));
}

TEST(Keys, AModelIsServedByAGlobAsWell) {
  const std::string globs = "providers: {p: {base_url: \"http://h.test\"}}\nmodels: {\"gpt-*-mini\": p/*}\nkeys:\n";
  const auto notes_for = [&](const std::string& model) {
    const auto row = "- {name: a, hash: \"" + kHash + "\", models: [\"" + model + "\"]}\n";
    return load_good(globs + row).notes.size();
  };
  for (auto model : {"gpt-4-mini", "gpt-*", "*", "*mini", "gpt-4*", "*-4-*", "gpt-*-mini"}) {
    EXPECT_EQ(notes_for(model), 0U) << model;
  }
  for (auto model : {"gpt-4", "gpt-*-nano", "o*", "mini"}) EXPECT_EQ(notes_for(model), 1U) << model;
}

TEST(Groups, AreReadByPathAndNeedNotBeThere) {
  const auto config = load_good(with_top("groups:\n  acme: {limits: {budget: 5 USD/month}}\n"
                                         "  acme/search-2: {tags: {feature: search}}\n  empty:\n"))
                          .config;
  ASSERT_EQ(config.groups.size(), 3U);
  EXPECT_EQ(config.groups.at("acme").path, "acme");
  EXPECT_EQ(config.groups.at("acme").limits.budgets.size(), 1U);
  EXPECT_EQ(config.groups.at("acme/search-2").tags, (Tags{{"feature", "search"}}));
  EXPECT_TRUE(config.groups.at("empty").limits.empty());
  EXPECT_EQ(load_good(in_key("  group: no/where")).config.keys.at(0).group, "no/where");
}

TEST(AdmissionSection, IsReadWhole) {
  const auto config =
      load_good(with_top("admission: {concurrency: {limit: 2k, mode: observe}, lease: 1m, default_max_output: 2k, "
                         "queue: {most: 0, timeout: 1s, weights: {high: 3, normal: 2, low: 1}}}\n"
                         "auth: {failures_per_minute: 0, user_headers: [X-User, x-openwebui-user-id]}"))
          .config;
  const Admission expected{ConcurrencyLimit{2000, Mode::kObserve}, Queue{0, 1s, 3, 2, 1}, 1min, 2000};
  EXPECT_EQ(config.admission, expected);
  EXPECT_EQ(config.auth, (Auth{0, {"x-user", "x-openwebui-user-id"}}));
}

TEST(AdmissionSection, AbsentIsItsDefaults) {
  const auto config = load_good(with_top("admission:\nauth:\ngroups:")).config;
  EXPECT_EQ(config.admission, Admission{});
  EXPECT_EQ(config.auth, Auth{});
  EXPECT_TRUE(config.groups.empty());
}

}  // namespace
}  // namespace sluice::config
