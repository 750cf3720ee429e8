#pragma once
// Signatures of webhooks, after the Standard Webhooks specification 1.0
// (github.com/standard-webhooks/standard-webhooks).

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "sluice/core/secret.hpp"

namespace sluice {

class WebhookKey {
 public:
  // "whsec_" and base64 as the specification writes secrets, or else any text, whose bytes are the key. The error is a
  // sentence for the operator and holds nothing of the secret.
  static std::expected<WebhookKey, std::string> from(const Secret& written);

  // The value of the header webhook-signature: "v1," and the base64 of HMAC-SHA-256 over "id.timestamp.body".
  // `timestamp` in seconds since the epoch.
  std::string sign(std::string_view id, std::int64_t timestamp, std::string_view body) const;

 private:
  explicit WebhookKey(Secret key) : key_(std::move(key)) {}
  Secret key_;
};

}  // namespace sluice
