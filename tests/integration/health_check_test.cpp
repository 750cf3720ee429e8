// Active health checks (providers.<name>.health): a sick provider's targets go out and come back.

#include <atomic>

#include "integration/fixture.hpp"

namespace sluice::integration {
namespace {

constexpr const char* kHealth = "/health";

class HealthCheck : public GatewayTest {
 protected:
  // The upstream answers its requests, and its checks with what `status_` says.
  void serve() {
    upstream_.set_script([this](const ObservedRequest& request) {
      Behaviour behaviour;
      if (request.target == kHealth) return std::optional(behaviour.status(status_.load()).json("{}"));
      return std::optional(behaviour.json(chat_answer("hi")));
    });
    start({.provider = "health: {path: /health, interval: 200ms, timeout: 200ms}", .models = "m: up/a"});
  }
  json target() { return json::parse(gateway().admin("/admin/targets").body)["targets"][0]; }
  double checks(std::string_view result) {
    return gateway().metrics().sum("sluice_health_checks_total",
                                   {"provider=\"up\"", "result=\"" + std::string(result) + "\""});
  }

  std::atomic<int> status_ = 200;
};

TEST_F(HealthCheck, ASickProviderIsTakenOutAndComesBack) {
  serve();
  ASSERT_TRUE(eventually([&] { return checks("ok") > 1; }));
  EXPECT_EQ(target()["breaker"], "closed");
  status_ = 503;
  ASSERT_TRUE(eventually([&] { return target()["breaker"] == "open"; }));
  EXPECT_EQ(target()["reason"], "health_check");
  EXPECT_GE(checks("failed"), 3) << "one alone says little";
  EXPECT_TRUE(gateway().wait_output("provider up: 3 health checks in a row have failed"));
  const Response away = ask(chat_body());
  EXPECT_EQ(away.status, 503) << away.body;
  status_ = 204;
  ASSERT_TRUE(eventually([&] { return target()["breaker"] == "closed"; }));
  EXPECT_LT(target()["share"].get<double>(), 1) << "slowly";
  EXPECT_EQ(ask(chat_body()).status, 200);
}

TEST_F(HealthCheck, CarriesTheProvidersCredentialToThePathOnItsHost) {
  serve();
  ASSERT_TRUE(upstream_.wait_for_requests(1));
  const ObservedRequest check = upstream_.request(0);
  EXPECT_EQ(check.method, "GET");
  EXPECT_EQ(check.target, kHealth);
  EXPECT_NE(check.head_bytes.find("authorization: Bearer "), std::string::npos);
  EXPECT_EQ(check.body, "");
}

TEST_F(HealthCheck, EndsWithTheConfigurationThatAskedForIt) {
  serve();
  status_ = 503;
  ASSERT_TRUE(eventually([&] { return target()["breaker"] == "open"; }));
  gateway().replace_config(config_text({.models = "m: up/a"}, upstream_.url()));
  gateway().signal(SIGHUP);
  EXPECT_TRUE(eventually([&] { return ask(chat_body()).status == 200; })) << "nobody holds it out any more";
  EXPECT_FALSE(gateway().metrics().has("sluice_health_checks_total"));
}

}  // namespace
}  // namespace sluice::integration
