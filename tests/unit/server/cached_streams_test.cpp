// F65: streams of every kind through the exact cache: what the relay does not end well leaves no entry, however the
// bytes came; what is kept is given again as the client got it first.

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "routing/relay.hpp"
#include "sluice/cache/stages.hpp"
#include "unit/routing/stream_vectors.hpp"
#include "unit/routing/support.hpp"

namespace sluice::server {
namespace {

using namespace routing::testing;
using Steps = std::vector<fakes::Step>;

// In Dispatch's place: one answer, once.
class OneAnswer final : public pipeline::Middleware {
 public:
  explicit OneAnswer(Steps steps) : steps_(std::move(steps)) {}
  bool was_asked() const { return asked_; }

  Task<Result<void>> handle(pipeline::Exchange& exchange, pipeline::Next) const override {
    asked_ = true;
    const auto later = Clock::now() + std::chrono::minutes(1);
    const routing::RelayLimits limits{.first_token_due = later,
                                      .total_due = later,
                                      .idle = std::chrono::seconds(30),
                                      .event_bytes = kStreamEventLimit,
                                      .response_bytes = kStreamEventLimit,
                                      .inline_bytes = kStreamEventLimit,
                                      .hide_usage = exchange.endpoint != Endpoint::kResponses};
    auto stream = std::make_unique<fakes::ScriptedStream>(200, kSse, steps_);
    const auto relay = routing::make_relay(exchange, std::move(stream), limits);
    auto result = co_await relay->prepare();
    if (result) result = co_await relay->deliver();
    relay->note();
    co_return result;
  }

 private:
  Steps steps_;
  mutable bool asked_ = false;
};

std::string body_for(Endpoint endpoint) {
  if (endpoint == Endpoint::kCompletions) return R"({"model":"fast","stream":true,"prompt":"hi"})";
  if (endpoint == Endpoint::kResponses) return R"({"model":"fast","stream":true,"input":"hi","store":false})";
  return kStreamBody;
}

config::Config caching_config() {
  config::Config config = small_config();
  config.cache.rules.policy = config::CachePolicy::kAll;
  return config;
}

// One gateway's cache, and what becomes of one question.
class CachedStream {
 public:
  struct Seen {
    Result<void> result;
    std::string body, what;
    bool asked = false;
  };
  Seen ask(const StreamVector& vector, Steps steps) {
    Conversation one(body_for(vector.endpoint), vector.endpoint);
    one.exchange.resolved = {.model = "fast", .revision = 1, .entry = &config_.models.front()};
    pipeline::Pipeline stages;
    stages.push_back(cache::make_exact_cache(config_, cache_));
    auto answer = std::make_unique<OneAnswer>(std::move(steps));
    const OneAnswer& upstream = *answer;
    stages.push_back(std::move(answer));
    Seen seen{.result = fakes::run(pipeline::Next(stages)(one.exchange)), .body = {}, .what = {}};
    seen.body = one.sink.body();
    seen.what = one.record.cache;
    seen.asked = upstream.was_asked();
    return seen;
  }
  cache::CacheCounts counts() const { return cache_.counts(); }

 private:
  config::Config config_ = caching_config();
  cache::Cache cache_{config_};
};

Steps pieces(const StreamVector& vector, const std::string& bytes, std::size_t each) {
  Steps steps;
  for (std::size_t at = 0; at < bytes.size(); at += each) steps.emplace_back(bytes.substr(at, each));
  if (vector.end) steps.emplace_back(fail(*vector.end, "scripted").error());
  return steps;
}

std::string with_ends(const std::string& text, std::string_view end) {
  std::string out;
  for (const char c : text) c == '\n' ? out += end : out += c;
  return out;
}

class CachedStreams : public ::testing::TestWithParam<StreamVector> {
 protected:
  template <class Check>
  void for_each_form(const Check& check) {
    const StreamVector& vector = GetParam();
    for (const std::string_view end : {"\n", "\r\n", "\r"}) {
      const std::string bytes = with_ends(vector.sent, end);
      for (const std::size_t each : {bytes.size() + 1, std::size_t{1}, std::size_t{7}, std::size_t{61}}) {
        SCOPED_TRACE(::testing::PrintToString(end) + " in pieces of " + std::to_string(each));
        CachedStream gateway;
        check(gateway, pieces(vector, bytes, each));
      }
    }
  }
};

// They end well, but not in a way that is kept.
bool has_other_finish(const StreamVector& vector) {
  static const std::set<std::string> kNames = {"ToolCalls", "TwoChoices", "FinishOfEmptyTextEndsAtDone"};
  return kNames.contains(vector.name);
}

TEST_P(CachedStreams, F65OnlyWhatEndedWellIsKept) {
  const StreamVector& vector = GetParam();
  const bool kept = vector.error.empty() && !has_other_finish(vector);
  for_each_form([&](CachedStream& gateway, const Steps& steps) {
    const auto first = gateway.ask(vector, steps);
    EXPECT_EQ(first.result.has_value(), vector.error.empty());
    EXPECT_EQ(first.what, "miss");
    EXPECT_EQ(gateway.counts().stored, kept ? 1U : 0U);
    EXPECT_EQ(gateway.counts().memory.entries, kept ? 1U : 0U);
    const auto second = gateway.ask(vector, steps);
    EXPECT_EQ(second.asked, !kept);
    EXPECT_EQ(second.what, kept ? "hit" : "miss");
    EXPECT_EQ(second.body, first.body);
  });
}

INSTANTIATE_TEST_SUITE_P(Vector, CachedStreams, ::testing::ValuesIn(stream_vectors()),
                         [](const auto& vector) { return vector.param.name; });

}  // namespace
}  // namespace sluice::server
