#include <gtest/gtest.h>

#include "unit/config/support.hpp"

namespace sluice::config {
namespace {

const std::string kRest = "providers: {p: {base_url: \"http://h/v1\"}}\nmodels: {m: p/x}\n";

std::string problem_in(const std::string& text) { return listing(problems_of(text)); }

TEST(CacheSection, IsOffUnlessItIsWritten) {
  EXPECT_EQ(load_good(kRest).config.cache.rules.policy, CachePolicy::kOff);
  const Config config = load_good("cache: {ttl: 1h}\n" + kRest).config;
  EXPECT_EQ(config.cache.rules.policy, CachePolicy::kDeterministic);
  EXPECT_EQ(config.cache.rules.ttl, 1h);
  EXPECT_TRUE(caches(config));
}

TEST(CacheSection, ModelsSayWhatTheyDoOtherwise) {
  const Config config =
      load_good("providers: {p: {base_url: \"http://h/v1\"}}\nmodels: {m: {target: p/x, cache: {policy: all}}}\n")
          .config;
  EXPECT_EQ(config.models[0].cache.policy, CachePolicy::kAll);
  EXPECT_EQ(config.models[0].cache.ttl, std::nullopt);
  EXPECT_TRUE(caches(config));
}

TEST(CacheSection, ANamespaceIsNamed) {
  EXPECT_EQ(load_good("cache: {scope: namespace, namespace: bots}\n" + kRest).config.cache.rules.name_space, "bots");
  EXPECT_NE(problem_in("cache: {scope: namespace}\n" + kRest).find("expected the name"), std::string::npos);
  EXPECT_NE(problem_in("cache: {scope: key, namespace: bots}\n" + kRest).find("scope: namespace"), std::string::npos);
  EXPECT_NE(problem_in("cache: {scope: namespace, namespace: \"a b\"}\n" + kRest), "");
}

TEST(CacheSection, ReplicasNeedOneSecret) {
  const std::string redis = "redis: {url: \"redis://h\"}\n";
  EXPECT_NE(problem_in("cache: {}\n" + redis + kRest).find("secret"), std::string::npos);
  load_good(redis + kRest);
  EXPECT_NE(problem_in(redis + "providers: {p: {base_url: \"http://h/v1\"}}\n"
                               "models: {m: {target: p/x, cache: {policy: all}}}\n")
                .find("secret"),
            std::string::npos);
}

TEST(CacheSection, WhatIsWrongIsTold) {
  for (const char* text :
       {"cache: {policy: sometimes}", "cache: {ttl: 0s}", "cache: {finish_reasons: [done]}", "cache: {memory: 1KiB}",
        "cache: {replay: slow}", "cache: {nonsense: 1}", "cache: {secret: plain}"}) {
    EXPECT_NE(problem_in(std::string(text) + "\n" + kRest), "") << text;
  }
}

}  // namespace
}  // namespace sluice::config
