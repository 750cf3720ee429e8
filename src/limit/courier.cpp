#include "limit/courier.hpp"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>
#include <utility>

namespace sluice::limit {
namespace {

constexpr std::size_t kRunners = 16;  // calls under way at once
constexpr auto kPause = milliseconds(50);

}  // namespace

bool surely_not_sent(const Error& error) {
  return error.detail.starts_with(redis::to_string(redis::Failure::kOpen)) ||
         error.detail.starts_with(redis::to_string(redis::Failure::kFull));
}

Task<void> pause(milliseconds time) {
  net::basic_waitable_timer<Clock, net::wait_traits<Clock>, Executor> timer(co_await net::this_coro::executor, time);
  co_await timer.async_wait(net::deferred);
}

void Courier::send(Parcel parcel, const std::shared_ptr<void>& owner) {
  if (waiting() >= settings_.waiting_most) return settings_.lost(parcel, Loss::kNoRoom, "too many wait already");
  waiting_.push_back(std::move(parcel));
  // While Redis is away one is enough to look for its return.
  if (runners_ > 0 && (runners_ >= kRunners || !client_.available())) return;
  net::co_spawn(io_, run(std::shared_ptr<Courier>(owner, this)), net::detached);
  ++runners_;
}

Task<void> Courier::run(std::shared_ptr<Courier> self) {
  while (!self->waiting_.empty() && !self->stopped_) {
    if (!self->client_.available()) {
      co_await pause(kPause);
      continue;
    }
    Parcel parcel = std::move(self->waiting_.front());
    self->waiting_.pop_front();
    ++self->in_hand_;
    const bool done = co_await self->carry(parcel);
    --self->in_hand_;
    if (done) continue;
    self->waiting_.push_front(std::move(parcel));
    co_await pause(kPause);
  }
  --self->runners_;
}

// Whether nothing is left to be done for it.
Task<bool> Courier::carry(Parcel& parcel) {
  if (too_late(parcel)) {
    settings_.lost(parcel, Loss::kTooLate, "its outcome was not known for too long");
    co_return true;
  }
  const TimePoint sent = Clock::now();
  const auto keys = parcel.call.keys.views();
  const auto args = parcel.call.args.views();
  const auto reply = co_await client_.eval(*parcel.call.script, keys, args, sent + settings_.deadline);
  if (!reply) {
    if (parcel.first_sent == kNever && !surely_not_sent(reply.error())) parcel.first_sent = sent;
    co_return false;
  }
  if (reply->is_error()) {
    settings_.lost(parcel, Loss::kRefused, reply->text);
  } else {
    settings_.delivered(parcel, *reply);
  }
  co_return true;
}

bool Courier::too_late(const Parcel& parcel) const {
  return parcel.first_sent != kNever && Clock::now() - parcel.first_sent > settings_.repeat_for;
}

}  // namespace sluice::limit
