// `replay: paced`: a stream is given again with the pauses it once had.

#include "integration/cache_fixture.hpp"

namespace sluice::integration {
namespace {

constexpr milliseconds kPause = 120ms;
constexpr std::size_t kPauses = 3;

class PacedReplay : public CacheTest {
 protected:
  // Between `s0`, `s1`, … lie pauses, each of which has begun when the client has what came before.
  void SetUp() override {
    Behaviour& behaviour = upstream_.on(kChat).stream({role_chunk(), text_chunk("s0")});
    for (std::size_t i = 0; i < kPauses; ++i) {
      gates_.push_back(std::make_shared<Gate>());
      behaviour.then_wait_for(gates_.back()).then_stream({text_chunk("s" + std::to_string(i + 1))});
    }
    behaviour.then_stream({finish_chunk(), usage_chunk(), kDone});
    start(scenario("replay: paced"));
  }
  RawClient sent() { return CacheTest::sent(stream_body("m", kZero)); }
  static bool hears(RawClient& raw, std::size_t piece) {
    return CacheTest::hears(raw, "\"s" + std::to_string(piece) + "\"", 10s);
  }
  // The stream as it first comes, whole.
  Response original() {
    RawClient raw = sent();
    for (std::size_t i = 0; i < kPauses; ++i) {
      EXPECT_TRUE(hears(raw, i));
      EXPECT_TRUE(raw.stays_silent(kPause));
      gates_[i]->open();
    }
    EXPECT_TRUE(hears(raw, kPauses));
    return raw.finish();
  }

  std::vector<std::shared_ptr<Gate>> gates_;
};

TEST_F(PacedReplay, IsNoFasterThanTheAnswerOnceWas) {
  const Response first = original();
  EXPECT_EQ(result(first), "miss");
  // A busy machine may hide from the client that a pause has not begun late.
  bool one_by_one = false;
  for (int tries = 0; tries < 5 && !one_by_one; ++tries) {
    const auto asked_at = Clock::now();
    RawClient raw = sent();
    one_by_one = true;
    for (std::size_t i = 0; i <= kPauses; ++i) {
      ASSERT_TRUE(hears(raw, i));
      const auto since = Clock::now() - asked_at;
      // Each pause is told in whole milliseconds.
      EXPECT_GE(since, i * (kPause - 1ms)) << i;
      one_by_one = one_by_one && since < (i + 1) * kPause;
    }
    const Response again = raw.finish();
    EXPECT_EQ(result(again), "hit");
    EXPECT_TRUE(again.complete);
    EXPECT_EQ(again.body, first.body);
  }
  EXPECT_TRUE(one_by_one) << "all of it came at the end";
  EXPECT_EQ(asked(), 1U);
}

TEST_F(PacedReplay, OneEntryHasBothForms) {
  const Response first = original();
  const Response body = question();
  EXPECT_EQ(result(body), "hit");
  const json whole = json::parse(body.body);
  EXPECT_EQ(whole["choices"][0]["message"]["content"], "s0s1s2s3");
  EXPECT_EQ(whole["usage"]["completion_tokens"], 7);
  const Response with_usage = streamed(R"("stream_options":{"include_usage":true})");
  EXPECT_EQ(result(with_usage), "hit");
  const auto events = data_of(with_usage);
  ASSERT_GE(events.size(), 2U);
  EXPECT_EQ(json::parse(events[events.size() - 2])["usage"]["completion_tokens"], 7);
  EXPECT_EQ(streamed().body, first.body);
  EXPECT_EQ(asked(), 1U);
}

TEST_F(PacedReplay, ABodyHasNoPauses) {
  now_on(kChat).json(chat_answer("Hello there."));
  const Response first = question();
  const Response played = streamed();
  EXPECT_EQ(result(played), "hit");
  EXPECT_TRUE(played.complete);
  std::string text;
  for (const std::string& event : data_of(played)) {
    if (event != kDone) text += json::parse(event)["choices"][0]["delta"].value("content", "");
  }
  EXPECT_EQ(text, "Hello there.");
  EXPECT_EQ(data_of(played).back(), kDone);
  EXPECT_EQ(question().body, first.body);
  EXPECT_EQ(asked(), 1U);
}

TEST_F(PacedReplay, F05AClientThatLeavesEndsIt) {
  const Response first = original();
  for (int reset = 0; reset < 2; ++reset) {
    RawClient raw = sent();
    ASSERT_TRUE(hears(raw, 0));
    reset == 1 ? raw.reset() : raw.close();
    EXPECT_TRUE(eventually([&] { return gateway().metrics().sum("sluice_requests_in_flight") == 0; }));
    const auto lines = gateway().trace(static_cast<std::size_t>(reset) + 2);
    ASSERT_EQ(lines.size(), static_cast<std::size_t>(reset) + 2);
    EXPECT_EQ(lines.back()["outcome"], "client_abort") << lines.back();
    EXPECT_EQ(lines.back()["cost_usd"], 0) << lines.back();
  }
  const Response again = streamed();
  EXPECT_EQ(result(again), "hit") << "the entry is none the worse for it";
  EXPECT_EQ(again.body, first.body);
  EXPECT_EQ(asked(), 1U);
}

}  // namespace
}  // namespace sluice::integration
