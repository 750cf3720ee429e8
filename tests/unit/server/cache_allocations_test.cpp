// What a hit in memory costs in allocations. Not under the thread sanitizer: it has its own operator new.
#if !__has_feature(thread_sanitizer)

#include "sluice/cache/memory_store.hpp"
#include "sluice/cache/purges.hpp"
#include "support/allocations.hpp"
#include "unit/server/cache_chain.hpp"

namespace sluice::server {
namespace {

using namespace testing;
using routing::testing::Conversation;

// Takes an answer and keeps nothing of it.
class Nowhere final : public http::ResponseSink {
 public:
  bool started() const override { return started_; }
  void end_by(TimePoint) override {}
  Task<Result<void>> respond(http::ResponseStart, std::string_view body) override {
    bytes += body.size();
    started_ = true;
    co_return Result<void>{};
  }
  void start(http::ResponseStart) override { started_ = true; }
  std::optional<Result<void>> write_now(std::string_view text) override {
    bytes += text.size();
    return Result<void>{};
  }
  Task<Result<void>> flush() override { co_return Result<void>{}; }
  Task<Result<void>> finish(std::string_view text) override {
    bytes += text.size();
    co_return Result<void>{};
  }
  std::size_t bytes = 0;

 private:
  bool started_ = false;
};

Task<Result<std::size_t>> counted(const pipeline::Middleware& stage, pipeline::Exchange& exchange) {
  const std::size_t before = support::allocations();
  auto result = co_await stage.handle(exchange, pipeline::Next({}));
  const std::size_t count = support::allocations() - before;
  if (!result) co_return std::unexpected(std::move(result.error()));
  co_return count;
}

cache::Key key_of(const cache::Cache& cache, const std::string& body) {
  const auto view = api::parse_request(Endpoint::kChat, body);
  return cache.keys().make(cache::Scope::of_machine(), Endpoint::kChat, {"fast", 7}, *view);
}

cache::EntryPtr entry(const cache::Cache& cache, cache::Entry::Form form) {
  auto made = std::make_shared<cache::Entry>();
  made->form = form;
  made->body = R"({"id":"c","choices":[{"index":0,"message":{"content":"hi"},"finish_reason":"stop"}]})";
  if (form == cache::Entry::Form::kEvents) made->body = routing::testing::token("hi") + routing::testing::kFinish;
  for (std::uint32_t i = 1; i <= 20; ++i) made->pieces.push_back({i, i});
  made->expires_unix_ms = made->stale_until_unix_ms = std::int64_t{1} << 60;
  made->born = cache.epoch();
  return made;
}

// Of one request that is answered in the form in which its entry is.
std::size_t allocations_of_a_hit(bool stream) {
  const config::Config config = caching_config();
  cache::Cache cache(config);
  const auto stage = cache::make_exact_cache(config, cache);
  const std::string body = request_for(Endpoint::kChat, stream);
  const auto form = stream ? cache::Entry::Form::kEvents : cache::Entry::Form::kBody;
  cache::Cache::Turn turn(cache);
  fakes::run([](cache::Cache::Turn& its, cache::Key key, cache::EntryPtr kept) -> Task<bool> {
    co_await its.store(key, std::move(kept));
    co_return true;
  }(turn, key_of(cache, body), entry(cache, form)));
  std::size_t most = 0;
  for (int i = 0; i < 3; ++i) {
    Conversation one(body);
    Nowhere nowhere;
    one.exchange.sink = &nowhere;
    one.exchange.resolved = {.model = "fast", .revision = 7};
    one.record.time = std::chrono::system_clock::now();
    const auto count = fakes::run(counted(*stage, one.exchange));
    EXPECT_TRUE(count) << count.error().message;
    EXPECT_EQ(one.record.cache, "hit");
    EXPECT_GT(nowhere.bytes, 0U);
    most = std::max(most, count.value_or(SIZE_MAX));
  }
  ::testing::Test::RecordProperty(stream ? "stream" : "body", static_cast<int>(most));
  return most;
}

TEST(CacheAllocations, FindingInMemoryTakesNone) {
  cache::Cache cache(caching_config());
  cache::MemoryStore store(8 << 20);
  const cache::Purges purges;
  const cache::Key key = key_of(cache, request_for(Endpoint::kChat, false));
  store.store(key, entry(cache, cache::Entry::Form::kBody));
  for (int i = 0; i < 3; ++i) {
    const std::size_t before = support::allocations();
    const cache::EntryPtr found = store.find(key, 0);
    const bool purged = found == nullptr || purges.has_purged(*found, key);
    EXPECT_EQ(support::allocations(), before);
    EXPECT_FALSE(purged);
  }
}

TEST(CacheAllocations, AHitTakesFew) {
  EXPECT_LE(allocations_of_a_hit(false), 28U);
  EXPECT_LE(allocations_of_a_hit(true), 28U);
}

}  // namespace
}  // namespace sluice::server

#endif
