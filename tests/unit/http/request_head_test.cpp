// The request-head rules, one by one.

#include <gtest/gtest.h>

#include <algorithm>

#include "unit/http/support.hpp"

namespace sluice::http {
namespace {

using testing::read_request;

std::string post(std::string_view fields, std::string_view target = "/v1/chat/completions") {
  return "POST " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n";
}
std::string get(std::string_view target) { return "GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n\r\n"; }

void expect_refused(const std::string& raw, ErrorKind kind = ErrorKind::kMalformedRequest) {
  const auto head = read_request(raw);
  ASSERT_TRUE(head.has_value()) << raw;
  ASSERT_FALSE(head->has_value()) << raw;
  EXPECT_EQ(head->error().kind, kind) << raw;
  EXPECT_FALSE(head->error().message.empty());
}

// The parsed head; `raw` stays alive for its views.
struct Parsed {
  explicit Parsed(std::string text) : raw(std::move(text)) {
    auto head_or = read_request(raw);
    EXPECT_TRUE(head_or && *head_or) << raw;
    if (head_or && *head_or) head = std::move(**head_or);
  }
  std::string raw;
  RequestHead head;
};

TEST(RequestHead, GivesTheParts) {
  const Parsed one("POST /v1/a%20b?x=1?2 HTTP/1.1\r\nhOsT: api.example:8080\r\nX-A:  b c\t\r\nX-Empty:\r\n\r\n");
  EXPECT_EQ(one.head.method, "POST");
  EXPECT_EQ(one.head.target, "/v1/a%20b?x=1?2");
  EXPECT_EQ(one.head.path, "/v1/a%20b");
  EXPECT_EQ(one.head.query, "x=1?2");
  EXPECT_EQ(one.head.minor_version, 1);
  EXPECT_EQ(one.head.get("host"), "api.example:8080");
  EXPECT_EQ(one.head.get("x-a"), "b c");
  EXPECT_TRUE(one.head.has("x-empty"));
  EXPECT_EQ(one.head.get("x-none"), "");
  EXPECT_FALSE(one.head.has("x-none"));
  EXPECT_EQ(one.head.framing, Framing::kNone);
  EXPECT_TRUE(one.head.keep_alive);
}

TEST(RequestHead, TransferEncodingIsChunkedAloneOrRefused) {
  for (auto good : {"chunked", "Chunked", "CHUNKED", " chunked "}) {
    EXPECT_EQ(Parsed(post("Transfer-Encoding:" + std::string(good) + "\r\n")).head.framing, Framing::kChunked);
  }
  for (auto bad : {"", "identity", "gzip", "gzip, chunked", "chunked, gzip", "chunked,chunked", "chunked;q=1", "chunke",
                   "chunked,", ",chunked", "'chunked'", "x-chunked", "chun\tked", "chunked chunked"}) {
    expect_refused(post("Transfer-Encoding: " + std::string(bad) + "\r\n"));
  }
  expect_refused(post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"));
  expect_refused(post("Transfer-Encoding: chunked\r\ntransfer-encoding: identity\r\n"));
  expect_refused("POST /v1/x HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
}

TEST(RequestHead, ContentLengthIsOneNumberOf1To19Digits) {
  EXPECT_EQ(Parsed(post("Content-Length: 0\r\n")).head.content_length, 0U);
  EXPECT_EQ(Parsed(post("Content-Length: 0000000000000000042\r\n")).head.content_length, 42U);
  EXPECT_EQ(Parsed(post("Content-Length: 9999999999999999999\r\n")).head.content_length, 9'999'999'999'999'999'999U);
  for (auto bad : {"", "00000000000000000042", "99999999999999999999", "4 2", "4,4", "+4", "-4", "0x4", "4.0", "4e1",
                   "four", "4;", "\"4\"", "4\t4"}) {
    expect_refused(post("Content-Length: " + std::string(bad) + "\r\n"));
  }
  expect_refused(post("Content-Length: 4\r\nContent-Length: 4\r\n"));
  expect_refused(post("Content-Length: 4\r\nCONTENT-LENGTH: 5\r\n"));
}

TEST(RequestHead, TransferEncodingAndContentLengthExcludeEachOther) {
  expect_refused(post("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n"));
  expect_refused(post("Content-Length: 7\r\nTransfer-Encoding: chunked\r\n"));
}

TEST(RequestHead, GetHeadAndDeleteCarryNoBody) {
  for (auto method : {"GET", "HEAD", "DELETE"}) {
    const std::string start = std::string(method) + " /v1/models HTTP/1.1\r\nHost: a\r\n";
    expect_refused(start + "Content-Length: 1\r\n\r\n");
    expect_refused(start + "Transfer-Encoding: chunked\r\n\r\n");
    EXPECT_EQ(Parsed(start + "Content-Length: 0\r\n\r\n").head.content_length, 0U);
  }
}

TEST(RequestHead, HostIsOneNameOrAddress) {
  const auto with = [](std::string_view host) {
    return "GET /v1/models HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n";
  };
  for (auto good : {"a", "api.example.com", "api.example.com:8080", "127.0.0.1:1", "[::1]", "[::1]:65535", "a_b-c~d",
                    "[::ffff:127.0.0.1]:80"}) {
    EXPECT_EQ(Parsed(with(good)).head.get("host"), good);
  }
  for (auto bad : {"",     ":80", "a:b",      "a:80:80",       "a/b", "a/", "a b",    "a@b",     "user@a",
                   "a?",   "a#b", "a\\b",     "[::1",          "::1", "[]", "[::1]x", "[::1]:x", "a,b c",
                   "a\"b", "<a>", "a:123456", "[fe80::1%eth0]"}) {
    expect_refused(with(bad));
  }
  expect_refused("GET /v1/models HTTP/1.1\r\n\r\n");
  expect_refused("GET /v1/models HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n");
  expect_refused("GET /v1/models HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n");
}

TEST(RequestHead, FieldsWithOneMeaningComeOnce) {
  for (auto name : {"Authorization", "Content-Type", "Content-Encoding", "Expect", "X-Api-Key", "Api-Key"}) {
    const std::string field = std::string(name) + ": 100-continue\r\n";
    EXPECT_TRUE(Parsed(post(field)).head.has(name));
    expect_refused(post(field + field));
  }
  EXPECT_EQ(Parsed(post("Accept: a\r\nAccept: b\r\n")).head.fields.size(), 3U);
}

TEST(RequestHead, AnUnderscoreDoesNotPassForADashInAFramingField) {
  for (auto name : {"Transfer_Encoding", "content_length", "CONTENT_TYPE", "x_api_key", "Content_Encoding"}) {
    expect_refused(post(std::string(name) + ": chunked\r\n"));
  }
  EXPECT_TRUE(Parsed(post("x_trace_id: 7\r\n")).head.has("x_trace_id"));
}

TEST(RequestHead, FoldedFieldsAreRefused) {
  expect_refused(post("X: a\r\n b\r\n"));
  expect_refused(post("X: a\r\n\tb\r\n"));
  expect_refused("GET / HTTP/1.1\r\n Host: a\r\n\r\n");
}

TEST(RequestHead, OnlyTokensAreFieldNames) {
  for (auto bad : {"X", "X :a", ": a", "X\t: a", "X y: a", "X(: a", "X@y: a", "\"X\": a", "X/: a", "{X}: a"}) {
    expect_refused(post(std::string(bad) + "\r\n"));
  }
  EXPECT_TRUE(Parsed(post("!#$%&'*+-.^_`|~09Az: a\r\n")).head.has("!#$%&'*+-.^_`|~09az"));
}

TEST(RequestHead, LinesEndWithCrlfAndNothingElse) {
  expect_refused("GET / HTTP/1.1\nHost: a\n\n");
  expect_refused("GET / HTTP/1.1\r\nHost: a\n\r\n");
  expect_refused("GET / HTTP/1.1\r\nHost: a\r\r\n\r\n");
  expect_refused("GET / HTTP/1.1\rHost: a\r\n\r\n");
  expect_refused("GET / HTTP/1.1\r\nHost: a\r\n\n");
}

TEST(RequestHead, TheTargetIsAPathInAsciiWithoutFragmentOrDotSegments) {
  for (auto good :
       {"/", "/v1/models", "/v1//models", "/v1/a.b/..c", "/v1/...", "/v1/%252e%252e/x", "/x?../..", "/a%2Fb"})
    EXPECT_EQ(Parsed(get(good)).head.target, good);
  for (auto bad : {"*",          "v1/models",    "http://a/v1/models",
                   "//a@b/../x", "/v1/models#x", "/x?y#z",
                   "/..",        "/../etc",      "/v1/../x",
                   "/v1/./x",    "/v1/.",        "/%2e%2e/x",
                   "/v1/.%2E/x", "/v1/%2e",      "/v1%2f..%2fx",
                   "/v1/..%5cx", "/v1/%00",      "/v1/..\\x",
                   "/v1\\..\\x", "/a%00b",       "/\x7f",
                   "/\xc3\xa9",  "/a\tb"}) {
    expect_refused(get(bad));
  }
}

TEST(RequestHead, TheRequestLineIsThreeWordsAndOneSpaceBetween) {
  for (auto bad : {"GET /", "GET", "GET / ", "GET  / HTTP/1.1", "GET /  HTTP/1.1", " GET / HTTP/1.1", "GET / HTTP/1.1 ",
                   "GET /a b HTTP/1.1", "GET\t/ HTTP/1.1", "G(T / HTTP/1.1", "GET / http/1.1", "GET / HTTP/1.2",
                   "GET / HTTP/2", "GET / HTTP/0.9", "GET / HTTP/11", "GET / HTTP/1.1x", "GET / HTTPS/1.1"}) {
    expect_refused(std::string(bad) + "\r\nHost: a\r\n\r\n");
  }
}

TEST(RequestHead, ConnectIsAMethodWeDoNotHave) {
  expect_refused("CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", ErrorKind::kMethodNotAllowed);
}

TEST(RequestHead, TheOnlyExpectationIs100Continue) {
  EXPECT_TRUE(Parsed(post("Expect: 100-Continue\r\n")).head.expect_continue);
  EXPECT_FALSE(Parsed("POST / HTTP/1.0\r\nHost: a\r\nExpect: 100-continue\r\n\r\n").head.expect_continue);
  expect_refused(post("Expect: 200-ok\r\n"), ErrorKind::kExpectationFailed);
  expect_refused(post("Expect: 100-continue, x\r\n"), ErrorKind::kExpectationFailed);
  expect_refused(post("Expect:\r\n"), ErrorKind::kExpectationFailed);
}

TEST(RequestHead, TheConnectionFieldDecidesWhetherItStaysOpen) {
  EXPECT_FALSE(Parsed(post("Connection: close\r\n")).head.keep_alive);
  EXPECT_FALSE(Parsed(post("Connection: x, Close ,y\r\n")).head.keep_alive);
  EXPECT_FALSE(Parsed(post("Connection: keep-alive\r\nConnection: close\r\n")).head.keep_alive);
  EXPECT_TRUE(Parsed(post("Connection: closed, upgrade\r\n")).head.keep_alive);
  EXPECT_FALSE(Parsed("GET / HTTP/1.0\r\nHost: a\r\n\r\n").head.keep_alive);
  EXPECT_TRUE(Parsed("GET / HTTP/1.0\r\nHost: a\r\nConnection: Keep-Alive\r\n\r\n").head.keep_alive);
}

TEST(RequestHead, AHeadWithoutItsEmptyLineIsIncomplete) {
  const std::string raw = post("X: y\r\n");
  for (std::size_t size = 0; size < raw.size(); ++size) {
    EXPECT_FALSE(read_request(raw.substr(0, size)).has_value()) << size;
  }
}

TEST(FieldValue, AndTokenKnowTheirBytes) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string text(1, static_cast<char>(byte));
    EXPECT_EQ(is_field_value(text), byte == '\t' || (byte >= 0x20 && byte < 0x7F)) << byte;
    const bool alnum = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z');
    EXPECT_EQ(is_token(text),
              alnum || (byte != 0 && std::string_view("!#$%&'*+-.^_`|~").find(text) != std::string_view::npos))
        << byte;
  }
  EXPECT_FALSE(is_token(""));
  EXPECT_TRUE(is_field_value(""));
}

}  // namespace
}  // namespace sluice::http
