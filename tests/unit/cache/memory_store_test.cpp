#include "sluice/cache/memory_store.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "sluice/cache/purges.hpp"
#include "unit/cache/numbered_keys.hpp"

namespace sluice::cache {
namespace {

constexpr std::size_t kMiB = 1024 * 1024;

EntryPtr entry_of(std::size_t size, std::int64_t until_ms = 1'000'000) {
  auto entry = std::make_shared<Entry>();
  entry->body = std::string(size, 'x');
  entry->expires_unix_ms = entry->stale_until_unix_ms = until_ms;
  return entry;
}

TEST(MemoryStore, GivesBackWhatWasStored) {
  MemoryStore store(kMiB);
  EXPECT_EQ(store.find(key_of(1), 0), nullptr);
  const EntryPtr entry = entry_of(100);
  EXPECT_TRUE(store.store(key_of(1), entry));
  EXPECT_EQ(store.find(key_of(1), 0), entry);
  EXPECT_EQ(store.find(key_of(2), 0), nullptr);
  const EntryPtr newer = entry_of(50);
  EXPECT_TRUE(store.store(key_of(1), newer));
  EXPECT_EQ(store.find(key_of(1), 0), newer);
  EXPECT_EQ(store.counts().entries, 1U);
  store.erase(key_of(1));
  EXPECT_EQ(store.find(key_of(1), 0), nullptr);
  EXPECT_EQ(store.counts().bytes, 0U);
}

TEST(MemoryStore, WhatIsOverIsGone) {
  MemoryStore store(kMiB);
  store.store(key_of(1), entry_of(100, 5000));
  EXPECT_NE(store.find(key_of(1), 4999), nullptr);
  EXPECT_EQ(store.find(key_of(1), 5000), nullptr);
  EXPECT_EQ(store.counts().expired, 1U);
  EXPECT_EQ(store.counts().entries, 0U);
}

TEST(MemoryStore, StaysWithinItsBytes) {
  MemoryStore store(kMiB);
  for (int i = 0; i < 5000; ++i) {
    ASSERT_TRUE(store.store(key_of(i), entry_of(static_cast<std::size_t>(i % 3000))));
    ASSERT_LE(store.counts().bytes, kMiB);
  }
  EXPECT_GT(store.counts().bytes, kMiB * 9 / 10) << "and uses them";
  EXPECT_GT(store.counts().evictions, 1000U);
  EXPECT_FALSE(store.store(key_of(1), entry_of(2 * kMiB)));
}

TEST(MemoryStore, AScanFlushesNothingThatIsAskedFor) {
  MemoryStore store(kMiB);
  const int hot = 200;  // about a third of it
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < hot; ++i) {
      if (store.find(key_of(i), 0) == nullptr) store.store(key_of(i), entry_of(1000));
    }
  }
  const int scan = 6000;  // ten times as many as it holds
  for (int i = 0; i < scan; ++i) {
    store.store(key_of(100'000 + i), entry_of(1000));
    if (i % 100 == 0) store.find(key_of(i / 100 % hot), 0);
  }
  int left = 0;
  for (int i = 0; i < hot; ++i) left += store.find(key_of(i), 0) != nullptr ? 1 : 0;
  EXPECT_GE(left, hot * 9 / 10);
}

TEST(MemoryStoreThreads, MayBeUsedByAll) {
  MemoryStore store(32 * kMiB);
  std::vector<Key> keys;
  for (int i = 0; i < 500; ++i) keys.push_back(key_of(i));
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t i = 0; i < 5000; ++i) {
        const Key& key = keys[(i * 7 + static_cast<std::size_t>(t) * 131) % keys.size()];
        if (auto found = store.find(key, 0)) {
          EXPECT_EQ(found->body.size() % 1000, 0U);
        } else {
          store.store(key, entry_of(i % 9 * 1000));
        }
        if (i % 97 == 0) store.erase(key);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_LE(store.counts().entries, keys.size());
}

TEST(Purges, WhatIsPurgedIsOlderThanItsEpoch) {
  Purges purges;
  Entry entry;
  entry.born = purges.epoch();
  entry.scope = "namespace bots";
  entry.key_name = "app";
  entry.models = {"m", "glob-*"};
  entry.tags = {"a", "b"};
  EXPECT_FALSE(purges.has_purged(entry, key_of(1)));
  for (const char* other : {"tag c", "key other", "model n", "scope namespace x", "entry 00"}) purges.purge(other);
  EXPECT_FALSE(purges.has_purged(entry, key_of(1)));
  for (const char* what : {"all", "tag b", "key app", "model m", "model glob-*", "scope namespace bots", "entry"}) {
    entry.born = purges.epoch();
    EXPECT_FALSE(purges.has_purged(entry, key_of(1))) << what;
    purges.purge(what == std::string_view("entry") ? "entry " + key_of(1).hex() : what);
    EXPECT_TRUE(purges.has_purged(entry, key_of(1))) << what;
  }
  entry.born = purges.epoch();
  EXPECT_FALSE(purges.has_purged(entry, key_of(1))) << "what was asked for since is good";
}

TEST(Purges, TooManyNamesPurgeAll) {
  Purges purges;
  Entry entry;
  entry.born = purges.epoch();
  for (std::size_t i = 0; i <= Purges::kMost; ++i) purges.purge("tag " + std::to_string(i));
  EXPECT_TRUE(purges.has_purged(entry, key_of(1)));
}

TEST(Purges, WhatReplicasAgreeOnCountsUnlessItIsOlder) {
  Purges purges;
  Entry entry;
  entry.tags = {"a"};
  entry.born = 5;
  purges.adopt(7, {{"tag a", 6}});
  EXPECT_TRUE(purges.has_purged(entry, key_of(1)));
  purges.adopt(3, {});
  EXPECT_EQ(purges.epoch(), 7U);
}

}  // namespace
}  // namespace sluice::cache
