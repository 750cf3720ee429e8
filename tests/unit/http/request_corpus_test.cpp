// Every request of tests/corpora, cut at every offset.

#include <gtest/gtest.h>

#include "support/request_corpus.hpp"
#include "unit/http/support.hpp"

namespace sluice::http {
namespace {

using support::request_corpus;
using support::RequestVector;
using testing::Connection;

bool fits(const std::string& want, const Connection& got) {
  const int answers = got.accepted + (got.refused ? 1 : 0);
  if (want == "R") return got.accepted == 0 && got.refused && got.why == ErrorKind::kMalformedRequest;
  if (want == "S") return got.accepted == 0 && got.refused && got.why != ErrorKind::kMalformedRequest;
  if (want == "L") {
    return got.accepted == 0 && got.refused &&
           (got.why == ErrorKind::kMethodNotAllowed || got.why == ErrorKind::kExpectationFailed);
  }
  if (want == "AR") return got.accepted == 1 && got.refused;
  if (want == "A2") return got.accepted == 2 && !got.refused;
  if (want == "A1") return got.accepted >= 1;  // to stop there is the session's part
  if (want == "A") return got.accepted == 1 && !got.refused;
  return want == "X" && answers <= 1;
}

std::vector<std::size_t> offsets(const std::string& bytes) {
  std::vector<std::size_t> all;
  // The giants are long runs of one letter: their ends and a sample between say it all.
  const std::size_t step = bytes.size() < 1000 ? 1 : 997;
  for (std::size_t at = 1; at < bytes.size(); at += at < 200 || at + 200 > bytes.size() ? 1 : step) all.push_back(at);
  return all;
}

TEST(RequestCorpus, IsThere) { EXPECT_GT(request_corpus().size(), 300U); }

TEST(RequestCorpus, F01EveryVectorGetsTheWantedVerdict) {
  for (const RequestVector& vector : request_corpus()) {
    Connection whole;
    whole.feed(vector.bytes);
    EXPECT_TRUE(fits(vector.want, whole)) << vector.id << " wants " << vector.want << ", got\n" << whole.verdict;
  }
}

TEST(RequestCorpus, F01TheVerdictIsTheSameWhereverTheBytesAreCut) {
  for (const RequestVector& vector : request_corpus()) {
    Connection whole;
    whole.feed(vector.bytes);
    for (const std::size_t at : offsets(vector.bytes)) {
      Connection cut;
      cut.feed(std::string_view(vector.bytes).substr(0, at));
      cut.feed(std::string_view(vector.bytes).substr(at));
      ASSERT_EQ(cut.verdict, whole.verdict) << vector.id << " cut at " << at;
    }
  }
}

TEST(RequestCorpus, F01TheVerdictIsTheSameByteByByte) {
  for (const RequestVector& vector : request_corpus()) {
    if (vector.bytes.size() > 21'000) continue;
    Connection whole, trickled;
    whole.feed(vector.bytes);
    for (const char c : vector.bytes) trickled.feed(std::string_view(&c, 1));
    EXPECT_EQ(trickled.verdict, whole.verdict) << vector.id;
  }
}

TEST(RequestCorpus, F01EveryVectorGetsTheSameVerdictBehindAGoodRequest) {
  const std::string good = "POST /v1/x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nok";
  for (const RequestVector& vector : request_corpus()) {
    Connection alone, second;
    alone.feed(vector.bytes);
    second.feed(good + vector.bytes);
    EXPECT_EQ(second.verdict, "POST /v1/x <ok>\n" + alone.verdict) << vector.id;
  }
}

}  // namespace
}  // namespace sluice::http
