#include "limit/shared_replies.hpp"

#include <gtest/gtest.h>

namespace sluice::limit {
namespace {

using redis::Reply;

Reply number(std::int64_t value) { return {.kind = Reply::Kind::kInteger, .integer = value}; }
Reply text(std::string value) { return {.kind = Reply::Kind::kString, .text = std::move(value)}; }
Reply array(std::vector<Reply> items) { return {.kind = Reply::Kind::kArray, .items = std::move(items)}; }

TEST(SharedReplies, ReadAGrant) {
  const auto read = read_admit(array({number(1), number(5000), text("1,"), number(3), number(0), number(60'000),
                                      number(20), number(30), number(0)}),
                               2);
  ASSERT_TRUE(read);
  const auto& booked = std::get<Booked>(*read);
  EXPECT_EQ(booked.at, 5000);
  EXPECT_EQ(booked.observed, 0b10u);
  ASSERT_EQ(booked.standings.size(), 2u);
  EXPECT_EQ(booked.standings[0].used, 3);
  EXPECT_EQ(booked.standings[0].resets_in, milliseconds(60'000));
  EXPECT_EQ(booked.standings[1].reserved, 30);
}

TEST(SharedReplies, ReadARefusal) {
  const auto read = read_admit(array({number(0), number(5000), number(1), number(-1), number(9)}), 2);
  ASSERT_TRUE(read);
  const auto& refused = std::get<Refused>(*read);
  EXPECT_EQ(refused.refusal.index, 1u);
  EXPECT_FALSE(refused.refusal.retry_after);
  EXPECT_EQ(refused.refusal.used, 9);
}

TEST(SharedReplies, AreNothingWhereTheyAreOdd) {
  EXPECT_FALSE(read_admit({}, 1));
  EXPECT_FALSE(read_admit(text("1"), 1));
  EXPECT_FALSE(read_admit({.kind = Reply::Kind::kError, .text = "ERR no"}, 1));
  EXPECT_FALSE(read_admit(array({number(1), number(5), text("")}), 1));
  EXPECT_FALSE(read_admit(array({number(0), number(5), number(7), number(1), number(1)}), 2));
  EXPECT_FALSE(read_admit(array({number(0), number(5), number(-7), number(1), number(1)}), 2));
  EXPECT_FALSE(read_admit(array({number(99)}), 1));
  EXPECT_FALSE(read_look(array({number(1), number(5), number(1)}), 1));
  EXPECT_FALSE(read_settle(array({text("x")})));
}

TEST(SharedReplies, TakeNoBitFromGarbage) {
  const auto observed = [](std::string bits) {
    return std::get<Booked>(*read_admit(array({number(1), number(5), text(std::move(bits))}), 0)).observed;
  };
  EXPECT_EQ(observed("0,3,63,"), (std::uint64_t{1} << 63 | 0b1001u));
  EXPECT_EQ(observed("64,99999999999,"), 0u);
  EXPECT_EQ(observed("x"), 0u);
  EXPECT_EQ(observed("1"), 0u);
}

}  // namespace
}  // namespace sluice::limit
