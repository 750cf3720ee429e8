#include "server/recent_records.hpp"

#include <gtest/gtest.h>

#include "support/allocations.hpp"

namespace sluice::server {
namespace {

observe::Record record_named(std::string id) {
  observe::Record record;
  record.request_id = std::move(id);
  return record;
}

std::vector<std::string> ids(const RecentRecords& records) {
  std::vector<std::string> all;
  for (const RecentRecord& record : records.newest_first()) all.push_back(record.request_id);
  return all;
}

void add(RecentRecords& records, int from, int to) {
  for (int i = from; i <= to; ++i) records.add(record_named(std::to_string(i)));
}

using Ids = std::vector<std::string>;

TEST(RecentRecords, KeepsNothingUntilItIsTold) {
  RecentRecords records;
  add(records, 1, 3);
  EXPECT_EQ(ids(records), Ids());
}

TEST(RecentRecords, TheOldestGoesFirst) {
  RecentRecords records;
  records.keep(3);
  add(records, 1, 2);
  EXPECT_EQ(ids(records), (Ids{"2", "1"}));
  add(records, 3, 3);
  EXPECT_EQ(ids(records), (Ids{"3", "2", "1"}));
  add(records, 4, 8);
  EXPECT_EQ(ids(records), (Ids{"8", "7", "6"}));
}

TEST(RecentRecords, ANewBoundKeepsTheNewest) {
  RecentRecords records;
  records.keep(3);
  add(records, 1, 4);
  records.keep(5);
  EXPECT_EQ(ids(records), (Ids{"4", "3", "2"}));
  add(records, 5, 7);
  EXPECT_EQ(ids(records), (Ids{"7", "6", "5", "4", "3"}));
  records.keep(2);
  EXPECT_EQ(ids(records), (Ids{"7", "6"}));
  add(records, 8, 8);
  EXPECT_EQ(ids(records), (Ids{"8", "7"}));
  records.keep(0);
  add(records, 9, 9);
  EXPECT_EQ(ids(records), Ids());
}

TEST(RecentRecords, APlaceUsedAgainShowsNothingOfWhoHadIt) {
  RecentRecords records;
  records.keep(1);
  observe::Record first = record_named("1");
  first.model = first.key = first.error = first.detail = first.limit = first.finish_reason = "before";
  first.mirror_of = first.refresh_of = first.group = first.provider = first.upstream_model = "before";
  first.attempts.resize(2);
  first.cost = Money::nanodollars(5);
  records.add(first);
  EXPECT_EQ(records.newest_first().at(0).model, "before");
  EXPECT_EQ(records.newest_first().at(0).attempts.size(), 2U);
  records.add(record_named("2"));
  const RecentRecord kept = records.newest_first().at(0);
  for (const std::string* text :
       {&kept.model, &kept.key, &kept.error, &kept.detail, &kept.limit, &kept.finish_reason, &kept.mirror_of,
        &kept.refresh_of, &kept.group, &kept.provider, &kept.upstream_model}) {
    EXPECT_EQ(*text, "");
  }
  EXPECT_TRUE(kept.attempts.empty());
  EXPECT_FALSE(kept.cost.has_value());
}

TEST(RecentRecords, AFullRingAsksForNoMemory) {
  RecentRecords records;
  records.keep(2);
  observe::Record record = record_named("req_0123456789abcdef01234567");
  record.model = record.upstream_model = "a-model-whose-name-is-not-short-at-all";
  record.attempts.push_back({.provider = "a-provider-of-models", .target = record.model, .result = "ok"});
  for (int i = 0; i < 2; ++i) records.add(record);
  const std::size_t before = support::allocations();
  for (int i = 0; i < 10; ++i) records.add(record);
  EXPECT_EQ(support::allocations(), before);
}

TEST(RecentRecords, TextsAreShort) {
  RecentRecords records;
  records.keep(1);
  observe::Record record = record_named("1");
  record.model = std::string(5000, 'm');
  record.attempts.resize(500);
  records.add(record);
  const RecentRecord kept = records.newest_first().at(0);
  EXPECT_LE(kept.model.size(), 260U);
  EXPECT_LE(kept.attempts.size(), 16U);
}

}  // namespace
}  // namespace sluice::server
