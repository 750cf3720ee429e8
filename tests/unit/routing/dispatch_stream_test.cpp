// Streams through the dispatch stage, from a scripted upstream to a sink in memory.

#include "unit/routing/support.hpp"

namespace sluice::routing {
namespace {

using namespace std::chrono_literals;
using namespace testing;
using observe::Stage;

ErrorKind kind_of(const Result<void>& result) { return result ? ErrorKind{} : result.error().kind; }

Error lost() { return fail(ErrorKind::kUpstreamTruncated, "cut").error(); }
Error silent() { return fail(ErrorKind::kUpstreamIdleTimeout, "silent").error(); }

// A stream that broke after it had begun: what the client has, and how it is told.
void expect_broken_after(Conversation& one, const std::string& sent) {
  EXPECT_TRUE(one.sink.started());
  EXPECT_FALSE(one.sink.finished);
  EXPECT_EQ(one.sink.body(), sent);
  ASSERT_TRUE(one.exchange.failure_event != nullptr);
  const auto event = one.exchange.failure_event(fail(ErrorKind::kUpstreamTruncated, "cut").error());
  EXPECT_TRUE(event.starts_with("data: {\"error\":{")) << event;
  EXPECT_TRUE(event.ends_with("}\n\n")) << event;
  EXPECT_EQ(event.find("[DONE]"), std::string::npos);
}

TEST(DispatchStream, PassesEventsAndHidesTheUsageNobodyAskedFor) {
  Conversation one(kStreamBody);
  const auto fate = one.client.add(200, kSse, {token("a"), token("b") + kFinish, kUsage, kDone});
  ASSERT_TRUE(one.dispatch().has_value());
  EXPECT_EQ(one.sink.body(), token("a") + token("b") + kFinish + kDone);
  EXPECT_TRUE(one.sink.finished);
  EXPECT_EQ(one.sink.status, 200);
  EXPECT_EQ(one.sink.content_type, "text/event-stream; charset=utf-8");
  EXPECT_EQ(one.sink.field("cache-control"), "no-cache, no-transform");
  EXPECT_EQ(one.sink.field("x-accel-buffering"), "no");
  EXPECT_TRUE(fate->finished) << "the connection may be kept";
  EXPECT_FALSE(one.exchange.failure_event != nullptr);
}

TEST(DispatchStream, F04WhileTheReaderIsSlowTheUpstreamGivesBackWhatItHolds) {
  Conversation one(kStreamBody);
  one.sink.slow_reader = true;
  const auto fate =
      one.client.add(200, kSse, {token("a") + token("b").substr(0, 20), token("b").substr(20) + kFinish, kDone});
  ASSERT_TRUE(one.dispatch().has_value());
  EXPECT_EQ(one.sink.body(), token("a") + token("b") + kFinish + kDone);
  EXPECT_EQ(fate->pauses, 2) << "once for each piece that did not go at once";
}

TEST(DispatchStream, AReaderThatKeepsUpNeverPausesTheUpstream) {
  Conversation one(kStreamBody);
  const auto fate = one.client.add(200, kSse, {token("a"), kFinish + kDone});
  ASSERT_TRUE(one.dispatch().has_value());
  EXPECT_EQ(fate->pauses, 0);
}

TEST(DispatchStream, F04NothingWaitsForTheReaderBeyondTheTotalTime) {
  Conversation one(kStreamBody);
  one.client.add(200, kSse, {kFinish + kDone});
  ASSERT_TRUE(one.dispatch().has_value());
  EXPECT_EQ(one.sink.ends_by, one.record.started + small_config().providers.at("up").timeouts.total);
}

TEST(DispatchStream, TheTotalTimeEndsAStreamThatAlwaysHasMore) {
  auto config = small_config();
  config.providers.at("up").timeouts.total = 1ms;
  Conversation one(kStreamBody);
  one.record.started = Clock::now() - 1s;
  const auto fate = one.client.add(200, kSse, {token("a"), token("b"), kFinish + kDone});
  const auto result = one.dispatch(config);
  EXPECT_EQ(kind_of(result), ErrorKind::kUpstreamTimeout);
  EXPECT_EQ(fate->reads, 0);
}

TEST(DispatchStream, LeavesTheWholeStoryOnTheRecord) {
  Conversation one(kStreamBody);
  one.client.reused = true;
  one.client.add(200, kSse, {token("a"), kFinish + kUsage + kDone});
  ASSERT_TRUE(one.dispatch().has_value());
  const auto& record = one.record;
  EXPECT_EQ(record.route, "fast");
  EXPECT_EQ(record.provider, "up");
  EXPECT_EQ(record.upstream_model, "gpt-4o-mini");
  EXPECT_EQ(record.finish_reason, "stop");
  EXPECT_EQ(record.events, 3U);
  EXPECT_EQ(record.usage.input, 30);
  EXPECT_EQ(record.usage.output, 20);
  EXPECT_EQ(record.usage.source, UsageSource::kReported);
  ASSERT_EQ(record.attempts.size(), 1U);
  EXPECT_EQ(record.attempts[0].result, "ok");
  EXPECT_TRUE(record.attempts[0].reused);
  EXPECT_FALSE(record.until(Stage::kConnect)) << "there was none to make";
  for (auto stage : {Stage::kRoute, Stage::kFirstByte, Stage::kFirstToken, Stage::kLastToken, Stage::kRelay}) {
    EXPECT_TRUE(record.until(stage).has_value()) << static_cast<int>(stage);
  }
}

TEST(DispatchStream, AsksTheUpstreamForUsageUnderItsOwnModelName) {
  Conversation one(kStreamBody);
  one.client.add(200, kSse, {kFinish + kDone});
  ASSERT_TRUE(one.dispatch().has_value());
  ASSERT_EQ(one.client.asked.size(), 1U);
  const auto& asked = one.client.asked[0];
  EXPECT_EQ(asked.host, "up.example");
  EXPECT_NE(asked.body.find(R"("model":"gpt-4o-mini")"), std::string::npos);
  EXPECT_NE(asked.body.find(R"("include_usage":true)"), std::string::npos);
}

TEST(DispatchStream, ShowsTheUsageToWhoAskedForIt) {
  Conversation one(R"({"model":"fast","stream":true,"stream_options":{"include_usage":true},)"
                   R"("messages":[{"role":"user","content":"hi"}]})");
  one.client.add(200, kSse, {token("a") + kFinish + kUsage + kDone});
  ASSERT_TRUE(one.dispatch().has_value());
  EXPECT_EQ(one.sink.body(), token("a") + kFinish + kUsage + kDone);
}

TEST(DispatchStream, F49UsageThatWasNotReportedIsEstimatedAndSaysSo) {
  Conversation one(kStreamBody);
  one.client.add(200, kSse, {token("a") + token("b") + token("c") + kFinish + kDone});
  ASSERT_TRUE(one.dispatch().has_value());
  EXPECT_EQ(one.record.usage.source, UsageSource::kEstimated);
  EXPECT_EQ(one.record.usage.output, 3);
  EXPECT_GT(one.record.usage.input, 0);
}

TEST(DispatchStream, TheDoneThatLacksIsAppended) {
  Conversation one(kStreamBody);
  one.client.add(200, kSse, {token("a") + kFinish});
  ASSERT_TRUE(one.dispatch().has_value());
  EXPECT_EQ(one.sink.body(), token("a") + kFinish + kDone);
}

TEST(DispatchStream, F32ACutStreamIsNoSuccess) {
  using Steps = std::vector<fakes::Step>;
  for (const Steps& steps : {Steps{token("a"), lost()}, Steps{token("a")}, Steps{token("a") + kDone},
                             Steps{token("a") + "data: {\"cho", lost()}, Steps{token("a") + "data: {\"cho"}}) {
    Conversation one(kStreamBody);
    const auto fate = one.client.add(200, kSse, steps);
    EXPECT_EQ(kind_of(one.dispatch()), ErrorKind::kUpstreamTruncated);
    expect_broken_after(one, token("a"));
    EXPECT_TRUE(fate->destroyed);
    EXPECT_FALSE(fate->finished);
    EXPECT_EQ(one.record.usage.source, UsageSource::kEstimated);
    EXPECT_EQ(one.record.usage.output, 1);
    EXPECT_EQ(one.record.attempts[0].result, "upstream_stream_truncated");
    EXPECT_EQ(one.record.finish_reason, "");
  }
}

TEST(DispatchStream, AStreamCutBeforeItsFirstEventIsAnErrorBeforeAnythingWasSent) {
  Conversation one(kStreamBody);
  one.client.add(200, kSse, {": comment\n\n", lost()});
  EXPECT_EQ(kind_of(one.dispatch()), ErrorKind::kUpstreamTruncated);
  EXPECT_FALSE(one.sink.started());
  EXPECT_FALSE(one.exchange.failure_event != nullptr);
}

TEST(DispatchStream, F34AnErrorAsFirstEventIsAnErrorBeforeAnythingWasSent) {
  Conversation one(kStreamBody);
  one.client.add(200, kSse, {"data: {\"error\":{\"message\":\"overloaded\",\"code\":529}}\n\n"});
  const auto result = one.dispatch();
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind, ErrorKind::kUpstreamStatus);
  EXPECT_EQ(result.error().http_status(), 503);
  EXPECT_EQ(result.error().message, "overloaded");
  EXPECT_FALSE(one.sink.started());
}

TEST(DispatchStream, F35AnErrorAfterTokensKeepsThemAndEndsTheStream) {
  for (const bool together : {true, false}) {
    const std::string error = "data: {\"error\":{\"message\":\"boom\"}}\n\n";
    Conversation one(kStreamBody);
    if (together) {
      one.client.add(200, kSse, {token("a") + error + token("b")});
    } else {
      one.client.add(200, kSse, {token("a"), error, token("b")});
    }
    EXPECT_EQ(kind_of(one.dispatch()), ErrorKind::kUpstreamStatus);
    expect_broken_after(one, token("a"));
    EXPECT_EQ(one.client.asked.size(), 1U) << "no second attempt";
  }
}

TEST(DispatchStream, U43AnEventThatIsNoJsonEndsTheStream) {
  Conversation one(kStreamBody);
  one.client.add(200, kSse, {token("a") + "data: {\"x\":1,}\n\n"});
  EXPECT_EQ(kind_of(one.dispatch()), ErrorKind::kUpstreamInvalidEvent);
  expect_broken_after(one, token("a"));
}

TEST(DispatchStream, F47AnEventBeyondTheLimitEndsTheStream) {
  auto config = small_config();
  config.limits.event_bytes = 1000;
  Conversation one(kStreamBody);
  const auto fate = one.client.add(200, kSse, {token("a"), token(std::string(2000, 'x')), fakes::Hang{}});
  EXPECT_EQ(kind_of(one.dispatch(config)), ErrorKind::kUpstreamEventTooBig);
  expect_broken_after(one, token("a"));
  EXPECT_TRUE(fate->destroyed);
}

TEST(DispatchStream, F30SilenceBeforeTheFirstTokenIsATimeoutThatCommentsDoNotPutOff) {
  auto config = small_config();
  config.providers["up"].timeouts.first_token = 30s;
  Conversation one(kStreamBody);
  const auto before = Clock::now();
  const auto fate = one.client.add(200, kSse, {": a\n\n", ": b\n\n", silent()});
  EXPECT_EQ(kind_of(one.dispatch(config)), ErrorKind::kUpstreamTimeout);
  EXPECT_FALSE(one.sink.started());
  ASSERT_EQ(fate->dues.size(), 3U);
  EXPECT_EQ(fate->dues[0], fate->dues[2]);
  EXPECT_GE(fate->dues[0], before + 30s);
  EXPECT_LE(fate->dues[0], Clock::now() + 30s);
}

TEST(DispatchStream, F31SilenceInTheMiddleIsAnIdleTimeout) {
  auto config = small_config();
  config.providers["up"].timeouts.idle = 7s;
  Conversation one(kStreamBody);
  const auto fate = one.client.add(200, kSse, {token("a"), silent()});
  EXPECT_EQ(kind_of(one.dispatch(config)), ErrorKind::kUpstreamIdleTimeout);
  expect_broken_after(one, token("a"));
  ASSERT_EQ(fate->dues.size(), 2U);
  EXPECT_LE(fate->dues[1], Clock::now() + 7s);
}

TEST(DispatchStream, TheTotalTimeBoundsEveryWait) {
  auto config = small_config();
  config.providers["up"].timeouts.total = 5s;
  Conversation one(kStreamBody);
  const auto fate = one.client.add(200, kSse, {token("a"), silent()});
  EXPECT_EQ(kind_of(one.dispatch(config)), ErrorKind::kUpstreamTimeout);
  for (const auto due : fate->dues) EXPECT_EQ(due, one.record.started + 5s);
  EXPECT_LE(one.client.asked[0].head_due, one.record.started + 5s);
}

TEST(DispatchStream, F05AClientThatLeavesClosesTheUpstream) {
  Conversation one(kStreamBody);
  one.sink.fail_from_piece = 2;
  const auto fate = one.client.add(200, kSse, {token("a"), token("b"), token("c"), kFinish + kDone});
  EXPECT_EQ(kind_of(one.dispatch()), ErrorKind::kClientGone);
  EXPECT_TRUE(fate->destroyed);
  EXPECT_FALSE(fate->finished);
  EXPECT_EQ(fate->reads, 2) << "nothing is read for nobody";
  EXPECT_EQ(one.record.usage.output, 2);
}

TEST(DispatchStream, F06CancellingEndsTheWaitAndLeavesUsageOnTheRecord) {
  Conversation one(kStreamBody);
  const auto fate = one.client.add(200, kSse, {token("a"), fakes::Hang{}});
  net::io_context io;
  net::cancellation_signal client_left;
  const auto stages = resolve_and_dispatch();
  std::optional<Result<void>> result;
  net::co_spawn(io, pipeline::Next(stages)(one.exchange),
                net::bind_cancellation_slot(client_left.slot(), [&](std::exception_ptr thrown, Result<void> value) {
                  if (!thrown) result = value;
                  io.stop();
                }));
  while (one.sink.pieces.empty() && io.poll_one() > 0) {
  }
  ASSERT_EQ(one.sink.body(), token("a"));
  client_left.emit(net::cancellation_type::terminal);
  io.run_for(5s);
  EXPECT_TRUE(fate->destroyed);
  EXPECT_FALSE(one.sink.finished);
  EXPECT_EQ(one.record.usage.source, UsageSource::kEstimated);
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(kind_of(*result), ErrorKind::kClientGone);
}

TEST(DispatchStream, U37AWholeBodyInsteadOfAStreamIsRefused) {
  Conversation one(kStreamBody);
  one.client.add(200, kJson,
                 {R"({"id":"c","choices":[{"index":0,"message":{"content":"hi"},"finish_reason":"stop"}]})"});
  EXPECT_EQ(kind_of(one.dispatch()), ErrorKind::kUpstreamInvalidResponse);
  EXPECT_FALSE(one.sink.started());
}

TEST(DispatchStream, AnErrorInsteadOfAStreamIsTheUpstreamsError) {
  Conversation one(kStreamBody);
  one.client.add(200, kJson, {R"({"error":{"message":"too long","code":"context_length_exceeded"}})"});
  const auto result = one.dispatch();
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().http_status(), 400);
  EXPECT_EQ(result.error().error_code(), "context_length_exceeded");
}

