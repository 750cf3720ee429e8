// Heads of upstreams: what is not plain HTTP/1.x is refused, so that no body is ever read with a guessed framing.

#include <gtest/gtest.h>

#include "unit/http/support.hpp"

namespace sluice::http {
namespace {

using testing::read_response;
using namespace std::string_literals;

void expect_refused(const std::string& raw, HeadLimits limits = {}) {
  const auto head = read_response(raw, limits);
  ASSERT_TRUE(head.has_value()) << raw;
  ASSERT_FALSE(head->has_value()) << raw;
  EXPECT_EQ(head->error().kind, ErrorKind::kUpstreamInvalidResponse) << raw;
}

ResponseHead read(const std::string& raw) {
  const auto head = read_response(raw);
  EXPECT_TRUE(head && *head) << raw;
  return head && *head ? **head : ResponseHead{};
}

TEST(ResponseHead, GivesStatusFieldsAndFraming) {
  const std::string raw = "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 12\r\n\r\n";
  const auto head = read(raw);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.get("content-type"), "a/b");
  EXPECT_EQ(head.framing, Framing::kLength);
  EXPECT_EQ(head.content_length, 12U);
  EXPECT_TRUE(head.keep_alive);
}

TEST(ResponseHead, TheReasonMayBeEmptyOrOldText) {
  EXPECT_EQ(read("HTTP/1.1 503 \r\n\r\n").status, 503);
  EXPECT_EQ(read("HTTP/1.1 404 Nicht gef\xfcndt\r\n\r\n").status, 404);
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nX: caf\xc3\xa9\r\n\r\n").status, 200);
}

TEST(ResponseHead, U52TheStatusLineIsRefusedInAnyOtherShape) {
  for (auto bad : {"HTTP/1.1 200", "HTTP/1.1  200 OK", "HTTP/1.1 20 OK", "HTTP/1.1 2000 OK", "HTTP/1.1 099 X",
                   "HTTP/1.1 600 X", "HTTP/1.1 -20 X", "HTTP/1.1 2x0 OK", "HTTP/2 200 OK", "HTTP/2.0 200 OK",
                   "HTTP/1.2 200 OK", "http/1.1 200 OK", "ICY 200 OK", " HTTP/1.1 200 OK", "HTTP/1.1\t200 OK", "200 OK",
                   "<html>", "{\"error\":\"x\"}", "HTTP/1.1 200\tOK"}) {
    expect_refused(std::string(bad) + "\r\nContent-Length: 0\r\n\r\n");
  }
}

TEST(ResponseHead, U49HeadsBeyondTheLimitsAreRefused) {
  expect_refused("HTTP/1.1 200 OK\r\nX: " + std::string(9 * 1024, 'y') + "\r\n\r\n", {.bytes = 8 * 1024});
  std::string many = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 200; ++i) many += "X: y\r\n";
  expect_refused(many + "\r\n");
  const std::string start = "HTTP/1.1 200 OK\r\nX: ";
  const auto of_size = [&](std::size_t size) { return start + std::string(size - start.size() - 4, 'y') + "\r\n\r\n"; };
  EXPECT_TRUE(read_response(of_size(500), {.bytes = 500})->has_value());
  expect_refused(of_size(501), {.bytes = 500});
}

TEST(ResponseHead, U49ControlBytesAndFoldsAreRefused) {
  for (auto bad : {"X: a\rb", "X: a\r\n b", "X: a\x01", "X : a", "X", ": a", "X\x80: a"}) {
    expect_refused("HTTP/1.1 200 OK\r\n" + std::string(bad) + "\r\n\r\n");
  }
  expect_refused("HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n"s);
}

TEST(ResponseHead, U51AmbiguousFramingIsRefused) {
  for (auto bad :
       {"Transfer-Encoding: chunked\r\nContent-Length: 5", "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: gzip", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Content-Length: 5\r\nContent-Length: 6", "Content-Length: 5\r\nContent-Length: 5", "Content-Length: -5",
        "Content-Length: 5, 5", "Content-Length: 99999999999999999999", "Content_Length: 5", "Transfer-Encoding:"}) {
    expect_refused("HTTP/1.1 200 OK\r\n" + std::string(bad) + "\r\n\r\n");
  }
  expect_refused("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
}

TEST(ResponseHead, U52LineFeedsAloneAreRefused) {
  expect_refused("HTTP/1.1 200 OK\nContent-Length: 0\n\n");
  expect_refused("HTTP/1.1 200 OK\r\nContent-Length: 0\n\r\n");
}

TEST(ResponseHead, U52WithoutALengthTheBodyEndsWithTheConnection) {
  for (auto start :
       {"HTTP/1.0 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\n"}) {
    const auto head = read(start);
    EXPECT_EQ(head.framing, Framing::kUntilClose);
    EXPECT_FALSE(head.keep_alive);
  }
}

TEST(ResponseHead, SomeStatusesHaveNoBodyWhateverTheirFieldsSay) {
  for (auto status : {"100", "103", "204", "304"}) {
    EXPECT_EQ(read("HTTP/1.1 " + std::string(status) + " X\r\nContent-Length: 5\r\n\r\n").framing, Framing::kNone);
    EXPECT_EQ(read("HTTP/1.1 " + std::string(status) + " X\r\n\r\n").framing, Framing::kNone);
  }
}

TEST(ResponseHead, TheConnectionFieldDecidesAboutReuse) {
  const std::string rest = "Content-Length: 0\r\n\r\n";
  EXPECT_FALSE(read("HTTP/1.1 200 OK\r\nConnection: close\r\n" + rest).keep_alive);
  EXPECT_FALSE(read("HTTP/1.0 200 OK\r\n" + rest).keep_alive);
  EXPECT_TRUE(read("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n" + rest).keep_alive);
}

TEST(ResponseHead, AByteOfAFramingFieldIsNeverReadInTwoWays) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string c(1, static_cast<char>(byte));
    const bool space = byte == ' ' || byte == '\t';
    const bool digit = byte >= '0' && byte <= '9';
    for (const std::string& value : {c + "chunked", "chunked" + c}) {
      const auto raw = "HTTP/1.1 200 OK\r\nTransfer-Encoding:" + value + "\r\n\r\n";
      ASSERT_EQ(read_response(raw)->has_value(), space) << byte;
    }
    for (const std::string& value : {c + "5", "5" + c}) {
      const auto raw = "HTTP/1.1 200 OK\r\nContent-Length:" + value + "\r\n\r\n";
      ASSERT_EQ(read_response(raw)->has_value(), space || digit) << byte;
    }
  }
}

TEST(ResponseHead, TheVerdictDoesNotDependOnTheCut) {
  for (const std::string raw : {"HTTP/1.1 200 OK\r\nA: b\r\n\r\n", "HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n",
                                "HTTP/1.1 200 OK\nA: b\r\n\r\n", "\r\nHTTP/1.1 200 OK\r\n\r\n"}) {
    HeadScanner whole(HeadScanner::Side::kResponse, {});
    const auto wanted = whole.scan(raw);
    for (std::size_t at = 1; at < raw.size(); ++at) {
      HeadScanner cut(HeadScanner::Side::kResponse, {});
      auto got = cut.scan(std::string_view(raw).substr(0, at));
      if (got) got = cut.scan(raw);
      ASSERT_EQ(got.has_value(), wanted.has_value()) << at;
      if (got) {
        ASSERT_EQ(*got, *wanted) << at;
      }
    }
  }
}

}  // namespace
}  // namespace sluice::http
