#include "cache/policy.hpp"

#include <gtest/gtest.h>

namespace sluice::cache {
namespace {

using config::CachePolicy;
using config::CacheRules;
using namespace std::chrono_literals;

Bypass judged(const std::string& body, Endpoint endpoint = Endpoint::kChat,
              CachePolicy policy = CachePolicy::kDeterministic, const Control& control = {}) {
  auto view = api::parse_request(endpoint, body);
  if (!view) {
    ADD_FAILURE() << view.error().message;
    return Bypass::kNone;
  }
  CacheRules rules = config::Cache{}.rules;
  rules.policy = policy;
  return judge(*view, rules, control);
}

std::string chat(const std::string& more = "") {
  return R"({"model":"m","messages":[{"role":"user","content":"hi"}])" + (more.empty() ? "" : "," + more) + "}";
}
std::string response(const std::string& more) { return R"({"model":"m","input":"hi",)" + more + "}"; }

TEST(CachePolicy, F67WhatIsNotSaidToBeDeterministicIsNotCached) {
  EXPECT_EQ(judged(chat()), Bypass::kNotDeterministic);
  EXPECT_EQ(judged(chat(R"("temperature":0.7)")), Bypass::kNotDeterministic);
  EXPECT_EQ(judged(chat(R"("temperature":null)")), Bypass::kNotDeterministic);
  EXPECT_EQ(judged(chat(R"("temperature":0)")), Bypass::kNone);
  EXPECT_EQ(judged(chat(R"("temperature":0.0)")), Bypass::kNone);
  EXPECT_EQ(judged(chat(R"("seed":7)")), Bypass::kNone);
  EXPECT_EQ(judged(chat(), Endpoint::kChat, CachePolicy::kAll), Bypass::kNone);
}

TEST(CachePolicy, EmbeddingsAreDeterministicAndModerationsAreNeverCached) {
  EXPECT_EQ(judged(R"({"model":"m","input":"hi"})", Endpoint::kEmbeddings), Bypass::kNone);
  EXPECT_EQ(judged(R"({"model":"m","input":"hi"})", Endpoint::kModerations, CachePolicy::kAll), Bypass::kEndpoint);
}

TEST(CachePolicy, WhatHasStateIsNotCached) {
  const auto all = CachePolicy::kAll;
  EXPECT_EQ(judged(response(R"("temperature":0)"), Endpoint::kResponses, all), Bypass::kStateful)
      << "store is the default";
  EXPECT_EQ(judged(response(R"("store":false)"), Endpoint::kResponses, all), Bypass::kNone);
  for (const char* more : {R"("store":false,"previous_response_id":"r")", R"("store":false,"conversation":"c")",
                           R"("store":false,"background":true)", R"("store":false,"prompt":{"id":"p"})"}) {
    EXPECT_EQ(judged(response(more), Endpoint::kResponses, all), Bypass::kStateful) << more;
  }
  EXPECT_EQ(judged(chat(R"("store":true)"), Endpoint::kChat, all), Bypass::kStateful);
}

TEST(CachePolicy, F67ToolsThatTheProviderRunsAreNotCached) {
  const auto all = CachePolicy::kAll;
  EXPECT_EQ(judged(chat(R"("web_search_options":{})"), Endpoint::kChat, all), Bypass::kTools);
  EXPECT_EQ(judged(response(R"("store":false,"tools":[{"type":"web_search"}])"), Endpoint::kResponses, all),
            Bypass::kTools);
  EXPECT_EQ(judged(response(R"("store":false,"tools":[{"type":"function","name":"f"}])"), Endpoint::kResponses, all),
            Bypass::kNone);
}

TEST(CachePolicy, F67NoStoreIsObeyed) {
  EXPECT_EQ(judged(chat(R"("temperature":0)"), Endpoint::kChat, CachePolicy::kAll, {.no_store = true}),
            Bypass::kNoStore);
}

TEST(CachePolicy, KeysWinOverModelsAndOffIsOff) {
  config::Cache section;
  section.rules.policy = CachePolicy::kDeterministic;
  CacheRules model{.policy = CachePolicy::kAll, .ttl = 1h};
  config::Key key;
  key.cache.ttl = 1min;
  CacheRules rules = rules_for(section, &model, &key);
  EXPECT_EQ(rules.policy, CachePolicy::kAll);
  EXPECT_EQ(rules.ttl, 1min);
  EXPECT_EQ(rules.max_entry, section.rules.max_entry);
  model.policy = CachePolicy::kOff;
  key.cache.policy = CachePolicy::kAll;
  EXPECT_EQ(rules_for(section, &model, &key).policy, CachePolicy::kOff);
  model.policy.reset();
  EXPECT_EQ(rules_for(section, &model, &key).policy, CachePolicy::kAll);
  section.rules.policy = CachePolicy::kOff;
  EXPECT_EQ(rules_for(section, nullptr, &key).policy, CachePolicy::kAll)
      << "the section's is only what holds otherwise";
  key.cache = {.scope = config::CacheScope::kNamespace, .name_space = "bots"};
  EXPECT_EQ(rules_for(section, nullptr, &key).name_space, "bots");
}

TEST(CachePolicy, ARequestMayAskForATtlWithinItsBounds) {
  CacheRules rules = config::Cache{}.rules;
  EXPECT_EQ(ttl_for(rules, {}), 10min);
  EXPECT_EQ(ttl_for(rules, {.ttl = 5s}), 5s);
  EXPECT_EQ(ttl_for(rules, {.ttl = 48h}), 24h);
  rules.longest_ttl = 0ms;
  EXPECT_EQ(ttl_for(rules, {.ttl = 48h}), 10min) << "never less than what it would have got unasked";
}

Result<Control> control_of(const std::string& fields) {
  static std::string raw;
  raw = "POST / HTTP/1.1\r\nhost: h\r\n" + fields + "\r\n";
  static http::RequestHead head;
  head = *http::parse_request_head(raw, {});
  return read_control(head);
}

TEST(CacheControl, ReadsTheDirectivesOfTheRfc) {
  EXPECT_EQ(control_of("")->no_cache, false);
  const auto control =
      control_of("cache-control: No-Cache , max-age=\"30\"\r\nCache-Control: only-if-cached, x=\"y\"\r\n");
  ASSERT_TRUE(control);
  EXPECT_TRUE(control->no_cache);
  EXPECT_TRUE(control->only_if_cached);
  EXPECT_EQ(control->max_age, 30s);
  EXPECT_TRUE(control_of("cache-control: no-store\r\n")->no_store);
  EXPECT_EQ(control_of("cache-control: max-age=soon\r\n")->max_age, 0s);
  EXPECT_GT(control_of("cache-control: max-age=99999999999999999999\r\n")->max_age, 24h * 300);
  EXPECT_TRUE(control_of("pragma: no-cache\r\n")->no_cache);
  EXPECT_FALSE(control_of("pragma: no-cache\r\ncache-control: max-age=1\r\n")->no_cache);
}

TEST(CacheControl, ReadsOurOwnFieldsStrictly) {
  EXPECT_EQ(control_of("x-sluice-cache-ttl: 90\r\n")->ttl, 90s);
  EXPECT_EQ(control_of("x-sluice-cache-ttl: 10m\r\n")->ttl, 10min);
  EXPECT_EQ(control_of("x-sluice-cache-tags: a, doc:7 ,a\r\n")->tags, (std::vector<std::string>{"a", "doc:7"}));
  const auto soon = control_of("x-sluice-cache-ttl: soon\r\n");
  ASSERT_FALSE(soon);
  EXPECT_EQ(soon.error().param, "x-sluice-cache-ttl");
  EXPECT_FALSE(control_of("x-sluice-cache-tags: a b\r\n"));
  EXPECT_FALSE(control_of("x-sluice-cache-tags: " + std::string(65, 'a') + "\r\n"));
  std::string many = "x-sluice-cache-tags: ";
  for (int i = 0; i < 17; ++i) many += "t" + std::to_string(i) + ",";
  EXPECT_FALSE(control_of(many + "\r\n"));
}

}  // namespace
}  // namespace sluice::cache
