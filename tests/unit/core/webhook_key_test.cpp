#include "sluice/core/webhook_key.hpp"

#include <gtest/gtest.h>

namespace sluice {
namespace {

std::string sign(const std::string& secret, std::string_view id, std::int64_t timestamp, std::string_view body) {
  const auto key = WebhookKey::from(Secret(secret));
  return key ? key->sign(id, timestamp, body) : "refused: " + key.error();
}

// The example of the specification's reference libraries.
TEST(WebhookKey, SignsAsTheSpecificationsExample) {
  EXPECT_EQ(sign("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330,
                 R"({"test": 2432232314})"),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

// Computed with Python: base64(hmac.new(b"Jefe", b"evt_1.1700000000.{}", sha256)).
TEST(WebhookKey, TakesAnyOtherTextAsItStands) {
  EXPECT_EQ(sign("Jefe", "evt_1", 1700000000, "{}"), "v1,YPhlEYmpqDgq4sfZTb9VRD4OP+unnq9O1agRGjwDLQg=");
  EXPECT_EQ(sign("whsec_SmVmZQ==", "evt_1", 1700000000, "{}"), sign("Jefe", "evt_1", 1700000000, "{}"));
}

TEST(WebhookKey, EveryPartIsSigned) {
  const std::string good = sign("Jefe", "evt_1", 1700000000, "{}");
  EXPECT_NE(sign("Jefe ", "evt_1", 1700000000, "{}"), good);
  EXPECT_NE(sign("Jefe", "evt_2", 1700000000, "{}"), good);
  EXPECT_NE(sign("Jefe", "evt_1", 1700000001, "{}"), good);
  EXPECT_NE(sign("Jefe", "evt_1", 1700000000, "{} "), good);
}

TEST(WebhookKey, WhatIsNoSecretIsRefusedWithoutBeingRepeated) {
  for (const char* bad : {"", "whsec_", "whsec_hunter2", "whsec_hunter2!", "whsec_hun=er22"}) {
    const auto key = WebhookKey::from(Secret(bad));
    ASSERT_FALSE(key.has_value()) << bad;
    EXPECT_EQ(key.error().find("hun"), std::string::npos) << key.error();
  }
  EXPECT_FALSE(WebhookKey::from(Secret("whsec_" + std::string(8000, 'A'))).has_value());
}

}  // namespace
}  // namespace sluice
