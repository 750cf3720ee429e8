// What goes on besides requests: leases are renewed, and what happened without Redis is handed over when it is back.

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <utility>

#include "limit/desk.hpp"

namespace sluice::limit {
namespace {

constexpr auto kCalm = milliseconds(1000);  // between two looks at what there is to do
constexpr auto kHurry = milliseconds(100);
constexpr std::size_t kHoldsPerCall = 100;  // a call holds up all others in Redis
constexpr std::size_t kDebtsPerCall = 50;

}  // namespace

Task<void> Desk::tend(std::shared_ptr<Desk> self) {
  while (!self->closed_) {
    if (!self->client_.available()) {
      self->go_local();
    } else {
      if (self->hurried_ && self->handing_over_ == 0) self->hand_over();
      if (Clock::now() >= self->renew_at_) co_await self->renew();
    }
    if (!self->closed_) co_await self->sleep();
  }
}

Task<void> Desk::sleep() {
  const TimePoint now = Clock::now();
  timer_.expires_at(std::min(now + (hurried_ ? kHurry : kCalm), std::max(renew_at_, now + kHurry)));
  co_await timer_.async_wait(net::as_tuple(net::deferred));
}

void Desk::hurry() {
  if (std::exchange(hurried_, true)) return;
  timer_.cancel();
}

Task<void> Desk::renew() {
  for (const ScriptCall& call : renewals()) {
    const auto keys = call.keys.views();
    const auto args = call.args.views();
    const auto reply = co_await client_.eval(*call.script, keys, args, Clock::now() + books_->options.deadline);
    if (!reply) co_return;
    if (!reply->is_integer()) {
      books_->script_error(reply->is_error() ? std::string_view(reply->text) : "an odd answer to a renewal");
      co_return;
    }
    books_->saw_replicas(reply->integer);
  }
  renew_at_ = Clock::now() + books_->options.lease / 3;
}

// Texts, since grants may end while the calls are made. One at least: this replica is alive.
std::vector<ScriptCall> Desk::renewals() {
  std::vector<ScriptCall> calls;
  std::vector<Hold> holds;
  const auto put = [&] {
    calls.push_back(books_->calls.renew(books_->replica, holds));
    holds.clear();
  };
  running_.for_each([&](std::size_t, const Running& running) {
    for (std::size_t i = 0; i < running.lease.takes.size() && !running.local; ++i) {
      if (ScriptCalls::holds_something(running.lease.takes[i])) holds.push_back({&running.lease, i});
    }
    if (holds.size() >= kHoldsPerCall) put();
  });
  if (!holds.empty() || calls.empty()) put();
  return calls;
}

// After an outage everything that runs is booked again: Redis may have lost all it knew.
void Desk::hand_over() {
  handing_over_ = 1;  // this itself, so that the rest is counted before anything is over
  handing_over_since_ = local_ ? Clock::now() : TimePoint();
  hand_over_debts();
  running_.for_each([this](std::size_t place, Running& running) {
    if (RunningGrants::to_be_booked(running) || (local_ && !running.local)) book_running(place, running);
  });
  handed_over();
}

void Desk::hand_over_debts() {
  if (debts_.empty()) return;
  const auto debts = debts_.collect(Clock::now());
  --books_->tally.waiting;
  for (std::size_t from = 0; from < debts.size(); from += kDebtsPerCall) {
    const auto some = std::span(debts).subspan(from, std::min(kDebtsPerCall, debts.size() - from));
    Parcel parcel{.what = Parcel::What::kDebts, .call = books_->calls.spend(new_lease_id(), some), .outstanding = true};
    for (const Spending& debt : some) {
      if (debt.limit->kind() == Kind::kBudget) parcel.budgets.push_back(debt);
    }
    ++handing_over_;
    send(std::move(parcel));
  }
}

void Desk::book_running(std::size_t place, Running& running) {
  Lease lease = running.lease;
  if (!running.local) {
    for (Take& take : lease.takes) {  // what was counted then is not counted anew
      if (kind_of(take.limit->meter) == Kind::kWindow) take.amount = 0;
    }
  }
  running.told = running.local;
  ++handing_over_;
  send({.what = Parcel::What::kBooking,
        .call = books_->calls.admit(lease, ScriptCalls::How::kGoesOn),
        .place = place,
        .lease = std::move(lease.id)});
}

void Desk::booked(const Parcel& parcel, const redis::Reply& reply) {
  Running* running = running_.find(parcel.place, parcel.lease);
  if (running == nullptr) return;  // settled by its id, before this or after
  const auto read = read_admit(reply, running->lease.takes.size());
  if (!read) return books_->script_error("a booking has an answer no script gives");
  const auto* booked = std::get_if<Booked>(&*read);
  if (booked == nullptr || !running->local) return;
  put_back(running->lease, running->lease.takes.size());
  std::vector<std::int64_t> taken;
  for (const Take& take : running->lease.takes) taken.push_back(take.amount);
  end_shares(*running, taken);
  running_.booked(*running, booked->at);
  saw_budgets(running->lease, booked->standings);
}

// What began before Redis was away, or took long, is begun again: much may have happened since.
void Desk::handed_over() {
  if (--handing_over_ > 0) return;
  if (local_ && client_.available() && Clock::now() - handing_over_since_ < kCalm) {
    local_ = false;
    books_->came_back();
  }
  hurried_ = local_ || running_.local() > 0 || !debts_.empty();
}

Task<void> Desk::finish(TimePoint due) {
  if (client_.available() && handing_over_ == 0) hand_over();
  while ((courier_.waiting() > 0 || !debts_.empty()) && Clock::now() < due) co_await pause(milliseconds(5));
  close();
  if (--books_->workers > 0) co_return;
  const std::string key = books_->calls.replicas_key();
  co_await client_.call({"ZREM", key, books_->replica}, std::max(due, Clock::now() + books_->options.deadline));
}

}  // namespace sluice::limit