TEST(DispatchStream, U38HtmlInsteadOfAStreamIsRefusedAndHidden) {
  Conversation one(kStreamBody);
  one.client.add(200, {{"content-type", "text/html"}}, {"<html>canary</html>"});
  const auto result = one.dispatch();
  EXPECT_EQ(kind_of(result), ErrorKind::kUpstreamInvalidResponse);
  EXPECT_EQ(result.error().message.find("canary"), std::string::npos);
}

TEST(DispatchStream, TheContentTypeIsReadWithoutCaseAndParameters) {
  for (auto type : {"text/event-stream", "Text/Event-Stream ; charset=x", "text/event-stream;charset=utf-8"}) {
    Conversation one(kStreamBody);
    one.client.add(200, {{"Content-Type", type}}, {token("a") + kFinish + kDone});
    EXPECT_TRUE(one.dispatch().has_value()) << type;
  }
}

TEST(DispatchStream, AStaticProviderNeedsNoUpstream) {
  Conversation one(R"({"model":"house","stream":true,"messages":[{"role":"user","content":"hi"}]})");
  ASSERT_TRUE(one.dispatch().has_value());
  EXPECT_TRUE(one.client.asked.empty());
  EXPECT_TRUE(one.sink.finished);
  EXPECT_TRUE(one.sink.body().ends_with(kDone));
  EXPECT_EQ(one.sink.body().find("\"usage\""), std::string::npos) << "nobody asked for it";
  EXPECT_EQ(one.record.usage.output, 3);
  EXPECT_EQ(one.record.provider, "house");
}

}  // namespace
}  // namespace sluice::routing
