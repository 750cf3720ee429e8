// state and alerts: where spend is kept, and who hears of it.

#include "config/sections.hpp"
#include "config/url.hpp"
#include "config/values.hpp"

namespace sluice::config {
namespace {

constexpr std::uint64_t kMostAttempts = 100;

// "" is none; an address that comes out empty is an error of parse_url().
std::optional<std::optional<Url>> read_webhook(const Value& value) {
  if (value.node->kind == Node::Kind::kText && value.node->text.empty()) return std::optional<Url>();
  return parsed(parse_url)(value);
}

}  // namespace

void read_state(const Value& section, State& state) {
  MapReader map(section);
  map.read("path", state.path, read_word);
}

void read_alerts(const Value& section, Alerts& alerts) {
  MapReader map(section);
  map.read("webhook", alerts.webhook, read_webhook);
  bool bad_secret = false;
  map.section("secret", [&](const Value& value) {
    auto secret = read_secret(value, "secret");
    bad_secret = !secret;
    if (secret) alerts.secret = std::move(*secret);
  });
  map.section("allow_addresses", [&](const Value& list) { read_allow_addresses(list, alerts.allow_addresses); });
  map.read("attempts", alerts.attempts, small_count(1, kMostAttempts));
  if (alerts.webhook && alerts.secret.empty() && !bad_secret) {
    section.fail_key("webhook needs secret, which signs what is sent: secret: \"${NAME}\"");
  }
}

}  // namespace sluice::config
