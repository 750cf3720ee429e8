#include <algorithm>

#include "config/address.hpp"
#include "config/redis_url.hpp"
#include "config/sections.hpp"
#include "config/url.hpp"
#include "config/values.hpp"

namespace sluice::config {
namespace {

constexpr std::uint16_t kRedisPort = 6379;
constexpr std::uint16_t kSentinelPort = 26379;
constexpr std::uint64_t kMostReplicas = 10'000;
constexpr std::uint64_t kMostDatabase = 65'535;
constexpr std::size_t kMostPrefix = 64;

bool read_endpoints(MapReader& map, std::uint16_t port, std::vector<Address>& endpoints) {
  return map.section("endpoints", [&](const Value& list) {
    for (const Value& item : read_items(list)) {
      const auto text = read_text(item);
      if (!text) continue;
      const auto node = parse_node(*text, port);
      if (!node) {
        item.fail(node.error());
      } else if (std::ranges::find(endpoints, *node) != endpoints.end()) {
        item.fail(item.shown() + " is already in the list");
      } else {
        endpoints.push_back(*node);
      }
    }
  });
}

// Both empty: no sentinels.
void read_sentinel(const Value& section, Redis& redis) {
  MapReader map(section);
  std::vector<Address> endpoints;
  const bool master = map.read("master", redis.sentinel_master, read_text);
  const bool listed = read_endpoints(map, kSentinelPort, endpoints);
  if (!master) map.missing("master", "expected the name under which sentinels know the master");
  if (!listed) map.missing("endpoints", "expected addresses of sentinels, e.g. [sentinel-1:26379]");
  if (master && listed && redis.sentinel_master.empty() != endpoints.empty()) {
    section.fail_key("needs both master and endpoints, or neither of them");
  }
  std::ranges::move(endpoints, std::back_inserter(redis.endpoints));
}

void read_cluster(const Value& section, Redis& redis) {
  MapReader map(section);
  std::vector<Address> endpoints;
  if (!read_endpoints(map, kRedisPort, endpoints)) {
    map.missing("endpoints", "expected addresses of some of its nodes, e.g. [redis-1:6379]");
  }
  redis.cluster = !endpoints.empty();
  std::ranges::move(endpoints, std::back_inserter(redis.endpoints));
}

// A name that comes out empty switches Redis off, which must be meant.
bool read_url(const Value& value, Redis& redis) {
  if (value.node->kind == Node::Kind::kText && value.node->text.empty()) return false;
  read_redis_url(value, redis);
  return true;
}

void read_tls(const Value& section, Redis& redis, bool url) {
  MapReader map(section);
  const bool said = map.read("enabled", redis.tls, read_flag);
  if (said && url) section.fail_key("enabled has no meaning beside url, whose rediss:// says it");
  const bool file = map.read("ca_file", redis.ca_file, read_pem_file) && !redis.ca_file.empty();
  map.read("verify", redis.tls_verify, read_flag);
  if (!redis.tls && !redis.endpoints.empty() && (file || !redis.tls_verify)) {
    section.fail_key("has no meaning without TLS: write rediss://, or enabled: true beside sentinel or cluster");
  }
  if (redis.tls && !redis.tls_verify) {
    section.scope->report.note("redis: TLS VERIFICATION IS OFF; anybody on the way can read its password");
  }
}

// Who we are to Redis, where no URL says it.
void read_login(MapReader& map, Redis& redis, bool url) {
  constexpr auto kInUrl = "belongs into url, as in rediss://user:${REDIS_PASSWORD}@redis:6379/0";
  for (const std::string_view key : {"user", "password", "database"}) {
    if (url) map.refuse(key, kInUrl);
  }
  if (url) return;
  map.read("user", redis.user, read_text);
  map.read("password", redis.password, [](const Value& value) { return read_secret(value, "password"); });
  map.read("database", redis.database, small_count(0, kMostDatabase));
}

std::optional<std::string> read_prefix(const Value& value) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  };
  auto text = read_text(value);
  if (!text || (!text->empty() && text->size() <= kMostPrefix && std::ranges::all_of(*text, fits))) return text;
  value.fail("a prefix is 1 to 64 of A-Z, a-z, 0-9, \".\", \"_\" and \"-\"");
  return std::nullopt;
}

void read_patience(MapReader& map, Redis& redis) {
  map.read("deadline", redis.deadline, duration(1ms, 10s));
  map.read("connect_timeout", redis.connect_timeout, duration(1ms, 1min));
  map.read("prefix", redis.prefix, read_prefix);
  map.read("replicas", redis.replicas, small_count(1, kMostReplicas));
  map.read("budgets_when_down", redis.budgets_when_down,
           choice<RedisDown>({{"closed", RedisDown::kClosed}, {"open", RedisDown::kOpen}}));
}

void check_whole(const Value& section, const Redis& redis) {
  if (redis.cluster && redis.database != 0) section.fail_key("a cluster has database 0 alone");
  const bool far = std::ranges::any_of(redis.endpoints, [](const Address& one) { return !is_loopback(one.host); });
  if (!redis.tls && !redis.password.empty() && far) {
    section.scope->report.note("redis: its password travels in the clear, since there is no TLS");
  }
}

}  // namespace

void read_redis(const Value& section, std::optional<Redis>& out) {
  Redis redis;
  MapReader map(section);
  bool url = false;
  bool sentinel = false;
  bool cluster = false;
  bool said = map.section("url", [&](const Value& value) { url = read_url(value, redis); });
  said |= map.section("sentinel", [&](const Value& value) {
    read_sentinel(value, redis);
    sentinel = !redis.sentinel_master.empty();
  });
  said |= map.section("cluster", [&](const Value& value) {
    read_cluster(value, redis);
    cluster = redis.cluster;
  });
  if (!said) map.missing("url", "expected e.g. rediss://user:${REDIS_PASSWORD}@redis:6379/0, or sentinel or cluster");
  if (url + sentinel + cluster > 1) section.fail_key("url, sentinel and cluster exclude each other");
  read_login(map, redis, url);
  map.section("tls", [&](const Value& value) { read_tls(value, redis, url); });
  read_patience(map, redis);
  check_whole(section, redis);
  if (!redis.endpoints.empty()) out = std::move(redis);
}

}  // namespace sluice::config
