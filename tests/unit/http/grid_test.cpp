// F01, F44: every byte value at every place around the fields that frame a message, on both sides. Whatever is accepted
// is read alike by all lenient readers, and no verdict depends on how the bytes were cut.

#include <gtest/gtest.h>

#include "unit/http/lenient_reader.hpp"
#include "unit/http/support.hpp"

namespace sluice::http {
namespace {

using testing::Boundaries;
using testing::Connection;
using testing::Leniency;
using testing::LenientReader;

constexpr std::string_view kPlaces[] = {"before name", "after name", "before value", "after value", "in the line end"};

// A field with `byte` at one of the places.
std::string field_with(std::string_view name, std::string_view value, std::size_t place, char byte) {
  std::string parts[] = {"", std::string(name), "", ": ", std::string(value), "", "\r", "", "\n"};
  constexpr std::size_t kSlots[] = {0, 2, 4, 5, 7};
  parts[kSlots[place]].insert(0, 1, byte);
  std::string line;
  for (const auto& part : parts) line += part;
  return line;
}

struct Field {
  std::string_view name, value;
};

template <class Check>
void for_each_variant(std::initializer_list<Field> fields, Check check) {
  for (const auto& [name, value] : fields) {
    for (std::size_t place = 0; place < std::size(kPlaces); ++place) {
      for (int byte = 0; byte < 256; ++byte) {
        SCOPED_TRACE(std::string(name) + " " + std::string(kPlaces[place]) + ": byte " + std::to_string(byte));
        check(name, field_with(name, value, place, static_cast<char>(byte)));
        if (::testing::Test::HasFailure()) return;
      }
    }
  }
}

const std::vector<LenientReader>& lenient_readers() {
  static const std::vector<LenientReader> kReaders = [] {
    std::vector<LenientReader> readers;
    for (const Leniency& how : Leniency::all()) readers.emplace_back(how);
    return readers;
  }();
  return kReaders;
}

void expect_one_reading(const Head& head, std::string_view raw) {
  const Boundaries ours{head.framing == Framing::kUntilClose ? Framing::kNone : head.framing,
                        head.framing == Framing::kLength ? head.content_length : 0, std::string(head.get("host"))};
  for (const LenientReader& reader : lenient_readers()) ASSERT_EQ(reader.head(raw), ours) << raw;
}

std::string request_of(std::string_view name, const std::string& field) {
  return "POST /v1/x HTTP/1.1\r\n" + std::string(name == "Host" ? "" : "Host: a\r\n") + field + "\r\n";
}
constexpr Field kTransferEncoding{"Transfer-Encoding", "chunked"}, kLength{"Content-Length", "5"}, kHost{"Host", "a"};

TEST(RequestGrid, F01WhatIsAcceptedIsReadInOneWayOnly) {
  int seen = 0, accepted = 0;
  for_each_variant({kTransferEncoding, kLength, kHost}, [&](std::string_view name, const std::string& field) {
    const auto raw = request_of(name, field);
    const auto head = testing::read_request(raw);
    ++seen;
    if (!head || !*head) return;
    ++accepted;
    expect_one_reading(**head, raw);
  });
  EXPECT_EQ(seen, 3840);
  EXPECT_GT(accepted, 300) << "a reader that refuses everything proves nothing";
}

TEST(RequestGrid, F01NoVerdictDependsOnTheCut) {
  for_each_variant({kTransferEncoding, kLength, kHost}, [&](std::string_view name, const std::string& field) {
    const auto raw = request_of(name, field) + "5\r\nhello\r\n0\r\n\r\n";
    Connection whole;
    whole.feed(raw);
    for (std::size_t at = 1; at < raw.size(); ++at) {
      Connection cut;
      cut.feed(std::string_view(raw).substr(0, at));
      cut.feed(std::string_view(raw).substr(at));
      ASSERT_EQ(cut.verdict, whole.verdict) << "cut at " << at;
    }
  });
}

TEST(ResponseGrid, F44WhatIsAcceptedIsReadInOneWayOnly) {
  int seen = 0;
  for_each_variant({kTransferEncoding, kLength}, [&](std::string_view, const std::string& field) {
    const auto raw = "HTTP/1.1 200 OK\r\n" + field + "\r\n";
    const auto head = testing::read_response(raw);
    ++seen;
    if (head && *head) expect_one_reading(**head, raw);
  });
  EXPECT_EQ(seen, 2560);
}

TEST(ResponseGrid, F44NoVerdictDependsOnTheCut) {
  const auto verdict = [](HeadScanner& scanner, std::string_view raw) {
    auto size = scanner.scan(raw);
    if (!size || !*size) return std::string(size ? "incomplete" : "refused");
    const auto head = parse_response_head(raw.substr(0, **size), {});
    return head ? std::to_string(static_cast<int>(head->framing)) + " " + std::to_string(head->content_length)
                : std::string("refused");
  };
  for_each_variant({kTransferEncoding, kLength}, [&](std::string_view, const std::string& field) {
    const auto raw = "HTTP/1.1 200 OK\r\n" + field + "\r\nhello";
    HeadScanner whole(HeadScanner::Side::kResponse, {});
    const auto wanted = verdict(whole, raw);
    for (std::size_t at = 1; at < raw.size(); ++at) {
      HeadScanner cut(HeadScanner::Side::kResponse, {});
      const auto first = cut.scan(std::string_view(raw).substr(0, at));
      ASSERT_EQ(!first ? "refused" : verdict(cut, raw), wanted) << "cut at " << at;
    }
  });
}

// The places of a chunked body where a byte too many could move a boundary.
constexpr std::string_view kChunkTexts[] = {
    "@5\r\nhello\r\n0\r\n\r\n",    "5@\r\nhello\r\n0\r\n\r\n",         "5\r@\nhello\r\n0\r\n\r\n",
    "@\r\nhello\r\n0\r\n\r\n",     "5\r\nhello@\r\n0\r\n\r\n",         "5\r\nhello\r@\n0\r\n\r\n",
    "5\r\nhello\r\n@0\r\n\r\n",    "5\r\nhello\r\n0@\r\n\r\n",         "5\r\nhello\r\n0\r\n@\r\n",
    "5;a=@\r\nhello\r\n0\r\n\r\n", "5\r\nhello\r\n0\r\nX@: y\r\n\r\n", "5\r\nhello\r\n0\r\nX: @y\r\n\r\n"};

std::string post_chunked(std::string_view text, char byte) {
  std::string body(text);
  body[body.find('@')] = byte;
  return "POST /v1/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + body;
}

TEST(ChunkGrid, F13WhatIsAcceptedIsReadInOneWayOnly) {
  int accepted = 0;
  for (const auto text : kChunkTexts) {
    for (int byte = 0; byte < 256; ++byte) {
      const auto raw = post_chunked(text, static_cast<char>(byte));
      Connection connection;
      connection.feed(raw);
      if (connection.accepted == 0) continue;
      ++accepted;
      const auto body = raw.substr(raw.find("\r\n\r\n") + 4);
      for (const LenientReader& reader : lenient_readers()) {
        ASSERT_EQ(connection.verdict, "POST /v1/x <" + reader.chunks(body) + ">\n") << text << " byte " << byte;
      }
    }
  }
  EXPECT_GT(accepted, 100);
}

TEST(ChunkGrid, F13NoVerdictDependsOnTheCut) {
  for (const auto text : kChunkTexts) {
    for (int byte = 0; byte < 256; ++byte) {
      const auto raw = post_chunked(text, static_cast<char>(byte));
      Connection whole;
      whole.feed(raw);
      for (std::size_t at = raw.find("\r\n\r\n") + 4; at < raw.size(); ++at) {
        Connection cut;
        cut.feed(std::string_view(raw).substr(0, at));
        cut.feed(std::string_view(raw).substr(at));
        ASSERT_EQ(cut.verdict, whole.verdict) << text << " byte " << byte << " cut at " << at;
      }
    }
  }
}

}  // namespace
}  // namespace sluice::http
