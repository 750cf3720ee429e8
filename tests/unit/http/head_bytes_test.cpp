// Grids of 256 byte values around the fields that decide about framing, and the limits to the byte.

#include <gtest/gtest.h>

#include "unit/http/support.hpp"

namespace sluice::http {
namespace {

using testing::read_request;

struct Framed {
  std::string_view name, value;
  Framing framing;
};
constexpr Framed kFramed[] = {{"Transfer-Encoding", "chunked", Framing::kChunked},
                              {"Content-Length", "5", Framing::kLength},
                              {"Host", "a", Framing::kNone}};

bool is_space(int byte) { return byte == ' ' || byte == '\t'; }
bool is_digit(int byte) { return byte >= '0' && byte <= '9'; }

// A head whose field under test is built from `name` and `value`, with everything else it needs.
std::string head_with(const Framed& field, const std::string& name, const std::string& value, std::string_view end) {
  const bool is_host = field.name == "Host";
  return "POST / HTTP/1.1\r\n" + std::string(is_host ? "" : "Host: a\r\n") + name + ":" + value + std::string(end) +
         "\r\n";
}

TEST(HeadByteGrid, AByteThatMakesTheNameNoTokenIsRefused) {
  for (const Framed& field : kFramed) {
    for (int byte = 0; byte < 256; ++byte) {
      const std::string c(1, static_cast<char>(byte)), name(field.name), value(field.value);
      for (const std::string& variant : {c + name, name + c}) {
        const auto raw = head_with(field, variant, " " + value, "\r\n");
        const auto head = read_request(raw);
        ASSERT_TRUE(head.has_value());
        // A longer token is another field: then nothing is framed by it, and Host is missing.
        const bool other_field = is_token(c) && field.name != "Host";
        ASSERT_EQ(head->has_value(), other_field) << raw;
        if (other_field) {
          ASSERT_EQ((*head)->framing, Framing::kNone) << raw;
        }
      }
    }
  }
}

TEST(HeadByteGrid, AByteBesideTheValueIsSpaceOrRefusedOrAnotherGoodValue) {
  for (const Framed& field : kFramed) {
    for (int byte = 0; byte < 256; ++byte) {
      const std::string c(1, static_cast<char>(byte)), name(field.name), value(field.value);
      for (const bool before : {true, false}) {
        const auto raw = head_with(field, name, before ? c + value : " " + value + c, "\r\n");
        const auto head = read_request(raw);
        ASSERT_TRUE(head.has_value());
        bool good = is_space(byte);
        if (field.name == "Content-Length") good = good || is_digit(byte);
        if (field.name == "Host") {
          good = good || (byte > 0x20 && byte < 0x7F &&
                          std::string_view("\"#%/<>?@[\\]^`{|}:").find(c) == std::string_view::npos);
          good = good || (byte == ':' && !before);  // an empty port
        }
        ASSERT_EQ(head->has_value(), good) << field.name << " byte " << byte << (before ? " before" : " after");
        if (!good) continue;
        ASSERT_EQ((*head)->framing, field.framing);
        if (field.name != "Content-Length") continue;
        const int digit = byte - '0';
        const int wanted = !is_digit(byte) ? 5 : before ? digit * 10 + 5 : 50 + digit;
        ASSERT_EQ((*head)->content_length, static_cast<std::uint64_t>(wanted));
      }
    }
  }
}

TEST(HeadByteGrid, NothingStandsBetweenCrAndLf) {
  for (const Framed& field : kFramed) {
    for (int byte = 0; byte < 256; ++byte) {
      const std::string end = {'\r', static_cast<char>(byte), '\n'};
      const auto raw = head_with(field, std::string(field.name), " " + std::string(field.value), end);
      const auto head = read_request(raw);
      ASSERT_TRUE(head.has_value() && !head->has_value()) << field.name << " byte " << byte;
      ASSERT_EQ(head->error().kind, ErrorKind::kMalformedRequest);
    }
  }
}

TEST(HeadScanner, RefusesAtTheFirstBadByteWithoutWaitingForTheRest) {
  HeadScanner scanner(HeadScanner::Side::kRequest, {});
  EXPECT_FALSE(scanner.scan("\x16\x03\x01").has_value()) << "a TLS hello";
  scanner.reset();
  EXPECT_FALSE(scanner.scan("GET / HTTP/1.1\n").has_value());
  scanner.reset();
  EXPECT_FALSE(scanner.scan("GET / HTTP/1.1\r\nX: \xff").has_value());
}

TEST(HeadScanner, SkipsAFewEmptyLinesBeforeARequestAndNoneBeforeAResponse) {
  const std::string request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  for (int lines = 0; lines <= 6; ++lines) {
    std::string raw;
    for (int i = 0; i < lines; ++i) raw += "\r\n";
    HeadScanner scanner(HeadScanner::Side::kRequest, {});
    const auto size = scanner.scan(raw + request);
    ASSERT_EQ(size.has_value(), lines <= 4) << lines;
    if (!size) continue;
    EXPECT_EQ(**size, request.size());
    EXPECT_EQ(scanner.skipped(), static_cast<std::size_t>(2 * lines));
  }
  HeadScanner response(HeadScanner::Side::kResponse, {});
  EXPECT_FALSE(response.scan("\r\nHTTP/1.1 200 OK\r\n\r\n").has_value());
}

TEST(HeadScanner, LeavesWhatFollowsTheHeadAlone) {
  HeadScanner scanner(HeadScanner::Side::kRequest, {});
  const std::string head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  const auto size = scanner.scan(head + std::string("\0\n\xff", 3));
  ASSERT_TRUE(size && *size);
  EXPECT_EQ(**size, head.size());
}

// The kind of refusal, or nothing if the request was read.
std::optional<ErrorKind> verdict(const std::string& raw, HeadLimits limits) {
  std::optional<ErrorKind> first;
  for (std::size_t cut : {raw.size(), raw.size() / 2, raw.size() - 1, std::size_t{1}}) {
    HeadScanner scanner(HeadScanner::Side::kRequest, limits);
    std::optional<ErrorKind> got;
    auto size = scanner.scan(std::string_view(raw).substr(0, cut));
    if (size && !*size) size = scanner.scan(raw);
    if (!size) {
      got = size.error().kind;
    } else if (!*size) {
      ADD_FAILURE() << "incomplete";
    } else if (auto head = parse_request_head(std::string_view(raw).substr(0, **size), limits); !head) {
      got = head.error().kind;
    }
    if (cut == raw.size()) {
      first = got;
    } else {
      EXPECT_EQ(got, first) << "cut at " << cut;
    }
  }
  return first;
}

TEST(HeadLimits, TheHeadMayBeAsLongAsTheLimitAndNotAByteLonger) {
  const HeadLimits limits{.bytes = 2000};
  const std::string start = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
  const auto of_size = [&](std::size_t size) { return start + std::string(size - start.size() - 4, 'y') + "\r\n\r\n"; };
  EXPECT_EQ(verdict(of_size(1999), limits), std::nullopt);
  EXPECT_EQ(verdict(of_size(2000), limits), std::nullopt);
  EXPECT_EQ(verdict(of_size(2001), limits), ErrorKind::kHeadersTooLarge);
}

TEST(HeadLimits, ThereMayBeAsManyFieldsAsTheLimitAndNotOneMore) {
  const HeadLimits limits{.fields = 10};
  const auto with = [](int fields) {
    std::string raw = "GET / HTTP/1.1\r\nHost: a\r\n";
    for (int i = 1; i < fields; ++i) raw += "X: y\r\n";
    return raw + "\r\n";
  };
  EXPECT_EQ(verdict(with(9), limits), std::nullopt);
  EXPECT_EQ(verdict(with(10), limits), std::nullopt);
  EXPECT_EQ(verdict(with(11), limits), ErrorKind::kHeadersTooLarge);
}

TEST(HeadLimits, TheTargetMayBeAsLongAsTheLimitAndNotAByteLonger) {
  const HeadLimits limits{.uri_bytes = 300};
  const auto with = [](std::size_t size) {
    return "GET /" + std::string(size - 1, 'u') + " HTTP/1.1\r\nHost: a\r\n\r\n";
  };
  EXPECT_EQ(verdict(with(299), limits), std::nullopt);
  EXPECT_EQ(verdict(with(300), limits), std::nullopt);
  EXPECT_EQ(verdict(with(301), limits), ErrorKind::kUriTooLong);
  EXPECT_EQ(verdict(with(5000), limits), ErrorKind::kUriTooLong);
}

TEST(HeadLimits, AnEndlessHeadIsRefusedAtTheLimitNotLater) {
  HeadScanner scanner(HeadScanner::Side::kRequest, {.bytes = 1000, .uri_bytes = 100});
  std::string raw = "GET / HTTP/1.1\r\nX: ";
  while (raw.size() < 1000) raw += 'y';
  EXPECT_TRUE(scanner.scan(raw).has_value());
  EXPECT_FALSE(scanner.scan(raw + 'y').has_value());
}

}  // namespace
}  // namespace sluice::http
