// Alerts on their way: the line, the counts, and a receiver that is good, bad, slow or gone.

#include "sluice/budget/alerts.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <mutex>
#include <thread>

#include "support/scripted_upstream.hpp"
#include "unit/http/loopback.hpp"

namespace sluice::budget {
namespace {

using namespace std::literals;
using support::Behaviour;
using support::ObservedRequest;
using support::ScriptedUpstream;

constexpr const char* kSecret = "hunter2-hunter2-hunter2";

BudgetAlert alert(unsigned percent = 80, const std::string& node = "group acme/search") {
  return {.budget = "group:acme/search|budget|month",
          .node = node,
          .percent = percent,
          .limit = Money::nanodollars(500'000'000'000),
          .used = Money::nanodollars(400'000'000'000),
          .period = Period::kMonth,
          .period_start = std::chrono::sys_days(std::chrono::year(2026) / 11 / 1)};
}

// Over the bytes that came, and with nothing of ours but the secret.
std::string expected_signature(const ObservedRequest& request) {
  const std::string text =
      request.head.get("webhook-id") + "." + request.head.get("webhook-timestamp") + "." + request.body;
  unsigned char digest[32], text64[64];
  unsigned size = 0;
  HMAC(EVP_sha256(), kSecret, static_cast<int>(std::string_view(kSecret).size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest, &size);
  EVP_EncodeBlock(text64, digest, 32);
  return "v1," + std::string(reinterpret_cast<const char*>(text64));
}

class AlertsTest : public ::testing::Test {
 protected:
  void SetUp() override { make({.first_pause = 2ms, .longest_pause = 8ms, .timeout = 5s}); }
  void TearDown() override {
    alerts_.reset();
    loop_.client.reset();
    loop_.run_until([] { return true; });
  }

  void make(AlertOptions options) {
    alerts_.reset();
    const auto note = [this, alive = alive_](bool, const std::string& text) {
      const std::lock_guard lock(mutex_);
      told_.push_back(text);
    };
    alerts_ = std::make_unique<Alerts>(loop_.io, *loop_.client, note, options);
  }
  config::Alerts settings(std::uint16_t port, unsigned attempts = 5) const {
    config::Alerts config;
    config.webhook = config::Url{
        .host = "127.0.0.1", .port = port, .path = "/hook/s3cret-path", .query = Secret("token=s3cret-query")};
    config.secret = Secret(kSecret);
    config.attempts = attempts;
    return config;
  }
  void configure(const config::Alerts& config) {
    const auto configured = alerts_->configure(config);
    ASSERT_TRUE(configured) << configured.error();
  }
  ::testing::AssertionResult settles() {
    if (loop_.run_until([&] { return alerts_->counts().queued == 0; })) return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << alerts_->counts().queued << " still queued";
  }
  std::string last_told() const {
    const std::lock_guard lock(mutex_);
    return told_.empty() ? "" : told_.back();
  }
  // The secrets that a line must not hold.
  void expect_clean_lines() const {
    const std::lock_guard lock(mutex_);
    for (const auto& line : told_) {
      EXPECT_EQ(line.find("hunter2"), line.npos) << line;
      EXPECT_EQ(line.find("s3cret"), line.npos) << line;
    }
  }

  http::testing::ClientLoop loop_;
  ScriptedUpstream receiver_;
  std::shared_ptr<int> alive_ = std::make_shared<int>();  // shared by whatever may still tell something
  std::unique_ptr<Alerts> alerts_;
  mutable std::mutex mutex_;
  std::vector<std::string> told_;
};

TEST_F(AlertsTest, WithoutAWebhookThereIsALineAndACount) {
  alerts_->raise(alert());
  alerts_->raise(alert());
  alerts_->raise(alert(100, "key web"));
  const auto counts = alerts_->counts();
  EXPECT_EQ(counts.raised.at({"group", 80}), 2U);
  EXPECT_EQ(counts.raised.at({"key", 100}), 1U);
  EXPECT_EQ(counts.queued + counts.dropped, 0U);
  EXPECT_EQ(told_.size(), 3U);
  EXPECT_EQ(last_told(), "budget of key web: 100 % of 500 USD reached, 400 USD used in the month since 2026-11-01");
}

TEST_F(AlertsTest, AWebhookIsDeliveredWithASignatureThatHolds) {
  receiver_.on_any().status(204);
  configure(settings(receiver_.port()));
  alerts_->raise(alert());
  ASSERT_TRUE(settles());
  ASSERT_EQ(receiver_.requests().size(), 1U);
  const auto request = receiver_.request(0);
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.target, "/hook/s3cret-path?token=s3cret-query");
  EXPECT_EQ(request.head.get("webhook-signature"), expected_signature(request));
  EXPECT_NE(request.body.find(request.head.get("webhook-id")), std::string::npos);
  const auto sent = std::stoll(request.head.get("webhook-timestamp"));
  EXPECT_NEAR(static_cast<double>(sent), static_cast<double>(std::time(nullptr)), 60);
  EXPECT_EQ(alerts_->counts().delivered, 1U);
  EXPECT_EQ(alerts_->counts().retries, 0U);
  expect_clean_lines();
}

TEST_F(AlertsTest, WhatIsNotTakenIsSentAgainWithTheSameIdAndANewSignature) {
  receiver_.on_any().status(500);
  receiver_.on_any().status(503).close_after_answer();
  receiver_.on_any().reset_before_answer();
  receiver_.on_any().status(200).json("{}");
  configure(settings(receiver_.port()));
  alerts_->raise(alert());
  ASSERT_TRUE(settles());
  const auto requests = receiver_.requests();
  ASSERT_GE(requests.size(), 4U);
  for (const auto& request : requests) {
    EXPECT_EQ(request.head.get("webhook-id"), requests[0].head.get("webhook-id"));
    EXPECT_EQ(request.body, requests[0].body);
    EXPECT_EQ(request.head.get("webhook-signature"), expected_signature(request));
  }
  EXPECT_EQ(alerts_->counts().delivered, 1U);
  EXPECT_EQ(alerts_->counts().retries, 3U);
  EXPECT_EQ(alerts_->counts().failed, 0U);
}

TEST_F(AlertsTest, AfterSoManyAttemptsItIsGivenUpAndTheNextOneIsSent) {
  for (int i = 0; i < 3; ++i) receiver_.on_any().status(500).body("text/plain", "s3cret of the receiver's");
  receiver_.on_any().status(200);
  configure(settings(receiver_.port(), 3));
  alerts_->raise(alert(80));
  alerts_->raise(alert(100));
  ASSERT_TRUE(settles());
  EXPECT_EQ(receiver_.requests().size(), 4U);
  const auto counts = alerts_->counts();
  EXPECT_EQ(counts.failed, 1U);
  EXPECT_EQ(counts.delivered, 1U);
  EXPECT_EQ(counts.retries, 2U);
  EXPECT_TRUE(last_told().starts_with("alerts.webhook: evt_")) << last_told();
  EXPECT_TRUE(last_told().ends_with(" was not taken by 127.0.0.1 in 3 attempts: status 500")) << last_told();
  expect_clean_lines();
}

TEST_F(AlertsTest, RedirectsAreNotFollowed) {
  receiver_.on_any().status(307).header("location", "http://127.0.0.1:" + std::to_string(receiver_.port()) + "/x");
  configure(settings(receiver_.port(), 2));
  alerts_->raise(alert());
  ASSERT_TRUE(settles());
  EXPECT_EQ(alerts_->counts().failed, 1U);
  for (const auto& request : receiver_.requests()) EXPECT_EQ(request.target, "/hook/s3cret-path?token=s3cret-query");
}

TEST_F(AlertsTest, AReceiverThatIsSilentIsNotWaitedForForever) {
  make({.first_pause = 1ms, .longest_pause = 1ms, .timeout = 100ms});
  receiver_.on_any().hang();
  configure(settings(receiver_.port(), 2));
  alerts_->raise(alert());
  ASSERT_TRUE(settles());
  EXPECT_EQ(alerts_->counts().failed, 1U);
  EXPECT_EQ(receiver_.requests().size(), 2U);
}

TEST_F(AlertsTest, ANameThatLeadsToAnInnerAddressIsRefused) {
  config::Alerts config = settings(receiver_.port(), 1);
  config.webhook->host = "127.1";  // the resolver reads it as 127.0.0.1; it is no address as written
  configure(config);
  alerts_->raise(alert());
  ASSERT_TRUE(settles());
  EXPECT_EQ(alerts_->counts().failed, 1U);
  EXPECT_TRUE(receiver_.connections().empty());
  EXPECT_TRUE(last_told().ends_with(": 127.1 leads to 127.0.0.1, which is loopback")) << last_told();
}

TEST_F(AlertsTest, TheQueueIsBounded) {
  make({.first_pause = 1ms, .longest_pause = 1ms, .timeout = 5s, .most_queued = 4});
  configure(settings(receiver_.port()));
  receiver_.on_any().status(200);
  for (unsigned i = 0; i < 100; ++i) alerts_->raise(alert(i));
  EXPECT_EQ(alerts_->counts().queued, 4U) << "nothing was sent while the loop stood";
  EXPECT_EQ(alerts_->counts().dropped, 96U);
  EXPECT_EQ(told_.size(), 100U) << "lines have a bound of their own";
  ASSERT_TRUE(settles());
  EXPECT_EQ(alerts_->counts().delivered, 4U);
  EXPECT_EQ(alerts_->counts().raised.size(), 100U);
  alerts_->raise(alert());
  ASSERT_TRUE(settles());
  EXPECT_EQ(alerts_->counts().delivered, 5U) << "there is room again";
}

TEST_F(AlertsTest, AlertsOfAllThreadsArrive) {
  receiver_.on_any().status(200);
  configure(settings(receiver_.port()));
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < 4; ++i) {
    threads.emplace_back([this, i] {
      for (unsigned n = 0; n < 10; ++n) alerts_->raise(alert(10 * i + n));
    });
  }
  EXPECT_TRUE(loop_.run_until([&] { return alerts_->counts().delivered == 40; }));
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(alerts_->counts().dropped, 0U);
}

TEST_F(AlertsTest, AReloadTakesWhatIsQueuedToTheNewAddress) {
  ScriptedUpstream second;
  receiver_.on_any().status(500);
  second.on_any().status(200);
  configure(settings(receiver_.port(), 1'000'000));
  alerts_->raise(alert());
  ASSERT_TRUE(loop_.run_until([&] { return alerts_->counts().retries > 2; }));
  EXPECT_FALSE(
      alerts_->configure({.webhook = config::Url{}, .secret = Secret(), .allow_addresses = {}, .attempts = 1}));
  configure(settings(second.port()));
  ASSERT_TRUE(settles());
  EXPECT_EQ(alerts_->counts().delivered, 1U);
  EXPECT_EQ(second.requests().size(), 1U);
  alerts_->raise(alert());
  configure({});
  ASSERT_TRUE(settles());
  EXPECT_EQ(alerts_->counts().dropped, 1U) << "no webhook any more";
}

TEST_F(AlertsTest, AnEndInTheMiddleOfAnAttemptLeavesNothingBehind) {
  receiver_.on_any().hang();
  configure(settings(receiver_.port()));
  alerts_->raise(alert());
  ASSERT_TRUE(loop_.run_until([&] { return receiver_.requests().size() == 1; }));
  alerts_.reset();
  EXPECT_TRUE(loop_.run_until([&] { return receiver_.wait_for_disconnect(0, 1ms).peer != support::End::kOpen; }));
  EXPECT_TRUE(loop_.run_until([&] { return alive_.use_count() == 1; }));
}

TEST_F(AlertsTest, AnEndDuringAPauseLeavesNothingBehind) {
  make({.first_pause = 1h, .longest_pause = 1h, .timeout = 5s});
  receiver_.on_any().status(500);
  configure(settings(receiver_.port()));
  alerts_->raise(alert());
  alerts_->raise(alert(100));
  ASSERT_TRUE(loop_.run_until([&] { return alerts_->counts().retries == 1; }));
  alerts_.reset();
  EXPECT_TRUE(loop_.run_until([&] { return alive_.use_count() == 1; })) << "it waits for the end of the pause";
  EXPECT_EQ(receiver_.requests().size(), 1U);
}

}  // namespace
}  // namespace sluice::budget
