#pragma once
// The text of a webhook: where it goes, what it says, how it is signed. Pure, but for create(), which reads the
// system's certificates.

#include <chrono>
#include <expected>
#include <memory>
#include <string>

#include "sluice/budget/alerts.hpp"
#include "sluice/core/webhook_key.hpp"

namespace sluice::budget {

WebhookMessage message_of(const BudgetAlert& alert, std::chrono::system_clock::time_point now);

// For the log.
std::string line_of(const BudgetAlert& alert);

// What to wait before attempt `next` (2 is the second). `random` in [0, 1): the pause is between one half and all of
// first * 2^(next - 2), cut to the longest.
milliseconds pause_before(unsigned next, double random, const AlertOptions& options);

class WebhookTarget {
 public:
  // The error says which setting is wrong.
  static std::expected<std::shared_ptr<const WebhookTarget>, std::string> create(const config::Alerts& config);

  // Complete, but for the due time of the answer. Points into `message`.
  http::Outgoing request(const WebhookMessage& message, std::int64_t timestamp) const;
  // For the log: paths and queries of webhooks are secrets as a rule.
  const std::string& host() const { return origin_->host; }
  unsigned attempts() const { return attempts_; }

 private:
  WebhookTarget(WebhookKey key, std::shared_ptr<const http::Origin> origin, const config::Alerts& config);

  WebhookKey key_;
  std::shared_ptr<const http::Origin> origin_;
  Secret fixed_;  // the head's beginning
  unsigned attempts_;
};

}  // namespace sluice::budget
