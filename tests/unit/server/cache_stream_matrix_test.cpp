// F65: streams of every kind, with every line end and cut into pieces, through the cache. What did not come whole, or
// did not end as it should, leaves nothing; what did is given again as it was.

#include <random>

#include "unit/routing/stream_vectors.hpp"
#include "unit/server/cache_chain.hpp"

namespace sluice::server {
namespace {

using namespace testing;
using nlohmann::json;
using routing::testing::kStreamEventLimit;
using routing::testing::pieces;
using routing::testing::stream_vectors;
using routing::testing::StreamVector;
using routing::testing::with_ends;

config::Config matrix_config() {
  config::Config config = caching_config();
  config.limits.event_bytes = kStreamEventLimit;
  return config;
}

std::vector<json> events_in(const std::string& text) {
  std::vector<json> events;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find("\n\n", at), text.size());
    std::string data;
    for (std::size_t line = at; line < end; line = text.find('\n', line) + 1) {
      if (text.compare(line, 6, "data: ") == 0) data += text.substr(line + 6, text.find('\n', line) - line - 6);
      if (text.find('\n', line) >= end) break;
    }
    at = end + 2;
    const json event = json::parse(data, nullptr, false);
    if (event.is_object()) events.push_back(event);  // and not one with half a surrogate pair, which says nothing here
  }
  return events;
}

// Whether every part of it ended with "stop", as the client sees it.
bool stopped(const StreamVector& vector) {
  if (vector.endpoint == Endpoint::kResponses) return true;
  std::set<std::string> reasons;
  for (const json& event : events_in(vector.relayed)) {
    for (const json& choice : event.value("choices", json::array())) {
      const json reason = choice.value("finish_reason", json());
      if (reason.is_string()) reasons.insert(reason.get<std::string>());
    }
  }
  return reasons == std::set<std::string>{"stop"};
}

Asked ask(Chain& chain, const StreamVector& vector, std::vector<fakes::Step> steps) {
  if (vector.end) steps.emplace_back(fail(*vector.end, "scripted").error());
  return chain.ask(request_for(vector.endpoint, true), vector.endpoint, 200, routing::testing::kSse, std::move(steps));
}

void expect_nothing_kept(const StreamVector& vector, const std::vector<fakes::Step>& steps) {
  Chain chain(matrix_config());
  for (int i = 0; i < 2; ++i) {
    const Asked asked = ask(chain, vector, steps);
    EXPECT_EQ(asked.told, "miss");
    EXPECT_EQ(asked.calls, 1U) << "it is asked for again";
    EXPECT_EQ(asked.result.has_value(), vector.error.empty());
    EXPECT_EQ(asked.body, vector.relayed);
  }
  EXPECT_EQ(chain.counts().stored, 0U);
  EXPECT_EQ(chain.counts().memory.entries, 0U);
}

void expect_kept(const StreamVector& vector, const std::vector<fakes::Step>& steps) {
  Chain chain(matrix_config());
  EXPECT_EQ(ask(chain, vector, steps).body, vector.relayed);
  EXPECT_EQ(chain.counts().stored, 1U);
  EXPECT_EQ(chain.counts().memory.entries, 1U);
  const Asked again = ask(chain, vector, steps);
  EXPECT_EQ(again.told, "hit");
  EXPECT_EQ(again.calls, 0U);
  EXPECT_TRUE(again.finished);
  EXPECT_EQ(again.body, vector.relayed);
}

class CacheStreamMatrix : public ::testing::TestWithParam<StreamVector> {};

TEST_P(CacheStreamMatrix, F65WhatIsNotWholeLeavesNothing) {
  const StreamVector& vector = GetParam();
  const bool kept = vector.error.empty() && stopped(vector);
  std::mt19937 random(65);
  for (const std::string_view end : {"\n", "\r\n", "\r"}) {
    const std::string bytes = with_ends(vector.sent, end);
    std::vector<std::vector<std::size_t>> cuttings(2);
    for (std::size_t i = 0; i < bytes.size(); ++i) cuttings[1].push_back(i);
    for (int i = 0; i < 10 && !bytes.empty(); ++i) {
      auto& cuts = cuttings.emplace_back(1 + random() % 8);
      for (std::size_t& cut : cuts) cut = random() % bytes.size();
      std::ranges::sort(cuts);
    }
    for (const auto& cuts : cuttings) {
      kept ? expect_kept(vector, pieces(bytes, cuts)) : expect_nothing_kept(vector, pieces(bytes, cuts));
      ASSERT_FALSE(HasFailure()) << ::testing::PrintToString(end) << " cut at " << ::testing::PrintToString(cuts);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Vector, CacheStreamMatrix, ::testing::ValuesIn(stream_vectors()),
                         [](const auto& vector) { return vector.param.name; });

}  // namespace
}  // namespace sluice::server
