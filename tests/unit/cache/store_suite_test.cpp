// What holds of the cache wherever its entries lie: in this process, and in a real Redis.

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <random>

#include "cache/flights.hpp"
#include "sluice/cache/cache.hpp"
#include "support/redis_server.hpp"

namespace sluice::cache {
namespace {

constexpr std::size_t kMiB = 1024 * 1024;
constexpr std::chrono::seconds kPatience{30};

std::int64_t now_ms() {
  return std::chrono::floor<milliseconds>(std::chrono::system_clock::now()).time_since_epoch().count();
}

enum class Place : std::uint8_t { kMemory, kRedis };

config::Config config_for(Place place) {
  static int made = 0;
  config::Config config;
  config.cache.secret = Secret("a secret of all replicas");
  config.cache.memory = 8 * kMiB;
  if (place == Place::kMemory) return config;
  config.redis.emplace();
  config.redis->prefix = "test" + std::to_string(++made);
  config.redis->deadline = kPatience;
  return config;
}

class CacheStore : public ::testing::TestWithParam<Place> {
 protected:
  void SetUp() override {
    if (GetParam() == Place::kRedis) {
      if (!support::RedisServer::installed()) GTEST_SKIP() << "redis-server is not installed";
      static support::RedisServer server;
      redis::Settings settings;
      settings.endpoints = {{"127.0.0.1", server.port()}};
      settings.deadline = settings.connect_timeout = kPatience;
      settings.reply_bytes = 16 * kMiB;
      client_ = *redis::make_client(io_, settings, nullptr);
    }
    cache_.emplace(config_for(GetParam()));
    if (!client_) return;
    cache_->attach(*client_);
    net::co_spawn(io_, cache_->keep_in_step(), net::detached);
    // It gives nothing before it knows what has been purged.
    const Key probe = key(-1);
    const auto due = Clock::now() + kPatience;
    do {
      store(probe, entry("probe"));
    } while (find(probe) == nullptr && Clock::now() < due);
    ASSERT_NE(find(probe), nullptr);
  }

  template <class T>
  T run(Task<T> task) {
    std::optional<T> result;
    net::co_spawn(io_, std::move(task), [&](const std::exception_ptr& thrown, T value) {
      EXPECT_EQ(thrown, nullptr);
      result = std::move(value);
    });
    io_.restart();
    while (!result) io_.run_one();
    return std::move(*result);
  }

