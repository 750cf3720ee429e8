#include "sluice/cache/cache.hpp"

#include <openssl/rand.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>
#include <stdexcept>

#include "cache/flights.hpp"
#include "cache/redis_shelf.hpp"
#include "sluice/redis/thread_client.hpp"

namespace sluice::cache {
namespace {

constexpr auto kStep = milliseconds(1000);     // between two looks at what has been purged, were nothing told
constexpr std::size_t kLeastMemory = 1 << 20;  // with Redis nothing is kept here

Secret given_or_made(const Secret& secret) {
  if (!secret.empty()) return secret;
  std::string bytes(32, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size())) != 1) {
    throw std::runtime_error("there is no randomness");
  }
  return Secret(std::move(bytes));
}

using HereClient = redis::ThreadClient<Cache>;

}  // namespace

struct Cache::Settings {
  ShelfSettings shelf;
  milliseconds deadline{25};
};

Cache::Cache(const config::Config& config)
    : settings_(std::make_unique<Settings>()),
      shared_(config.redis.has_value()),
      keys_(given_or_made(config.cache.secret)),
      flights_(std::make_unique<Flights>()),
      memory_(shared_ ? kLeastMemory : config.cache.memory, config::largest_cache_entry(config)) {
  if (!shared_) return;
  settings_->shelf.prefix = config.redis->prefix;
  settings_->shelf.compress_over = config.cache.compress_over;
  settings_->shelf.value_bytes = config::largest_cache_entry(config);
  settings_->deadline = config.redis->deadline;
}

Cache::~Cache() { HereClient::detach(this); }

std::string Cache::channel() const { return RedisShelf::channel(settings_->shelf); }

void Cache::attach(redis::Client& client) { HereClient::attach(this, client); }

std::optional<RedisShelf> Cache::shelf() const {
  redis::Client* const client = HereClient::of(this);
  if (client == nullptr || !client->available()) return std::nullopt;
  return RedisShelf(*client, keys_, settings_->shelf);
}

EntryPtr Cache::in_memory(const Key& key, std::int64_t now_ms) {
  EntryPtr found = memory_.find(key, now_ms);
  if (found == nullptr || !purges_.has_purged(*found, key)) return found;
  memory_.erase(key);
  return nullptr;
}

Task<EntryPtr> Cache::in_redis(Key key, std::int64_t now_ms, TimePoint due, bool& failed) {
  auto shelf = this->shelf();
  auto found = shelf && in_step_ ? co_await shelf->find(key, due) : RedisShelf::Found{.available = false};
  if (found.corrupt) ++corrupt_;
  failed = !found.available;
  if (failed) ++unavailable_;
  if (found.entry == nullptr || found.entry->stale_until_unix_ms <= now_ms) co_return nullptr;
  if (purges_.has_purged(*found.entry, key)) co_return nullptr;
  co_return std::move(found.entry);
}

Task<bool> Cache::get_in_step() {
  auto shelf = this->shelf();
  if (!shelf) co_return false;
  auto agreed = co_await shelf->purges(Clock::now() + settings_->deadline);
  if (!agreed) co_return false;
  purges_.adopt(agreed->epoch, std::move(agreed->epochs));
  in_step_ = true;
  co_return true;
}

Task<void> Cache::keep_in_step() {
  net::basic_waitable_timer<Clock, net::wait_traits<Clock>, Executor> timer(co_await net::this_coro::executor);
  bool again = false;
  wake_ = [&] {
    again = true;
    timer.cancel();
  };
  for (;;) {
    again = false;
    co_await get_in_step();
    if (again) continue;
    timer.expires_after(kStep);
    co_await timer.async_wait(net::as_tuple(net::deferred));
  }
}

