// What Boost.Beast 1.81 gets wrong, each on the side of clients and on the side of upstreams. We do not use it; these
// name what a reader that replaces ours would have to keep. The fourth hole, CR LF written as it comes, is tested where
// heads are written: unit/server/client_sink_test.cpp and unit/provider/openai_test.cpp.

#include <gtest/gtest.h>

#include "unit/http/loopback.hpp"
#include "unit/http/support.hpp"

namespace sluice::http {
namespace {

using testing::ClientLoop;
using testing::Connection;
using testing::Peer;
using testing::Server;

const std::string kPost = "POST /v1/x HTTP/1.1\r\nHost: a\r\n";
const std::string kChunked = "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n";

// How a client of ours gets on with an upstream that sends this.
Result<std::string> answer_from(const std::string& bytes) {
  Server server([&bytes](Peer& peer, int) {
    peer.read_head();
    peer.send(bytes);
    peer.wait_end();
  });
  ClientLoop loop;
  auto origin = std::make_shared<Origin>();
  origin->host = "127.0.0.1";
  origin->port = server.port();
  const auto due = Clock::now() + std::chrono::seconds(5);
  const Outgoing request{
      .origin = origin, .head = Secret("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), .body = {}, .head_due = due};
  auto exchange = [](Client& client, const Outgoing& out) -> Task<Result<std::string>> {
    OpenTimes times;
    auto stream = co_await client.open(out, times);
    if (!stream) co_return std::unexpected(stream.error());
    std::string body;
    for (;;) {
      auto piece = co_await (*stream)->read_some(out.head_due);
      if (!piece) co_return std::unexpected(piece.error());
      if (piece->empty()) co_return body;
      body += *piece;
    }
  };
  auto answer = loop.run(exchange(*loop.client, request));
  loop.client.reset();
  return answer;
}

void expect_refused_upstream(const std::string& bytes) {
  const auto answer = answer_from(bytes);
  ASSERT_FALSE(answer.has_value()) << bytes.substr(0, 200);
  EXPECT_EQ(answer.error().kind, ErrorKind::kUpstreamInvalidResponse) << bytes.substr(0, 200);
}

void expect_refused_client(const std::string& bytes) {
  Connection connection;
  connection.feed(bytes);
  EXPECT_TRUE(connection.refused) << bytes.substr(0, 200);
  EXPECT_EQ(connection.accepted, 0) << bytes.substr(0, 200);
}

TEST(BeastHoles, TrailersOver64KiBAreRefusedNotThrown) {
  const std::string trailer = "X: " + std::string(70 * 1024, 'y') + "\r\n\r\n";
  expect_refused_client(kPost + kChunked + trailer);
  expect_refused_upstream("HTTP/1.1 200 OK\r\n" + kChunked + trailer);
}

TEST(BeastHoles, TrailersAreBoundedInManyLinesToo) {
  std::string trailers;
  while (trailers.size() < 64 * 1024) trailers += "X: y\r\n";
  expect_refused_client(kPost + kChunked + trailers + "\r\n");
  expect_refused_upstream("HTTP/1.1 200 OK\r\n" + kChunked + trailers + "\r\n");
  // Piece by piece as well: what is kept of them never grows.
  ChunkDecoder decoder;
  std::string start = "0\r\n";
  ASSERT_TRUE(decoder.decode(start).has_value());
  std::size_t taken = 0;
  for (std::string line = "X: y\r\n"; decoder.decode(line).has_value(); line = "X: y\r\n") {
    taken += line.size();
    ASSERT_LE(taken, 2 * ChunkLimits{}.trailers);
  }
}

TEST(BeastHoles, TransferEncodingIsChunkedAndNothingElse) {
  for (const std::string bad : {"gzip", "xchunked", "", "chunked, identity", "gzip, chunked", "chunked,", "chunked;q=1",
                                "\"chunked\"", "identity", "chunked\r\nTransfer-Encoding: chunked",
                                "chunked\r\nContent-Length: 5", "chunked\r\nContent-Length: 0"}) {
    const std::string rest = "Transfer-Encoding: " + bad + "\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    expect_refused_client(kPost + rest);
    expect_refused_upstream("HTTP/1.1 200 OK\r\n" + rest);
  }
}

TEST(BeastHoles, FoldedLinesAreRefused) {
  for (const std::string bad : {"X: y\r\n z\r\n", "X: y\r\n\tz\r\n", "X:\r\n y\r\n", " X: y\r\n", "X: y\r\n \r\n"}) {
    expect_refused_client(kPost + bad + "Content-Length: 5\r\n\r\nhello");
    expect_refused_upstream("HTTP/1.1 200 OK\r\n" + bad + "Content-Length: 5\r\n\r\nhello");
  }
}

}  // namespace
}  // namespace sluice::http
