// Waiting for a slot: in order, for a while, and not for nobody.

#include <csignal>

#include "integration/fixture.hpp"
#include "support/client_keys.hpp"

namespace sluice::integration {
namespace {

const ClientKey kHigh = client_key(1);
const ClientKey kLow = client_key(2);

class Queue : public GatewayTest {
 protected:
  // One slot for the whole process; the first request holds it until the gate is opened.
  void start_full(const std::string& queue = "", const std::string& keys = "") {
    upstream_.on(kChat).hold_head_until(gate_).json(chat_answer());
    start({.more = "admission: {concurrency: 1, queue: {" + queue + "}}\nkeys: [" +
                   kHigh.row("high", "priority: high" + keys) + ", " + kLow.row("low", "priority: low" + keys) +
                   "]\n"});
    first_.emplace(gateway().port());
    first_->send(post_request(kChat, chat_body(), kLow.bearer()));
    ASSERT_TRUE(upstream_.wait_for_requests(1));
  }
  std::unique_ptr<RawClient> enter(const ClientKey& key, std::size_t then_waiting, const std::string& head = "") {
    auto raw = std::make_unique<RawClient>(gateway().port());
    raw->send(
        post_request(kChat, chat_body("m", R"("user":")" + std::to_string(then_waiting) + "\""), key.bearer() + head));
    EXPECT_TRUE(eventually([&] { return waiting() == static_cast<double>(then_waiting); }));
    return raw;
  }
  double waiting() { return gateway().metrics().sum("sluice_queue_requests"); }

  std::shared_ptr<Gate> gate_ = std::make_shared<Gate>();
  std::optional<RawClient> first_;
};

TEST_F(Queue, WhoWaitsIsServedWhenASlotComesFree) {
  start_full();
  auto second = enter(kLow, 1);
  EXPECT_EQ(upstream_.requests().size(), 1U);
  gate_->open();
  EXPECT_EQ(first_->read_response().status, 200);
  EXPECT_EQ(second->read_response().status, 200);
  EXPECT_EQ(waiting(), 0);
  const auto metrics = gateway().metrics();
  EXPECT_EQ(metrics.sum("sluice_queue_wait_seconds_count"), 1);
}

TEST_F(Queue, HigherPriorityGoesFirst) {
  start_full();
  auto low = enter(kLow, 1);
  auto high = enter(kHigh, 2);
  gate_->open();
  EXPECT_EQ(high->read_response().status, 200);
  EXPECT_EQ(low->read_response().status, 200);
  const auto lines = gateway().trace(3);
  EXPECT_EQ(lines[1]["key"], "high");
  EXPECT_EQ(lines[2]["key"], "low");
}

TEST_F(Queue, F06WhoLeavesWhileWaitingIsGoneFromTheQueue) {
  start_full();
  auto second = enter(kLow, 1);
  second->close();
  EXPECT_TRUE(eventually([&] { return waiting() == 0; }, abort_bound() * 4));
  const auto lines = gateway().trace(1);
  EXPECT_EQ(lines[0]["outcome"], "client_abort");
  EXPECT_EQ(lines[0]["phase"], "queue");
  gate_->open();
  EXPECT_EQ(first_->read_response().status, 200);
  EXPECT_EQ(upstream_.requests().size(), 1U);
}

TEST_F(Queue, WhoWaitsTooLongIsToldWhenToComeAgain) {
  start_full("timeout: 200ms");
  auto second = enter(kLow, 1);
  const Response refused = second->read_response();
  EXPECT_TRUE(is_error(refused, 503, "server_is_overloaded"));
  EXPECT_FALSE(refused.header("retry-after").empty());
  EXPECT_EQ(gateway().trace(1)[0]["limit"], "process concurrency");
  gate_->open();
  EXPECT_EQ(first_->read_response().status, 200);
}

TEST_F(Queue, TheClientsOwnDeadlineBoundsTheWait) {
  start_full();
  const auto began = Clock::now();
  auto second = enter(kLow, 1, "x-stainless-timeout: 1\r\n");
  EXPECT_TRUE(is_error(second->read_response(), 503, "server_is_overloaded"));
  EXPECT_LT(Clock::now() - began, 5s);
  gate_->open();
  EXPECT_EQ(first_->read_response().status, 200);
}

TEST_F(Queue, AFullQueueShedsTheLowestClassFirst) {
  start_full("most: 1");
  auto low = enter(kLow, 1);
  auto high = std::make_unique<RawClient>(gateway().port());
  high->send(post_request(kChat, chat_body(), kHigh.bearer()));
  EXPECT_TRUE(is_error(low->read_response(), 503, "server_is_overloaded"));
  EXPECT_EQ(gateway().metrics().sum("sluice_queue_shed_total"), 1);
  EXPECT_TRUE(is_error(ask(chat_body(), kLow.bearer()), 503, "server_is_overloaded"));
  gate_->open();
  EXPECT_EQ(high->read_response().status, 200);
  EXPECT_EQ(first_->read_response().status, 200);
}

TEST_F(Queue, ANodesOwnSlotsAre429) {
  upstream_.on(kChat).hold_head_until(gate_).json(chat_answer());
  start({.more = "admission: {queue: {timeout: 100ms}}\nkeys: [" + kHigh.row("app", "limits: {concurrency: 1}") + ", " +
                 kLow.row("other") + "]\n"});
  first_.emplace(gateway().port());
  first_->send(post_request(kChat, chat_body(), kHigh.bearer()));
  ASSERT_TRUE(upstream_.wait_for_requests(1));
  const Response refused = ask(chat_body(), kHigh.bearer());
  EXPECT_TRUE(is_error(refused, 429, "concurrency_exceeded"));
  gate_->open();
  EXPECT_EQ(first_->read_response().status, 200);
  EXPECT_EQ(ask(chat_body(), kHigh.bearer()).status, 200);
}

}  // namespace
}  // namespace sluice::integration