  Key key(int number) const {
    const std::string body =
        R"({"model":"m","messages":[{"role":"user","content":"hi"}],"seed":)" + std::to_string(number) + "}";
    const auto view = api::parse_request(Endpoint::kChat, body);
    return cache_->keys().make(Scope::of_machine(), Endpoint::kChat, {"m", 1}, *view);
  }
  EntryPtr entry(std::string body, milliseconds life = std::chrono::hours(1)) const {
    Entry made;
    made.form = Entry::Form::kEvents;
    made.pieces = {{static_cast<std::uint32_t>(body.size()), 7}};
    made.body = std::move(body);
    made.usage_event = "data: {}\n\n";
    made.finish_reason = "stop";
    made.provider = "up";
    made.model = "upstream-model";
    made.usage = {.input = 12, .output = 7, .source = UsageSource::kReported};
    made.cost = Money::nanodollars(26'000);
    made.created_unix_ms = now_ms();
    made.expires_unix_ms = made.created_unix_ms + life.count() / 2;
    made.stale_until_unix_ms = made.created_unix_ms + life.count();
    made.born = cache_->epoch();
    made.scope = "namespace bots";
    made.key_name = "app";
    made.models = {"m", "m-*"};
    made.tags = {"doc:7", "b"};
    return std::make_shared<const Entry>(std::move(made));
  }
  void store(const Key& key, EntryPtr entry) { run(storing(*cache_, key, std::move(entry))); }
  EntryPtr find(const Key& key) { return run(finding(*cache_, key)); }
  Result<void> purge(std::string what) { return run(cache_->purge(std::move(what))); }
  std::uint64_t skipped(std::string_view reason) const {
    const auto at = std::ranges::find(kSkipReasons, reason) - kSkipReasons.begin();
    return cache_->counts().skipped[static_cast<std::size_t>(at)];
  }

  net::io_context io_;
  std::unique_ptr<redis::Client> client_;
  std::optional<Cache> cache_;

 private:
  static Task<bool> storing(Cache& cache, Key key, EntryPtr entry) {
    Cache::Turn turn(cache);
    co_await turn.store(key, std::move(entry));
    co_return true;
  }
  static Task<EntryPtr> finding(Cache& cache, Key key) {
    Cache::Turn turn(cache);
    co_return co_await turn.find(key, now_ms());
  }
};

TEST_P(CacheStore, GivesBackWhatWasStoredWithAllThatBelongsToIt) {
  EXPECT_EQ(find(key(1)), nullptr);
  const EntryPtr stored = entry("data: {\"a\":1}\n\n");
  store(key(1), stored);
  const EntryPtr found = find(key(1));
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->form, stored->form);
  EXPECT_EQ(found->body, stored->body);
  EXPECT_EQ(found->pieces, stored->pieces);
  EXPECT_EQ(found->usage_event, stored->usage_event);
  EXPECT_EQ(found->finish_reason + found->provider + found->model, "stopupupstream-model");
  EXPECT_EQ(found->usage.input + found->usage.output, 19);
  EXPECT_EQ(found->cost.nanodollars(), 26'000);
  EXPECT_EQ(found->created_unix_ms, stored->created_unix_ms);
  EXPECT_EQ(found->expires_unix_ms, stored->expires_unix_ms);
  EXPECT_EQ(found->tags, stored->tags);
  EXPECT_EQ(found->models, stored->models);
  EXPECT_EQ(find(key(2)), nullptr);
}

TEST_P(CacheStore, WhatComesLaterTakesThePlaceOfWhatWasThere) {
  store(key(1), entry("old"));
  store(key(1), entry("new"));
  EXPECT_EQ(find(key(1))->body, "new");
}

TEST_P(CacheStore, BytesOfEveryKindAndSizeComeBack) {
  std::mt19937 random(7);
  for (const std::size_t size : {0U, 1U, 4095U, 4097U, 100'000U, 1'000'000U}) {
    for (const bool compressible : {true, false}) {
      std::string body(size, 'x');
      if (!compressible) {
        for (char& byte : body) byte = static_cast<char>(random());
      }
      store(key(1), entry(body));
      const EntryPtr found = find(key(1));
      ASSERT_NE(found, nullptr) << size;
      EXPECT_TRUE(found->body == body) << size;
    }
  }
}

TEST_P(CacheStore, ManyAreKeptApart) {
  for (int i = 0; i < 500; ++i) store(key(i), entry(std::to_string(i)));
  for (int i = 0; i < 500; ++i) {
    const EntryPtr found = find(key(i));
    ASSERT_NE(found, nullptr) << i;
    EXPECT_EQ(found->body, std::to_string(i));
  }
}

TEST_P(CacheStore, WhatIsStaleIsThereUntilItsLastWindowEnds) {
  const EntryPtr stored = entry("x", milliseconds(600));
  store(key(1), stored);
  bool was_stale = false;
  for (EntryPtr found = find(key(1)); found; found = find(key(1))) {
    was_stale = was_stale || found->expires_unix_ms <= now_ms();
    ASSERT_LE(now_ms(), stored->stale_until_unix_ms + 5'000) << "it never goes";
  }
  EXPECT_TRUE(was_stale);
  EXPECT_GE(now_ms(), stored->stale_until_unix_ms);
}

TEST_P(CacheStore, APurgeTakesWhatItNamesAndNothingElse) {
  for (const std::string what : {"tag doc:8", "model n", "key other", "scope namespace x", "entry 00"}) {
    store(key(1), entry("x"));
    ASSERT_TRUE(purge(what));
    EXPECT_NE(find(key(1)), nullptr) << what;
  }
  for (const std::string what : {"all", "tag b", "model m", "model m-*", "key app", "scope namespace bots", "entry"}) {
    store(key(1), entry("x"));
    ASSERT_NE(find(key(1)), nullptr) << what;
    ASSERT_TRUE(purge(what == "entry" ? "entry " + key(1).hex() : what));
    EXPECT_EQ(find(key(1)), nullptr) << what;
  }
  store(key(1), entry("x"));
  EXPECT_NE(find(key(1)), nullptr) << "what is asked for after a purge is kept";
}

TEST_P(CacheStore, WhatIsPurgedOnItsWayIsNotKept) {
  const EntryPtr before = entry("x");
  ASSERT_TRUE(purge("tag b"));
  store(key(1), before);
  EXPECT_EQ(find(key(1)), nullptr);
  EXPECT_EQ(skipped("purged"), 1U);
}

TEST_P(CacheStore, WhatIsTooLargeIsNotKept) {
  const std::uint64_t stored = cache_->counts().stored;
  std::string body(9 * kMiB, '\0');
  std::mt19937 random(7);
  for (char& byte : body) byte = static_cast<char>(random());
  store(key(1), entry(std::move(body)));
  EXPECT_EQ(find(key(1)), nullptr);
  EXPECT_EQ(cache_->counts().stored, stored);
  EXPECT_EQ(skipped("no_room") + skipped("too_large"), 1U);
}

INSTANTIATE_TEST_SUITE_P(Places, CacheStore, ::testing::Values(Place::kMemory, Place::kRedis),
                         [](const auto& place) { return place.param == Place::kMemory ? "Memory" : "Redis"; });

}  // namespace
}  // namespace sluice::cache
