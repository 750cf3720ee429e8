#include "sluice/auth/authenticator.hpp"

#include <gtest/gtest.h>

#include "sluice/config/key_hash.hpp"
#include "support/client_keys.hpp"

namespace sluice::auth {
namespace {

using support::client_key;
using support::ClientKey;

const IpAddress kHere = *parse_ip("127.0.0.1");
const IpAddress kThere = *parse_ip("192.0.2.7");

config::Key row(unsigned number) {
  config::Key key;
  key.name = "key-" + std::to_string(number);
  key.hash = *config::parse_key_hash(client_key(number).hash);
  return key;
}

struct Desk {
  explicit Desk(unsigned count) {
    config.has_keys = true;
    for (unsigned i = 0; i < count; ++i) config.keys.push_back(row(i));
  }
  Result<const config::Key*> ask(const std::vector<http::Field>& fields, IpAddress source = kThere) {
    const Authenticator authenticator(config, failures);
    http::RequestHead head;
    head.fields.assign(fields.begin(), fields.end());
    return authenticator.identify(head, {source, now});
  }
  ErrorKind refusal(const std::vector<http::Field>& fields) {
    const auto result = ask(fields);
    return result ? ErrorKind::kInternal : result.error().kind;
  }

  config::Config config;
  std::shared_ptr<FailureLimits> failures = std::make_shared<FailureLimits>();
  std::chrono::system_clock::time_point now = std::chrono::system_clock::now();
};

TEST(Authenticator, FindsEachOfManyKeys) {
  Desk desk(300);
  for (unsigned i = 0; i < 300; ++i) {
    const std::string text = "Bearer " + client_key(i).text;
    const auto found = desk.ask({{"authorization", text}});
    ASSERT_TRUE(found.has_value()) << i;
    EXPECT_EQ((*found)->name, "key-" + std::to_string(i));
  }
}

TEST(Authenticator, AnyByteThatDiffersMakesAnotherKey) {
  Desk desk(3);
  desk.config.auth.failures_per_minute = 0;
  const std::string good = client_key(1).text;
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    EXPECT_EQ(desk.refusal({{"x-api-key", bad}}), ErrorKind::kInvalidApiKey) << i;
    EXPECT_EQ(desk.refusal({{"x-api-key", good.substr(0, i)}}), ErrorKind::kInvalidApiKey) << i;
  }
  EXPECT_EQ(desk.refusal({{"x-api-key", good + "x"}}), ErrorKind::kInvalidApiKey);
}

TEST(Authenticator, OneGoodKeyAmongSeveralHeadersIsEnough) {
  Desk desk(2);
  const std::string good = client_key(1).text;
  EXPECT_TRUE(desk.ask({{"Authorization", "Bearer nonsense"}, {"X-Api-Key", good}}).has_value());
  EXPECT_TRUE(desk.ask({{"api-key", good}}).has_value());
  const std::string first = "Bearer " + client_key(0).text;
  EXPECT_EQ((*desk.ask({{"authorization", first}, {"x-api-key", good}}))->name, "key-0")
      << "Authorization is preferred";
}

TEST(Authenticator, AHeaderThatStandsThereTwiceIsNoCredential) {
  Desk desk(2);
  const std::string good = client_key(1).text;
  EXPECT_EQ(desk.refusal({{"x-api-key", good}, {"x-api-key", good}}), ErrorKind::kInvalidApiKey);
}

TEST(Authenticator, ExpiredAndDisabledKeysAreUnknown) {
  Desk desk(2);
  const std::string text = client_key(1).text;
  desk.config.keys[1].expires = std::chrono::floor<std::chrono::seconds>(desk.now) + std::chrono::seconds(1);
  EXPECT_TRUE(desk.ask({{"x-api-key", text}}).has_value());
  desk.now += std::chrono::seconds(1);
  EXPECT_EQ(desk.refusal({{"x-api-key", text}}), ErrorKind::kInvalidApiKey);
  desk.config.keys[1].expires.reset();
  desk.config.keys[1].enabled = false;
  EXPECT_EQ(desk.refusal({{"x-api-key", text}}), ErrorKind::kInvalidApiKey);
}

TEST(Authenticator, WithoutKeysOnlyThisMachineIsServed) {
  Desk desk(0);
  desk.config.has_keys = false;
  EXPECT_EQ(*desk.ask({}, kHere), nullptr);
  EXPECT_EQ(*desk.ask({}, *parse_ip("::1")), nullptr);
  EXPECT_EQ(*desk.ask({}, *parse_ip("::ffff:127.0.0.1")), nullptr);
  EXPECT_EQ(desk.refusal({}), ErrorKind::kLoopbackOnly);
}

TEST(Authenticator, AnEmptyListLetsNobodyIn) {
  Desk desk(0);
  EXPECT_EQ(desk.refusal({}), ErrorKind::kInvalidApiKey);
  const std::string zeros = "sk-sluice-000000000000-0000000000000000000000000000000000000000000";
  EXPECT_EQ(desk.refusal({{"x-api-key", zeros}}), ErrorKind::kInvalidApiKey);
}

TEST(FailureLimits, F20CountsEachSourceWithinAMinute) {
  FailureLimits limits;
  const TimePoint now = TimePoint{} + std::chrono::minutes(1000) + std::chrono::seconds(20);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(limits.note(kThere, 5, now).count(), 0);
  EXPECT_EQ(limits.note(kThere, 5, now), std::chrono::seconds(40)) << "until the minute is over";
  EXPECT_EQ(limits.note(kHere, 5, now).count(), 0) << "somebody else";
  EXPECT_EQ(limits.note(kThere, 5, now + std::chrono::seconds(40)).count(), 0) << "the next minute";
}

TEST(FailureLimits, F20IPv6SourcesCountByTheirNetwork) {
  FailureLimits limits;
  const TimePoint now = TimePoint{} + std::chrono::minutes(1000);
  EXPECT_EQ(limits.note(*parse_ip("2001:db8:1:2::1"), 1, now).count(), 0);
  EXPECT_GT(limits.note(*parse_ip("2001:db8:1:2:ffff::9"), 1, now).count(), 0);
  EXPECT_EQ(limits.note(*parse_ip("2001:db8:1:3::1"), 1, now).count(), 0);
}

TEST(FailureLimits, ZeroMeansNoLimit) {
  FailureLimits limits;
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(limits.note(kThere, 0, TimePoint{}).count(), 0);
}

}  // namespace
}  // namespace sluice::auth
