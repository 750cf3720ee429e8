#include "config/redis_url.hpp"

#include <algorithm>

#include "config/interpolate.hpp"
#include "config/url.hpp"
#include "config/values.hpp"
#include "sluice/core/text.hpp"

namespace sluice::config {
namespace {

constexpr std::uint16_t kPort = 6379;
constexpr std::uint64_t kMostDatabase = 65'535;

struct Parts {
  bool tls = false;
  std::string_view user;
  std::string_view password;
  std::string_view node;      // host and port
  std::string_view database;  // empty: not said
};

std::expected<Parts, std::string> split(std::string_view text) {
  using Error = std::unexpected<std::string>;
  Parts parts;
  const auto scheme = text.find("://");
  parts.tls = text.substr(0, scheme) == "rediss";
  if (scheme == text.npos || (!parts.tls && text.substr(0, scheme) != "redis")) {
    return Error("expected a URL that starts with redis:// or rediss://");
  }
  text.remove_prefix(scheme + 3);
  if (text.find_first_of("?#") != text.npos) return Error("a query or fragment does not belong here");
  const auto at = text.rfind('@');
  if (at != text.npos) {
    const std::string_view who = text.substr(0, at);
    const auto colon = std::min(who.find(':'), who.size());
    parts.user = who.substr(0, colon);
    parts.password = who.substr(std::min(colon + 1, who.size()));
    text.remove_prefix(at + 1);
  }
  const auto slash = std::min(text.find('/'), text.size());
  parts.node = text.substr(0, slash);
  parts.database = text.substr(std::min(slash + 1, text.size()));
  return parts;
}

bool read_parts(const Value& value, const Parts& parts, Redis& redis) {
  const auto node = parse_node(parts.node, kPort);
  const auto database = parts.database.empty() ? std::optional<std::uint64_t>(0) : parse_whole(parts.database);
  if (!node) {
    value.fail(node.error());
  } else if (!database || *database > kMostDatabase) {
    value.fail("after the slash comes the number of a database, e.g. rediss://redis:6379/0");
  } else {
    redis.endpoints = {*node};
    redis.tls = parts.tls;
    redis.database = static_cast<unsigned>(*database);
    return true;
  }
  return false;
}

// The whole URL is a reference.
bool read_expanded(const Value& value, Redis& redis) {
  const auto text = read_text(value);
  if (!text) return false;
  const auto parts = split(*text);
  if (!parts) {
    value.fail(parts.error());
    return false;
  }
  redis.user = percent_decoded(parts->user);
  redis.password = Secret(percent_decoded(parts->password));
  return read_parts(value, *parts, redis);
}

// `convert` of a part of the text.
template <class Convert>
auto of_part(const Value& value, std::string_view part, Convert convert) {
  Node node;
  node.kind = Node::Kind::kText;
  node.text = part;
  Value one = value;
  one.node = &node;
  return convert(one);
}

}  // namespace

bool read_redis_url(const Value& value, Redis& redis) {
  if (value.node->kind != Node::Kind::kText || sole_reference(value.node->text)) return read_expanded(value, redis);
  const auto parts = split(value.node->text);
  if (!parts) {
    value.fail(parts.error());
    return false;
  }
  const auto secret = [](const Value& part) { return read_secret(part, "password"); };
  auto password = of_part(value, parts->password, secret);
  const auto user = of_part(value, parts->user, read_text);
  const auto node = of_part(value, parts->node, read_text);
  const auto database = of_part(value, parts->database, read_text);
  if (!password || !user || !node || !database) return false;
  redis.password = std::move(*password);
  redis.user = *user;
  return read_parts(value, {parts->tls, *user, {}, *node, *database}, redis);
}

}  // namespace sluice::config
