#include "budget/webhook.hpp"

#include <algorithm>
#include <array>
#include <ctime>

#include "sluice/core/build_info.hpp"
#include "sluice/core/digest.hpp"
#include "sluice/core/ids.hpp"
#include "sluice/core/json_string.hpp"

namespace sluice::budget {
namespace {

constexpr std::size_t kIdDigits = 24;

std::string shown(std::chrono::sys_seconds time, const char* format) {
  const std::time_t seconds = time.time_since_epoch().count();
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), format, &parts)};
}

// RFC 3339.
std::string instant(std::chrono::sys_seconds time) { return shown(time, "%Y-%m-%dT%H:%M:%SZ"); }

std::string event_of(const BudgetAlert& alert) {
  std::string name = alert.budget;
  name.append("|").append(std::to_string(alert.period_start.time_since_epoch().count()));
  name.append("|").append(std::to_string(alert.limit.nanodollars()));
  name.append("|").append(std::to_string(alert.percent));
  return name;
}

std::string authority_of(const config::Url& url) {
  std::string authority = url.host.find(':') == std::string::npos ? url.host : "[" + url.host + "]";
  if (url.port != (url.tls ? 443 : 80)) authority += ":" + std::to_string(url.port);
  return authority;
}

std::expected<std::shared_ptr<const http::Origin>, std::string> origin_of(const config::Alerts& config) {
  const config::Url& url = *config.webhook;
  auto origin = std::make_shared<http::Origin>();
  origin->host = url.host;
  origin->port = url.port;
  origin->max_idle = 1;
  origin->allowed = config.allow_addresses;
  origin->identity = "webhook|" + url.host + "|" + std::to_string(url.port);
  for (const IpNetwork& network : origin->allowed) {
    origin->identity += "|" + to_string(network.first) + "/" + std::to_string(network.bits);
  }
  if (url.tls) {
    auto tls = http::TlsContext::create("", true);
    if (!tls) return std::unexpected("alerts.webhook: " + tls.error());
    origin->tls = std::move(*tls);
    origin->identity += "|tls";
  }
  return origin;
}

}  // namespace

std::string webhook_id(std::string_view event) {
  const Sha256 digest = sha256(event);
  std::string id = "evt_";
  for (std::size_t i = 0; i < kIdDigits / 2; ++i) append_hex(id, digest[i], 2);
  return id;
}

WebhookMessage message_of(const BudgetAlert& alert, std::chrono::system_clock::time_point now) {
  WebhookMessage message{webhook_id(event_of(alert)), {}};
  std::string& body = message.body;
  body.append(R"({"type":"budget.threshold","id":")").append(message.id);
  body.append(R"(","time":")").append(instant(std::chrono::floor<std::chrono::seconds>(now)));
  body.append(R"(","node":)");
  append_json_string(body, alert.node);
  body.append(R"(,"limit_usd":)").append(to_decimal(alert.limit));
  body.append(R"(,"used_usd":)").append(to_decimal(alert.used));
  body.append(R"(,"percent":)").append(std::to_string(alert.percent));
  body.append(R"(,"period":")").append(to_string(alert.period)).append(R"(","period_start":)");
  if (alert.period == Period::kTotal) {
    body.append("null}");
  } else {
    body.append("\"").append(instant(alert.period_start)).append("\"}");
  }
  return message;
}

std::string line_of(const BudgetAlert& alert) {
  std::string line = "budget of " + alert.node + ": " + std::to_string(alert.percent) + " % of " +
                     to_string(alert.limit) + " reached, " + to_string(alert.used) + " used";
  if (alert.period == Period::kTotal) return line + " in all";
  return line + " in the " + std::string(to_string(alert.period)) + " since " + shown(alert.period_start, "%Y-%m-%d");
}

milliseconds pause_before(unsigned next, double random, const AlertOptions& options) {
  constexpr unsigned kMostDoublings = 20;
  const unsigned doublings = std::clamp(next, 2U, kMostDoublings + 2) - 2;
  const auto longest = std::min(options.first_pause * (std::int64_t{1} << doublings), options.longest_pause);
  return std::chrono::duration_cast<milliseconds>(longest * (0.5 + random / 2));
}

WebhookTarget::WebhookTarget(WebhookKey key, std::shared_ptr<const http::Origin> origin, const config::Alerts& config)
    : key_(std::move(key)), origin_(std::move(origin)), attempts_(std::max(config.attempts, 1U)) {
  const config::Url& url = *config.webhook;
  fixed_.append("POST ").append(url.path.empty() ? "/" : url.path);
  if (!url.query.empty()) fixed_.append("?").append(url.query);
  fixed_.append(" HTTP/1.1\r\nhost: ").append(authority_of(url)).append("\r\nuser-agent: sluice/").append(version());
  fixed_.append("\r\naccept-encoding: identity\r\ncontent-type: application/json\r\n");
}

std::expected<std::shared_ptr<const WebhookTarget>, std::string> WebhookTarget::create(const config::Alerts& config) {
  auto key = WebhookKey::from(config.secret);
  if (!key) return std::unexpected("alerts.secret: " + key.error());
  auto origin = origin_of(config);
  if (!origin) return std::unexpected(std::move(origin.error()));
  return std::shared_ptr<const WebhookTarget>(new WebhookTarget(std::move(*key), std::move(*origin), config));
}

http::Outgoing WebhookTarget::request(const WebhookMessage& message, std::int64_t timestamp) const {
  http::Outgoing out;
  out.origin = origin_;
  out.head.append(fixed_).append("webhook-id: ").append(message.id);
  out.head.append("\r\nwebhook-timestamp: ").append(std::to_string(timestamp));
  out.head.append("\r\nwebhook-signature: ").append(key_.sign(message.id, timestamp, message.body));
  out.head.append("\r\ncontent-length: ").append(std::to_string(message.body.size())).append("\r\n\r\n");
  out.body = {message.body};
  return out;
}

}  // namespace sluice::budget
