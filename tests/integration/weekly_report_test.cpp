// The weekly report of a gateway that runs: the file and the webhook.

#include <ctime>

#include "integration/fixture.hpp"

namespace sluice::integration {
namespace {

constexpr const char* kHook = "/hook";

std::string last_monday_in(const char* format) {
  const auto today = std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now());
  const auto monday = today - (std::chrono::weekday(today) - std::chrono::Monday) - std::chrono::days(7);
  const std::time_t second = std::chrono::system_clock::to_time_t(monday);
  std::tm parts{};
  ::gmtime_r(&second, &parts);
  char text[40];
  return {text, std::strftime(text, sizeof text, format, &parts)};
}

class WeeklyReportTest : public GatewayTest {
 protected:
  // A gateway that finds a trace of last week.
  void start_after_a_week(unsigned attempts = 5) {
    const std::string line = R"({"time":")" + last_monday_in("%Y-%m-%d") + R"(T12:00:00.000000Z","schema":1,)" +
                             R"("event":"request","outcome":"ok","group":"acme/web","cost_usd":1.25})" + "\n";
    start({.more = "alerts: {webhook: \"http://127.0.0.1:" + std::to_string(upstream_.port()) + kHook +
                   "\", secret: \"${HOOK_SECRET}\", attempts: " + std::to_string(attempts) +
                   "}\n"
                   "reports: {weekly: {folder: \"{DIR}/reports\", webhook: true, at: \"mon 00:00\"}}\n",
           .files = {{"trace.jsonl." + last_monday_in("%Y%m%dT130000Z-0000"), line}},
           .environment = {{"HOOK_SECRET", "hook-secret"}}});
  }
  std::string report() { return gateway().directory().read("reports/weekly-" + last_monday_in("%Y-%m-%d") + ".json"); }
  double count(std::string_view metric, const std::string& result) {
    return gateway().metrics().sum(metric, {"result=\"" + result + "\""});
  }
  double reports(const std::string& result) { return count("sluice_reports_total", result); }
  double webhooks(const std::string& result) { return count("sluice_alert_webhooks_total", result); }
};

TEST_F(WeeklyReportTest, IsWrittenAndSentSigned) {
  upstream_.on(kHook).status(204);
  start_after_a_week();
  ASSERT_TRUE(eventually([&] { return webhooks("delivered") == 1; }));
  EXPECT_EQ(reports("written"), 1);
  const json made = json::parse(report());
  EXPECT_EQ(made["rows"][0]["team"], "acme");
  EXPECT_EQ(made["total"]["cost_usd"], 1.25);
  const auto request = upstream_.request(0);
  EXPECT_EQ(request.body, report());
  EXPECT_EQ(made["id"], request.head.get("webhook-id"));
  EXPECT_TRUE(request.head.get("webhook-signature").starts_with("v1,"));
  EXPECT_NE(gateway().directory().read("reports/weekly-" + last_monday_in("%Y-%m-%d") + ".csv"), "");
}

TEST_F(WeeklyReportTest, StaysWrittenWhenNobodyTakesTheWebhook) {
  upstream_.on(kHook).status(500);
  start_after_a_week(1);
  ASSERT_TRUE(eventually([&] { return webhooks("failed") == 1; }));
  EXPECT_EQ(json::parse(report())["total"]["cost_usd"], 1.25);
  EXPECT_EQ(reports("written"), 1);
  EXPECT_EQ(reports("failed"), 0);
}

}  // namespace
}  // namespace sluice::integration
