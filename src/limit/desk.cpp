#include "limit/desk.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <utility>

namespace sluice::limit {

Desk::Desk(net::io_context& io, redis::Client& client, std::shared_ptr<RedisBooks> books)
    : io_(io),
      client_(client),
      books_(std::move(books)),
      courier_(io, client,
               {.deadline = books_->options.deadline,
                .repeat_for = books_->options.repeat_for,
                .waiting_most = books_->options.waiting_most,
                .delivered = [this](const Parcel& parcel, const redis::Reply& reply) { delivered(parcel, reply); },
                .lost = [this](const Parcel& parcel, Courier::Loss loss,
                               std::string_view why) { lost(parcel, loss, why); }}),
      timer_(io) {}

void Desk::open() {
  ++books_->workers;
  net::co_spawn(io_, tend(shared_from_this()), net::detached);
}

void Desk::close() {
  closed_ = true;
  courier_.stop();
  timer_.cancel();
}

Task<Result<Decision>> Desk::admit(std::vector<Take> takes, WallTime now) {
  auto terms = terms_of(takes, shared_now(now));
  Lease lease{.id = new_lease_id(), .takes = std::move(takes), .terms = std::move(terms)};
  if (local_only()) co_return decide(std::move(lease), now, false);
  Answer answer = co_await ask(lease);
  if (answer.error) co_return std::unexpected(std::move(*answer.error));
  if (answer.decision) co_return std::move(*answer.decision);
  ++books_->tally.unanswered;
  co_return decide(std::move(lease), now, answer.told);
}

std::optional<Decision> Desk::admit_now(const std::vector<Take>& takes, WallTime now) {
  if (!local_only()) return std::nullopt;
  auto decided = decide({.id = new_lease_id(), .takes = takes, .terms = terms_of(takes, shared_now(now))}, now, false);
  if (!decided) return std::nullopt;
  return std::move(*decided);
}

void Desk::settle(std::size_t place, std::span<const std::int64_t> used) {
  Running running = running_.take_out(place);
  if (running.local) return settle_local(std::move(running), used);
  tell_settled(running.lease, used, false);
}

bool Desk::local_only() {
  if (!local_ && !client_.available()) go_local();
  return local_;
}

void Desk::go_local() {
  if (local_) return;
  local_ = true;
  books_->went_local();
  hurry();
}

WallTime Desk::shared_now(WallTime otherwise) const {
  if (books_->options.clock) return books_->options.clock();
  if (clock_at_ == 0) return otherwise;
  return WallTime(milliseconds(clock_at_) + std::chrono::floor<milliseconds>(Clock::now() - clock_seen_));
}

void Desk::saw_clock(std::int64_t at) {
  clock_at_ = at;
  clock_seen_ = Clock::now();
}

}  // namespace sluice::limit
