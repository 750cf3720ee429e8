#include "sluice/guard/runs.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>

#include "guard/memory_runs.hpp"
#include "guard/redis_runs.hpp"
#include "sluice/core/digest.hpp"
#include "sluice/core/text.hpp"
#include "sluice/redis/thread_client.hpp"

namespace sluice::guard {
namespace {

constexpr int kEndTries = 6;  // about three seconds
constexpr auto kFirstPause = milliseconds(50);

using HereClient = redis::ThreadClient<Runs>;

}  // namespace

RunKey run_key(std::string_view owner, std::string_view run_id) {
  std::string text;
  append_number(text, owner.size());  // where it ends is known, whatever it holds
  text.append(":").append(owner).append(run_id);
  const Sha256 digest = sha256(text);
  RunKey key;
  std::copy_n(digest.begin(), key.bytes.size(), key.bytes.begin());
  return key;
}

std::optional<CapHit> met(const CapAmounts& used, const CapAmounts& most) {
  for (std::size_t i = 0; i < kCaps; ++i) {
    if (most[i] == kNoCap) continue;
    const auto cap = static_cast<Cap>(i);
    // Tools have been called; everything else would be once more with this request.
    const bool over = cap == Cap::kSameToolCall ? used[i] > most[i] : used[i] >= most[i];
    if (over) return CapHit{.cap = cap, .limit = most[i], .used = used[i]};
  }
  return std::nullopt;
}

Runs::Runs(const config::Config& config) : memory_(std::make_unique<MemoryRuns>(config.guard)) {
  if (config.redis) redis_ = std::make_unique<RedisRuns>(*config.redis, config.guard);
}

Runs::~Runs() { HereClient::detach(this); }

void Runs::configure(const config::Guard& guard) {
  memory_->configure(guard);
  if (redis_) redis_->configure(guard);
}

void Runs::attach(redis::Client& client) { HereClient::attach(this, client); }

redis::Client* Runs::client() const { return redis_ ? HereClient::of(this) : nullptr; }

Task<Standing> Runs::begin(Turn turn) {
  if (redis::Client* redis = client()) {
    const auto due = Clock::now() + redis_->deadline();
    if (auto standing = co_await redis_->begin(*redis, turn, due)) co_return *standing;
    ++unshared_;
  }
  co_return memory_->begin(turn, Clock::now());
}

void Runs::end(const Turn& turn, TurnEnd end, bool shared, const Executor& executor) {
  if (!shared) return memory_->end(turn, end, Clock::now());
  net::co_spawn(
      executor,
      [](std::shared_ptr<Runs> self, Turn of, TurnEnd what) -> Task<void> {
        co_await self->end_in_redis(of, std::move(what));
      }(shared_from_this(), turn, std::move(end)),
      net::detached);
}

Task<void> Runs::end_in_redis(Turn turn, TurnEnd end) {
  net::basic_waitable_timer<Clock, net::wait_traits<Clock>, Executor> timer(co_await net::this_coro::executor);
  auto pause = kFirstPause;
  for (int tries = 0; tries < kEndTries; ++tries, pause *= 2) {
    redis::Client* redis = client();
    if (redis != nullptr && co_await redis_->end(*redis, turn, end, Clock::now() + redis_->deadline())) co_return;
    timer.expires_after(pause);
    co_await timer.async_wait(net::as_tuple(net::deferred));
  }
  ++lost_ends_;
}

RunCounts Runs::counts() const {
  return {.runs = memory_->runs(), .evicted = memory_->evicted(), .unshared = unshared_, .lost_ends = lost_ends_};
}

}  // namespace sluice::guard
