// What a webhook says and where it goes.

#include "budget/webhook.hpp"

#include <gtest/gtest.h>

namespace sluice::budget {
namespace {

using namespace std::literals;
using std::chrono::sys_days;
using std::chrono::year;

BudgetAlert alert() {
  return {.budget = "group:acme/search|budget|month",
          .node = "group acme/search",
          .percent = 80,
          .limit = Money::nanodollars(500'000'000'000),
          .used = Money::nanodollars(402'130'000'001),
          .period = Period::kMonth,
          .period_start = sys_days(year(2026) / 11 / 1)};
}

config::Alerts settings(std::string secret = "hunter2") {
  config::Alerts config;
  config.webhook = config::Url{.tls = false, .host = "hooks.example", .port = 80, .path = "/in", .query = {}};
  config.secret = Secret(std::move(secret));
  return config;
}

std::string body_of(const BudgetAlert& alert) { return message_of(alert, sys_days(year(2026) / 11 / 20) + 12h).body; }

std::string head_of(const config::Alerts& config) {
  const auto target = WebhookTarget::create(config);
  if (!target) return target.error();
  const WebhookMessage message{"evt_1", "{}"};
  return std::string((*target)->request(message, 1700000000).head.reveal());
}

TEST(Webhook, SaysWhatHasHappened) {
  const auto message = message_of(alert(), sys_days(year(2026) / 11 / 20) + 12h + 34min + 56s + 789ms);
  EXPECT_EQ(message.body, R"({"type":"budget.threshold","id":")" + message.id +
                              R"(","time":"2026-11-20T12:34:56Z","node":"group acme/search","limit_usd":500,)"
                              R"("used_usd":402.130000001,"percent":80,"period":"month",)"
                              R"("period_start":"2026-11-01T00:00:00Z"})");
}

TEST(Webhook, ABudgetWithoutAPeriodHasNoStart) {
  BudgetAlert whole = alert();
  whole.period = Period::kTotal;
  whole.period_start = {};
  EXPECT_NE(body_of(whole).find(R"("period":"total","period_start":null})"), std::string::npos) << body_of(whole);
}

TEST(Webhook, NamesAreEscaped) {
  BudgetAlert odd = alert();
  odd.node = "key \"a\"\n";
  EXPECT_NE(body_of(odd).find(R"("node":"key \"a\"\n",)"), std::string::npos) << body_of(odd);
}

TEST(Webhook, EqualEventsHaveEqualIdsAndOthersOthers) {
  const auto id = [](const BudgetAlert& of) { return message_of(of, {}).id; };
  const std::string first = id(alert());
  EXPECT_EQ(first.size(), 4U + 24);
  EXPECT_TRUE(first.starts_with("evt_"));
  BudgetAlert other = alert();
  other.used += Money::nanodollars(1);
  EXPECT_EQ(id(other), first) << "told again, by another replica perhaps";
  other.percent = 100;
  EXPECT_NE(id(other), first);
  other = alert();
  other.period_start += std::chrono::days(30);
  EXPECT_NE(id(other), first);
  other = alert();
  other.limit += Money::nanodollars(1);
  EXPECT_NE(id(other), first);
  other = alert();
  other.budget += "x";
  EXPECT_NE(id(other), first);
}

TEST(Webhook, IsSignedAfterTheStandard) {
  const std::string head = head_of(settings());
  EXPECT_TRUE(head.starts_with("POST /in HTTP/1.1\r\nhost: hooks.example\r\n")) << head;
  EXPECT_NE(head.find("\r\nwebhook-id: evt_1\r\nwebhook-timestamp: 1700000000\r\nwebhook-signature: " +
                      WebhookKey::from(Secret("hunter2"))->sign("evt_1", 1700000000, "{}") + "\r\n"),
            head.npos)
      << head;
  EXPECT_NE(head.find("\r\ncontent-type: application/json\r\n"), head.npos);
  EXPECT_TRUE(head.ends_with("\r\ncontent-length: 2\r\n\r\n"));
}

TEST(Webhook, GoesWhereItsUrlSays) {
  config::Alerts config = settings();
  config.webhook->path.clear();
  config.webhook->query = Secret("token=t");
  config.webhook->port = 8080;
  EXPECT_TRUE(head_of(config).starts_with("POST /?token=t HTTP/1.1\r\nhost: hooks.example:8080\r\n"));
  config.webhook->host = "2001:db8::1";
  config.webhook->port = 443;
  config.webhook->tls = true;
  EXPECT_TRUE(head_of(config).starts_with("POST /?token=t HTTP/1.1\r\nhost: [2001:db8::1]\r\n"));
}

TEST(Webhook, NoInnerAddressIsAllowedAndTlsIsVerified) {
  config::Alerts config = settings();
  config.webhook->tls = true;
  const auto target = WebhookTarget::create(config);
  ASSERT_TRUE(target);
  const auto out = (*target)->request({"evt_1", "{}"}, 1);
  EXPECT_TRUE(out.origin->allowed.empty());
  ASSERT_TRUE(out.origin->tls);
  EXPECT_TRUE(out.origin->tls->verify());
}

TEST(Webhook, NeedsAGoodSecret) {
  EXPECT_EQ(head_of(settings("")), "alerts.secret: it is empty, and every webhook is signed");
  EXPECT_EQ(head_of(settings("whsec_hunter2")), "alerts.secret: what follows whsec_ is no base64");
}

TEST(Webhook, PausesGrowAreJitteredAndHaveAnEnd) {
  const AlertOptions options{.first_pause = 1000ms, .longest_pause = 60'000ms};
  EXPECT_EQ(pause_before(2, 0, options), 500ms);
  EXPECT_EQ(pause_before(2, 1, options), 1000ms);
  EXPECT_EQ(pause_before(3, 0, options), 1000ms);
  EXPECT_EQ(pause_before(5, 1, options), 8000ms);
  EXPECT_EQ(pause_before(9, 1, options), 60'000ms);
  EXPECT_EQ(pause_before(4'000'000'000U, 1, options), 60'000ms);
  EXPECT_EQ(pause_before(0, 0, options), 500ms);
}

TEST(Webhook, TheLogSaysItInASentence) {
  EXPECT_EQ(line_of(alert()),
            "budget of group acme/search: 80 % of 500 USD reached, 402.130000001 USD used in the month since "
            "2026-11-01");
  BudgetAlert whole = alert();
  whole.period = Period::kTotal;
  EXPECT_TRUE(line_of(whole).ends_with("402.130000001 USD used in all"));
}

}  // namespace
}  // namespace sluice::budget
