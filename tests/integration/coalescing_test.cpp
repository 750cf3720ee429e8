// Equal requests at the same time are asked once.

#include <thread>

#include "integration/cache_fixture.hpp"

namespace sluice::integration {
namespace {

class Coalescing : public CacheTest {
 protected:
  std::string stream_of(const std::string& more = "") { return stream_body("m", std::string(kZero) + more); }
  static bool hears(RawClient& raw, std::string_view text) { return CacheTest::hears(raw, text, 2s); }
};

TEST_F(Coalescing, F66AThousandEqualRequestsAreOne) {
  auto gate = std::make_shared<Gate>();
  upstream_.on(kChat).json(chat_answer()).hold_head_until(gate);
  start(scenario("", "", 2));
  const int count = scaled(200);
  std::vector<RawClient> clients;
  for (int i = 0; i < count; ++i) clients.push_back(sent(chat_body("m", kZero)));
  ASSERT_TRUE(all_in_flight(count));
  gate->open();
  int coalesced = 0;
  for (RawClient& raw : clients) {
    const Response answer = raw.read_response();
    EXPECT_EQ(answer.status, 200);
    EXPECT_NE(answer.body.find("Hello there."), std::string::npos);
    coalesced += result(answer) == "coalesced" ? 1 : 0;
  }
  EXPECT_EQ(asked(), 1U);
  EXPECT_EQ(coalesced, count - 1);
}

TEST_F(Coalescing, FollowersGetTheStreamAsItComes) {
  auto gate = std::make_shared<Gate>();
  upstream_.on(kChat)
      .stream({role_chunk(), text_chunk("Hel")})
      .then_wait_for(gate)
      .then_stream({text_chunk("lo"), finish_chunk(), usage_chunk(), kDone});
  start(scenario("", "", 2));
  RawClient leader = sent(stream_of());
  ASSERT_TRUE(hears(leader, "Hel"));
  RawClient follower = sent(stream_of());
  ASSERT_TRUE(hears(follower, "Hel")) << "while the rest has not come";
  RawClient with_usage = sent(stream_of(R"(,"stream_options":{"include_usage":true})"));
  ASSERT_TRUE(hears(with_usage, "Hel"));
  RawClient whole = sent(chat_body("m", kZero));
  ASSERT_TRUE(all_in_flight(4));
  gate->open();
  const Response led = leader.finish();
  const Response followed = follower.finish();
  EXPECT_EQ(result(followed), "coalesced");
  EXPECT_EQ(followed.body, led.body);
  const auto events = data_of(with_usage.finish());
  EXPECT_EQ(json::parse(events.at(events.size() - 2))["usage"]["completion_tokens"], 7);
  const Response body = whole.read_response();
  EXPECT_EQ(result(body), "coalesced");
  EXPECT_EQ(json::parse(body.body)["choices"][0]["message"]["content"], "Hello");
  EXPECT_EQ(asked(), 1U);
}

TEST_F(Coalescing, F66IfTheLeadersClientLeavesAFollowerCarriesOn) {
  auto gate = std::make_shared<Gate>();
  upstream_.on(kChat)
      .stream({role_chunk(), text_chunk("Hel")})
      .then_wait_for(gate)
      .then_stream({text_chunk("lo"), finish_chunk(), kDone});
  start(scenario("", "", 2));
  RawClient leader = sent(stream_of());
  ASSERT_TRUE(hears(leader, "Hel"));
  RawClient follower = sent(stream_of());
  ASSERT_TRUE(hears(follower, "Hel"));
  leader.close();
  gate->open();
  const Response followed = follower.finish();
  EXPECT_EQ(data_of(followed).back(), "[DONE]");
  EXPECT_EQ(asked(), 1U);
  const auto lines = gateway().trace(2);
  std::vector<std::string> outcomes = {lines[0]["outcome"], lines[1]["outcome"]};
  std::ranges::sort(outcomes);
  EXPECT_EQ(outcomes, (std::vector<std::string>{"cache_hit", "client_abort"}));
}

TEST_F(Coalescing, F06WhenAllHaveLeftTheUpstreamIsCutAtOnce) {
  upstream_.on(kChat).stream({role_chunk(), text_chunk("Hel")}).stall();
  start(scenario("", "", 2));
  RawClient leader = sent(stream_of());
  ASSERT_TRUE(hears(leader, "Hel"));
  RawClient follower = sent(stream_of());
  ASSERT_TRUE(hears(follower, "Hel"));
  leader.close();
  EXPECT_TRUE(follower.stays_silent(200ms)) << "nothing ends it";
  EXPECT_EQ(upstream_.connections().at(0).peer, End::kOpen) << "somebody still reads";
  const auto left = Clock::now();
  follower.close();
  const auto seen = upstream_.wait_for_disconnect(0);
  ASSERT_NE(seen.peer, End::kOpen);
  EXPECT_LE(seen.closed_at - left, abort_bound());
}

// More than the sockets between an upstream and a client take.
std::vector<std::string> long_stream() {
  std::vector<std::string> events = {role_chunk()};
  for (int i = 0; i < 400; ++i) events.push_back(text_chunk(std::string(32 * 1024, 'x')));
  events.insert(events.end(), {finish_chunk(), kDone});
  return events;
}

TEST_F(Coalescing, AClientThatReadsSlowlyHoldsUpNobodyButItself) {
  upstream_.on(kChat).stream(long_stream());
  start(scenario("max_entry: 32MiB", "", 2));
  RawClient leader = client(4096);
  leader.send(post_request(kChat, stream_of(), app_.bearer()));
  ASSERT_TRUE(leader.read_head());
  RawClient follower = sent(stream_of());
  const Response followed = follower.read_response();
  EXPECT_EQ(result(followed), "coalesced");
  EXPECT_EQ(data_of(followed).back(), "[DONE]");
  const Response led = leader.finish();
  EXPECT_EQ(led.body.size(), followed.body.size());
  EXPECT_TRUE(led.body == followed.body);
  EXPECT_EQ(asked(), 1U);
}

TEST_F(Coalescing, AClientThatReadsNothingIsGivenUpAndTheOthersGetTheAnswer) {
  auto gate = std::make_shared<Gate>();
  auto events = long_stream();
  events.pop_back();
  upstream_.on(kChat).stream(events).then_wait_for(gate).then_stream({kDone});
  Scenario made = scenario("max_entry: 32MiB", "", 2);
  made.limits = "write_timeout: 300ms";
  start(made);
  RawClient leader = client(4096);
  leader.send(post_request(kChat, stream_of(), app_.bearer()));
  ASSERT_TRUE(leader.read_head());
  RawClient follower = sent(stream_of());
  ASSERT_TRUE(hears(follower, "\"stop\""));
  gate->open();
  EXPECT_EQ(data_of(follower.finish()).back(), "[DONE]");
  EXPECT_TRUE(eventually([&] {
    const auto lines = gateway().trace();
    return std::ranges::any_of(lines, [](const json& line) { return line["outcome"] == "client_stalled"; });
  })) << json(gateway().trace()).dump();
  EXPECT_EQ(asked(), 1U);
}

TEST_F(Coalescing, AnErrorIsEverybodysAndIsNotKept) {
  auto gate = std::make_shared<Gate>();
  upstream_.on(kChat).status(500).json(error_answer("down", "server_error", "down")).hold_head_until(gate);
  start(scenario());
  RawClient leader = sent(chat_body("m", kZero));
  ASSERT_TRUE(upstream_.wait_for_requests(1));
  RawClient follower = sent(chat_body("m", kZero));
  ASSERT_TRUE(all_in_flight(2));
  gate->open();
  EXPECT_EQ(leader.read_response().status, 502);
  EXPECT_EQ(follower.read_response().status, 502);
  EXPECT_EQ(asked(), 1U);
  now_on(kChat).json(chat_answer());
  EXPECT_EQ(result(question()), "miss");
}

TEST_F(Coalescing, TenantsDoNotFollowEachOther) {
  auto gate = std::make_shared<Gate>();
  upstream_.on(kChat).json(chat_answer()).hold_head_until(gate);
  start(scenario());
  RawClient one = sent(chat_body("m", kZero));
  RawClient two = client();
  two.send(post_request(kChat, chat_body("m", kZero), other_.bearer()));
  EXPECT_TRUE(upstream_.wait_for_requests(2));
  gate->open();
  EXPECT_EQ(result(one.read_response()), "miss");
  EXPECT_EQ(result(two.read_response()), "miss");
}

TEST_F(Coalescing, WhoComesAfterAPurgeFollowsNobodyFromBefore) {
  auto gate = std::make_shared<Gate>();
  upstream_.on(kChat).json(chat_answer("old")).hold_head_until(gate);
  start(scenario());
  RawClient before = sent(chat_body("m", kZero));
  ASSERT_TRUE(upstream_.wait_for_requests(1));
  EXPECT_EQ(purge(R"({"all":true})").status, 200);
  now_on(kChat).json(chat_answer("new"));
  const Response after = question();
  EXPECT_EQ(result(after), "miss");
  EXPECT_NE(after.body.find("new"), std::string::npos);
  gate->open();
  EXPECT_NE(before.read_response().body.find("old"), std::string::npos) << "who came before is not hurt";
  EXPECT_NE(question().body.find("new"), std::string::npos) << "and keeps nothing";
}

}  // namespace
}  // namespace sluice::integration