Task<Result<void>> Cache::purge(std::string what) {
  if (!shared_) {
    purges_.purge(what);
    co_return Result<void>{};
  }
  auto shelf = this->shelf();
  const auto due = Clock::now() + settings_->deadline;
  const auto epoch = shelf ? co_await shelf->purge(what, purges_.epoch(), due) : std::nullopt;
  if (!epoch) co_return fail(ErrorKind::kRedisUnavailable, "Redis cannot be reached: nothing was purged.");
  if (!co_await get_in_step()) purges_.adopt(*epoch, {{"all", *epoch}});
  co_return Result<void>{};
}

void Cache::count_skipped(std::string_view reason) {
  const auto at = std::ranges::find(kSkipReasons, reason);
  if (at == kSkipReasons.end()) return;
  skipped_[static_cast<std::size_t>(at - kSkipReasons.begin())].fetch_add(1, std::memory_order_relaxed);
}

CacheCounts Cache::counts() const {
  CacheCounts counts{.memory = memory_.counts(),
                     .most_bytes = memory_.most_bytes(),
                     .stored = stored_,
                     .corrupt = corrupt_,
                     .unavailable = unavailable_};
  for (std::size_t i = 0; i < skipped_.size(); ++i) counts.skipped[i] = skipped_[i];
  return counts;
}

Cache::Turn::Turn(Cache& cache) : cache_(cache), left_(cache.settings_->deadline) {}

TimePoint Cache::Turn::begin() {
  begun_ = Clock::now();
  return begun_ + left_;
}

// Whoever has waited for Redis as long as may be does not again.
void Cache::Turn::end(bool failed) {
  left_ -= Clock::now() - begun_;
  failed_ = failed_ || failed || left_ <= nanoseconds(0);
}

Task<EntryPtr> Cache::Turn::find(Key key, std::int64_t now_ms) {
  if (!cache_.shared_) co_return cache_.in_memory(key, now_ms);
  if (failed_) co_return nullptr;
  bool failed = false;
  auto found = co_await cache_.in_redis(key, now_ms, begin(), failed);
  end(failed);
  co_return found;
}

Task<bool> Cache::Turn::lease(Key key, milliseconds time) {
  auto shelf = failed_ || !cache_.shared_ ? std::nullopt : cache_.shelf();
  if (!shelf) co_return true;
  const auto alone = co_await shelf->lease(key, time, begin());
  end(!alone);
  leases_ = alone.value_or(false);
  // Redis may say yes to somebody who has left while he asked.
  const bool left = (co_await net::this_coro::cancellation_state).cancelled() != net::cancellation_type::none;
  if (left && alone.value_or(true)) {
    net::co_spawn(co_await net::this_coro::executor, cache_.give_back(key), net::detached);
  }
  co_return alone.value_or(true);
}

// The client has its answer: what comes now has a deadline of its own.
Task<void> Cache::Turn::store(Key key, EntryPtr entry) {
  // Purged while it was on its way: it goes by what has changed since.
  if (cache_.purges_.has_purged(*entry, key)) {
    cache_.count_skipped("purged");
  } else if (!cache_.shared_) {
    cache_.memory_.store(key, std::move(entry)) ? void(++cache_.stored_) : cache_.count_skipped("no_room");
  } else {
    auto shelf = cache_.in_step_ ? cache_.shelf() : std::nullopt;
    using enum RedisShelf::Stored;
    const auto due = Clock::now() + cache_.settings_->deadline;
    const auto stored = shelf ? co_await shelf->store(key, std::move(entry), due) : kUnavailable;
    if (stored == kYes) ++cache_.stored_;
    if (stored == kTooLarge) cache_.count_skipped("too_large");
    if (stored == kUnavailable) cache_.count_skipped("store_unavailable");
  }
}

Task<void> Cache::Turn::give_back(Key key) {
  if (leases_) co_await cache_.give_back(key);
}

Task<void> Cache::give_back(Key key) {
  if (auto shelf = this->shelf()) co_await shelf->give_back(key, Clock::now() + settings_->deadline);
}

}  // namespace sluice::cache
