// redis, state and alerts.

#include "unit/config/support.hpp"

namespace sluice::config {
namespace {

using namespace std::chrono_literals;

const Variables kVariables = {
    {"PW", "p@ss/w:rd%20?"}, {"HOST", "redis.test"}, {"REDIS_URL", "rediss://some%40body:p%40ss@redis.test:6380/2"},
    {"SECRET", "whsec_abc"}, {"EMPTY", ""},          {"NEWLINE", "pw\n"}};

std::optional<Redis> redis_of(const std::string& text) {
  return load_good(with_top("redis: {" + text + "}"), kVariables).config.redis;
}

TEST(RedisSection, AUrlSaysWhereAndWho) {
  const auto redis = redis_of("url: \"rediss://sluice:${PW}@Redis.test:6380/3\"");
  Redis expected;
  expected.endpoints = {{"redis.test", 6380}};
  expected.tls = true;
  expected.user = "sluice";
  expected.password = Secret("p@ss/w:rd%20?");
  expected.database = 3;
  EXPECT_EQ(redis, expected);
}

TEST(RedisSection, MostOfAUrlMayBeLeftOut) {
  Redis expected;
  expected.endpoints = {{"redis.test", 6379}};
  EXPECT_EQ(redis_of("url: redis://redis.test"), expected);
  EXPECT_EQ(redis_of("url: redis://redis.test/"), expected);
  EXPECT_EQ(redis_of("url: \"redis://${HOST}:${PORT:-6379}/${DB:-0}\""), expected);
  expected.password = Secret("p@ss/w:rd%20?");
  EXPECT_EQ(redis_of("url: \"redis://:${PW}@redis.test\""), expected);
  EXPECT_EQ(redis_of("url: \"redis://:${NO_PW:-}@[::1]\"")->endpoints, (std::vector<Address>{{"::1", 6379}}));
}

TEST(RedisSection, AWholeUrlMayComeFromTheEnvironment) {
  const auto redis = redis_of("url: \"${REDIS_URL}\"");
  ASSERT_TRUE(redis.has_value());
  EXPECT_EQ(redis->endpoints, (std::vector<Address>{{"redis.test", 6380}}));
  EXPECT_EQ(redis->user, "some@body");
  EXPECT_EQ(redis->password, Secret("p@ss"));
  EXPECT_EQ(redis->database, 2U);
  EXPECT_TRUE(redis->tls);
}

TEST(RedisSection, SentinelsAndClustersAreLists) {
  const auto sentinel = redis_of(
      "sentinel: {master: main, endpoints: [s1.test, \"s2.test:1\", 10.0.0.7]}, user: u, password: \"${PW}\", "
      "database: 4, "
      "tls: {enabled: true, verify: false}");
  ASSERT_TRUE(sentinel.has_value());
  EXPECT_EQ(sentinel->endpoints, (std::vector<Address>{{"s1.test", 26379}, {"s2.test", 1}, {"10.0.0.7", 26379}}));
  EXPECT_EQ(sentinel->sentinel_master, "main");
  EXPECT_EQ(sentinel->user, "u");
  EXPECT_EQ(sentinel->password, Secret("p@ss/w:rd%20?"));
  EXPECT_EQ(sentinel->database, 4U);
  EXPECT_TRUE(sentinel->tls);
  EXPECT_FALSE(sentinel->tls_verify);
  const auto cluster = redis_of("cluster: {endpoints: [c1.test, c2.test]}");
  ASSERT_TRUE(cluster.has_value());
  EXPECT_TRUE(cluster->cluster);
  EXPECT_EQ(cluster->endpoints, (std::vector<Address>{{"c1.test", 6379}, {"c2.test", 6379}}));
}

TEST(RedisSection, TheRestIsReadWhole) {
  const auto redis = redis_of(
      "url: redis://h.test, deadline: 50ms, connect_timeout: 2s, prefix: sluice.eu-1, replicas: 3, "
      "budgets_when_down: open");
  ASSERT_TRUE(redis.has_value());
  EXPECT_EQ(redis->deadline, 50ms);
  EXPECT_EQ(redis->connect_timeout, 2s);
  EXPECT_EQ(redis->prefix, "sluice.eu-1");
  EXPECT_EQ(redis->replicas, 3U);
  EXPECT_EQ(redis->budgets_when_down, RedisDown::kOpen);
}

TEST(RedisSection, WithoutAServerThereIsNone) {
  EXPECT_EQ(load_good(with_top("")).config.redis, std::nullopt);
  EXPECT_EQ(redis_of("url: \"\""), std::nullopt);
  EXPECT_EQ(redis_of("url: \"\", sentinel: {master: \"\", endpoints: []}, deadline: 1s"), std::nullopt);
}

TEST(RedisSection, RisksAreNoted) {
  const auto notes = [](const std::string& text) {
    return load_good(with_top("redis: {" + text + "}"), kVariables).notes;
  };
  EXPECT_EQ(notes("url: \"redis://:${PW}@redis.test\""),
            std::vector<std::string>{"redis: its password travels in the clear, since there is no TLS"});
  EXPECT_TRUE(notes("url: \"redis://:${PW}@127.0.0.1\"").empty());
  EXPECT_TRUE(notes("url: \"rediss://:${PW}@redis.test\"").empty());
  EXPECT_EQ(notes("url: rediss://redis.test, tls: {verify: false}"),
            std::vector<std::string>{"redis: TLS VERIFICATION IS OFF; anybody on the way can read its password"});
}

TEST(SpendSections, AreReadWhole) {
  const auto config = load_good(with_top("state: {path: /var/lib/sluice/spend.db}\nalerts: {webhook: "
                                         "\"https://hooks.test:8443/a/b/?t=1\", secret: \"${SECRET}\", attempts: 9, "
                                         "allow_addresses: [10.0.0.0/8]}"),
                                kVariables)
                          .config;
  EXPECT_EQ(config.state.path, "/var/lib/sluice/spend.db");
  EXPECT_EQ(config.alerts.webhook, (Url{true, "hooks.test", 8443, "/a/b/", Secret("t=1")}));
  EXPECT_EQ(config.alerts.secret, Secret("whsec_abc"));
  EXPECT_EQ(config.alerts.attempts, 9U);
  EXPECT_EQ(config.alerts.allow_addresses, std::vector{*parse_network("10.0.0.0/8")});
}

BadCase redis(std::string name, const std::string& text, int column, const std::string& path, std::string fragment) {
  return {"redis_" + name, with_top("redis: {" + text + "}"), 1, column, "redis" + path, std::move(fragment)};
}
BadCase url(std::string name, const std::string& text, std::string fragment) {
  return redis("url_" + name, "url: \"" + text + "\"", 14, ".url", std::move(fragment));
}
BadCase alerts(std::string name, const std::string& text, int column, const std::string& path, std::string fragment) {
  return {"alerts_" + name, with_top("alerts: {" + text + "}"), 1, column, "alerts" + path, std::move(fragment)};
}

const BadCase kCases[] = {
    url("of_another_scheme", "http://h", "redis:// or rediss://"),
    url("without_scheme", "redis.test:6379", "redis:// or rediss://"),
    url("without_host", "redis://", "no host"),
    url("with_a_password", "redis://u:hunter2@h", "a password must not stand in the file"),
    url("with_a_password_as_default", "redis://u:${PW:-hunter2}@h", "nor as a default; write ${PW}"),
    url("with_half_a_reference", "redis://u:x${PW}@h", "a password must not stand in the file"),
    url("with_an_unset_password", "redis://u:${NOPE}@h", "variable NOPE is not set"),
    url("with_an_empty_password", "redis://u:${EMPTY}@h", "variable EMPTY is empty"),
    url("with_a_line_break", "redis://u:${NEWLINE}@h", "the password in environment variable NEWLINE ends with a line"),
    url("with_a_bad_port", "redis://h:0", "expected 1 to 65535"),
    url("with_a_bad_database", "redis://h/x", "the number of a database"),
    url("with_a_path", "redis://h/0/1", "the number of a database"),
    url("with_a_query", "redis://h/0?db=1", "a query or fragment"),
    url("from_an_unset_variable", "${NOPE}", "NOPE is not set"),
    url("from_an_empty_variable", "${EMPTY}", "redis:// or rediss://"),
    url("from_a_default_that_is_empty", "${NOPE:-}", "redis:// or rediss://"),
    url("of_odd_host", "redis://127.1", "not a host name"),
    redis("without_a_server", "deadline: 1s", 1, ".url", "is missing; expected e.g. rediss://"),
    {"redis_empty", with_top("redis:"), 1, 1, "redis.url", "is missing"},
    redis("url_and_cluster", "url: redis://h, cluster: {endpoints: [c]}", 1, "", "exclude each other"),
    redis("sentinel_without_master", "sentinel: {endpoints: [s]}", 9, ".sentinel.master", "is missing"),
    redis("sentinel_without_endpoints", "sentinel: {master: m}", 9, ".sentinel.endpoints", "is missing"),
    redis("sentinel_of_nobody", "sentinel: {master: m, endpoints: []}", 9, ".sentinel", "both master and endpoints"),
    redis("endpoint", "cluster: {endpoints: [\"h:x\"]}", 31, ".cluster.endpoints[0]", "not a port"),
    redis("endpoint_twice", "cluster: {endpoints: [h, H]}", 34, ".cluster.endpoints[1]", "already in the list"),
    redis("cluster_database", "cluster: {endpoints: [h]}, database: 1", 1, "", "database 0 alone"),
    redis("user_beside_url", "url: redis://h, user: u", 25, ".user", "belongs into url"),
    redis("password_beside_url", "url: redis://h, password: \"${PW}\"", 25, ".password", "belongs into url"),
    redis("password", "cluster: {endpoints: [h]}, password: hunter2", 46, ".password", "must not stand in the file"),
    redis("tls_beside_url", "url: rediss://h, tls: {enabled: true}", 26, ".tls", "whose rediss:// says it"),
    redis("tls_of_nothing", "url: redis://h, tls: {verify: false}", 25, ".tls", "has no meaning without TLS"),
    redis("ca_file", "url: rediss://h, tls: {ca_file: none.pem}", 41, ".tls.ca_file", "is not a file"),
    redis("deadline", "url: redis://h, deadline: 0ms", 35, ".deadline", "expected 1ms to 10s"),
    redis("prefix", "url: redis://h, prefix: \"a{b\"", 33, ".prefix", "a prefix is 1 to 64"),
    redis("replicas", "url: redis://h, replicas: 0", 35, ".replicas", "expected 1 to 10000"),
    redis("when_down", "url: redis://h, budgets_when_down: closd", 44, ".budgets_when_down",
          "did you mean \"closed\"?"),

    alerts("without_secret", "webhook: https://h.test/x", 1, "", "webhook needs secret"),
    alerts("with_an_empty_secret", "webhook: https://h.test/x, secret: \"${NOPE:-}\"", 1, "", "webhook needs secret"),
    alerts("secret_in_the_file", "webhook: https://h.test/x, secret: abc", 45, ".secret", "must not stand in the file"),
    alerts("secret_unset", "secret: \"${NOPE}\"", 18, ".secret", "NOPE is not set"),
    alerts("webhook", "webhook: hooks.test", 19, ".webhook", "http:// or https://"),
    alerts("webhook_empty_variable", "webhook: \"${EMPTY}\"", 19, ".webhook", "http:// or https://"),
    alerts("webhook_of_a_metadata_service", "webhook: http://169.254.169.254/", 19, ".webhook", "never upstreams"),
    alerts("attempts", "attempts: 0", 20, ".attempts", "expected 1 to 100"),
    {"state_path_empty", with_top("state: {path: \"\"}"), 1, 15, "state.path", "must not be empty"},
};

class BadRedis : public testing::TestWithParam<BadCase> {};

TEST_P(BadRedis, IsRefusedAtItsPlace) { expect_only_problem(GetParam(), kVariables); }

INSTANTIATE_TEST_SUITE_P(Files, BadRedis, testing::ValuesIn(kCases), [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace sluice::config
