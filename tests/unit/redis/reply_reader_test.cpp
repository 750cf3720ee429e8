#include "redis/reply_reader.hpp"

#include <gtest/gtest.h>

namespace sluice::redis {
namespace {

using Kind = Reply::Kind;

std::vector<Reply> read_all(ReplyReader& reader) {
  std::vector<Reply> replies;
  for (auto reply = reader.next(); reply && *reply; reply = reader.next()) replies.push_back(std::move(**reply));
  return replies;
}

const std::string kEveryKind =
    "+OK\r\n-ERR no\r\n:-9223372036854775808\r\n$6\r\nfoo\r\nb\r\n$0\r\n\r\n$-1\r\n*-1\r\n*0\r\n"
    "*3\r\n:1\r\n*2\r\n$1\r\na\r\n*1\r\n$-1\r\n+x\r\n";
const std::vector<Reply> kWanted = {
    {.kind = Kind::kStatus, .text = "OK"},
    {.kind = Kind::kError, .text = "ERR no"},
    {.kind = Kind::kInteger, .integer = INT64_MIN},
    {.kind = Kind::kString, .text = "foo\r\nb"},
    {.kind = Kind::kString},
    {},
    {},
    {.kind = Kind::kArray},
    {.kind = Kind::kArray,
     .items = {{.kind = Kind::kInteger, .integer = 1},
               {.kind = Kind::kArray,
                .items = {{.kind = Kind::kString, .text = "a"}, {.kind = Kind::kArray, .items = {{}}}}},
               {.kind = Kind::kStatus, .text = "x"}}},
};

TEST(ReplyReader, ReadsEveryKindOfReply) {
  ReplyReader reader(1 << 20);
  reader.feed(kEveryKind);
  EXPECT_EQ(read_all(reader), kWanted);
}

TEST(ReplyReader, ReadsTheSameWhereverTheBytesAreCut) {
  for (std::size_t cut = 0; cut <= kEveryKind.size(); ++cut) {
    ReplyReader reader(1 << 20);
    reader.feed(std::string_view(kEveryKind).substr(0, cut));
    auto replies = read_all(reader);
    reader.feed(std::string_view(kEveryKind).substr(cut));
    for (auto& reply : read_all(reader)) replies.push_back(std::move(reply));
    EXPECT_EQ(replies, kWanted) << "cut at " << cut;
  }
}

TEST(ReplyReader, ReadsBytesThatComeOneByOne) {
  ReplyReader reader(1 << 20);
  std::vector<Reply> replies;
  for (const char byte : kEveryKind) {
    reader.feed({&byte, 1});
    for (auto& reply : read_all(reader)) replies.push_back(std::move(reply));
  }
  EXPECT_EQ(replies, kWanted);
}

// Whether `bytes` end the reading, after no reply at all.
bool is_refused(std::string_view bytes, std::size_t limit = 1000) {
  ReplyReader reader(limit);
  reader.feed(bytes);
  const auto reply = reader.next();
  if (reply) return false;
  return !reader.next() && !reply.error().empty();
}

TEST(ReplyReader, RefusesWhatIsNoResp) {
  for (const char* bytes : {"HTTP/1.1 400 Bad Request\r\n", "$-2\r\n", "*-2\r\n", "$x\r\n", ":\r\n", ":1x\r\n", "*\r\n",
                            "$99999999999999999999\r\n", "*99999999999999999999\r\n", "*2147483648\r\n", "_\r\n",
                            "\r\n", "$1\r\nxyz", "$1\r\nx\r\r"})
    EXPECT_TRUE(is_refused(bytes)) << bytes;
}

TEST(ReplyReader, RefusesAnArrayThatIsTooLargeBeforeAnyOfItsElementsHasCome) {
  EXPECT_TRUE(is_refused("*2147483647\r\n"));
  EXPECT_TRUE(is_refused("*100\r\n"));
  EXPECT_TRUE(is_refused("*4\r\n*4\r\n*4\r\n*4\r\n"));
}

TEST(ReplyReader, RefusesNestingBeyondEightLevels) {
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes += "*1\r\n";
  ReplyReader reader(1 << 20);
  reader.feed(bytes + ":1\r\n");
  EXPECT_EQ(read_all(reader).size(), 1U);
  EXPECT_TRUE(is_refused(bytes + "*1\r\n:1\r\n", 1 << 20));
}

TEST(ReplyReader, RefusesALineOrAStringThatGoesOnAndOn) {
  EXPECT_TRUE(is_refused("+" + std::string(1100, 'x')));
  EXPECT_TRUE(is_refused("$9000000000000000000\r\n" + std::string(1100, 'x')));
  EXPECT_TRUE(is_refused("$1001\r\n" + std::string(1001, 'x') + "\r\n"));
}

TEST(ReplyReader, TakesAReplyUpToItsBound) {
  ReplyReader reader(1000);
  for (int i = 0; i < 3; ++i) {
    reader.feed("$1000\r\n" + std::string(1000, 'x') + "\r");
    EXPECT_TRUE(read_all(reader).empty());
    reader.feed("\n");
    EXPECT_EQ(read_all(reader).size(), 1U);
  }
}

TEST(ReplyReader, DoesNotChargeOneReplyForAnother) {
  ReplyReader reader(1000);
  std::string many;
  for (int i = 0; i < 10'000; ++i) many += "$3\r\nfoo\r\n";
  reader.feed(many);
  EXPECT_EQ(read_all(reader).size(), 10'000U);
}

TEST(ReplyReader, StaysBrokenAndKeepsWhatCameBefore) {
  ReplyReader reader(1000);
  reader.feed("+one\r\nnonsense\r\n+two\r\n");
  EXPECT_EQ(read_all(reader).size(), 1U);
  reader.feed("+three\r\n");
  EXPECT_TRUE(read_all(reader).empty());
  EXPECT_FALSE(reader.next());
}

}  // namespace
}  // namespace sluice::redis
