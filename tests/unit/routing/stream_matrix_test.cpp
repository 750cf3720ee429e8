// F32-F35, F47-F49: streams of every kind, with every line end and cut everywhere, through the relay. However the bytes
// come, the client gets those of the uncut stream, or the same good beginning and an error; never a success that the
// upstream did not report.

#include <random>

#include "routing/relay.hpp"
#include "unit/routing/stream_vectors.hpp"
#include "unit/routing/support.hpp"

namespace sluice::routing {
namespace {

using namespace testing;

// Everything a client sees of a stream.
struct Seen {
  std::string body;
  bool started = false;
  bool finished = false;
  std::string error;  // code; empty: it went well
  std::string failure_event;
  bool operator==(const Seen&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Seen& seen) {
  return out << "[" << seen.error << (seen.finished ? "] finished " : "] cut ") << ::testing::PrintToString(seen.body);
}

const std::string& request_of(Endpoint endpoint) {
  static const std::string kCompletion = R"({"model":"fast","stream":true,"prompt":"hi"})";
  static const std::string kResponse = R"({"model":"fast","stream":true,"input":"hi"})";
  if (endpoint == Endpoint::kCompletions) return kCompletion;
  return endpoint == Endpoint::kResponses ? kResponse : kStreamBody;
}

Task<Result<void>> through(Relay& relay) {
  auto prepared = co_await relay.prepare();
  if (prepared) prepared = co_await relay.deliver();
  co_return prepared;
}

Seen relay(const StreamVector& vector, std::vector<fakes::Step> steps) {
  if (vector.end) steps.emplace_back(fail(*vector.end, "scripted").error());
  Conversation one(request_of(vector.endpoint), vector.endpoint);
  auto stream = std::make_unique<fakes::ScriptedStream>(200, kSse, std::move(steps));
  const auto later = Clock::now() + std::chrono::minutes(1);
  const RelayLimits limits{.first_token_due = later,
                           .total_due = later,
                           .idle = std::chrono::seconds(30),
                           .event_bytes = kStreamEventLimit,
                           .response_bytes = kStreamEventLimit,
                           .inline_bytes = kStreamEventLimit,
                           .hide_usage = vector.endpoint != Endpoint::kResponses};
  const auto made = make_relay(one.exchange, std::move(stream), limits);
  const auto result = fakes::run(through(*made));
  made->note();
  Seen seen{one.sink.body(), one.sink.started(), one.sink.finished, {}, {}};
  if (result) return seen;
  seen.error = result.error().error_code();
  if (one.exchange.failure_event) seen.failure_event = one.exchange.failure_event(result.error());
  return seen;
}

void expect_as_wanted(const StreamVector& vector, const Seen& seen) {
  EXPECT_EQ(seen.error, vector.error);
  EXPECT_EQ(seen.body, vector.relayed);
  EXPECT_EQ(seen.finished, vector.error.empty());
  EXPECT_EQ(seen.started, !vector.relayed.empty()) << "the head of an answer leaves with its first event";
  if (vector.error.empty()) return;
  EXPECT_EQ(seen.body.find("[DONE]"), std::string::npos) << "an invented end";
  EXPECT_EQ(seen.failure_event.empty(), !seen.started);
  EXPECT_EQ(seen.failure_event.find("finish_reason\":\""), std::string::npos) << "an invented finish";
}

class StreamMatrix : public ::testing::TestWithParam<StreamVector> {};

TEST_P(StreamMatrix, F48ReadsTheSameInEveryLineEndAndCut) {
  const StreamVector& vector = GetParam();
  std::mt19937 random(7);
  for (const std::string_view end : {"\n", "\r\n", "\r"}) {
    const std::string bytes = with_ends(vector.sent, end);
    const Seen whole = relay(vector, pieces(bytes, {}));
    expect_as_wanted(vector, whole);
    std::vector<std::size_t> everywhere(bytes.size());
    for (std::size_t i = 0; i < bytes.size(); ++i) everywhere[i] = i;
    ASSERT_EQ(relay(vector, pieces(bytes, everywhere)), whole) << "byte by byte";
    for (int round = 0; round < 50 && !bytes.empty(); ++round) {
      std::vector<std::size_t> cuts(1 + random() % 8);
      for (std::size_t& cut : cuts) cut = random() % bytes.size();
      std::ranges::sort(cuts);
      ASSERT_EQ(relay(vector, pieces(bytes, cuts)), whole) << ::testing::PrintToString(cuts);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Vector, StreamMatrix, ::testing::ValuesIn(stream_vectors()),
                         [](const auto& vector) { return vector.param.name; });

TEST(StreamVectors, AreAllThere) { EXPECT_GE(stream_vectors().size(), 56U); }

}  // namespace
}  // namespace sluice::routing
