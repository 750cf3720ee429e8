#include "cache/flight.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/post.hpp>

namespace sluice::cache {

// Wakes one follower, on the follower's own thread.
struct Flight::Bell {
  explicit Bell(const Executor& executor) : timer(executor) {}
  net::basic_waitable_timer<Clock, net::wait_traits<Clock>, Executor> timer;  // the follower's
  bool listens = false;                                                       // under the flight's lock
};

void Flight::ring() {
  for (const auto& bell : bells_) {
    if (!std::exchange(bell->listens, false)) continue;
    net::post(bell->timer.get_executor(), [bell] { bell->timer.cancel(); });
  }
}

void Flight::append(std::string_view bytes) {
  const std::lock_guard lock(mutex_);
  if (overflowed_) return;
  const std::size_t most = bells_.empty() ? most_ : most_followed();
  overflowed_ = bytes_.size() + bytes.size() > most;
  if (overflowed_) {
    std::string().swap(bytes_);
  } else {
    bytes_ += bytes;
  }
  ring();
}

void Flight::end(Result<EntryPtr> result) {
  followed_ = nullptr;
  if (ended_) return;
  ended_.emplace(std::move(result));
  ring();
}

EntryPtr Flight::complete(Entry answer) {
  const std::lock_guard lock(mutex_);
  if (overflowed_) {
    end(sluice::fail(ErrorKind::kInternal, "The answer is too large to be shared."));
    return nullptr;
  }
  answer.body = std::move(bytes_);
  answer.body.shrink_to_fit();  // it grew by doubling, and is kept for long
  answer.pieces.shrink_to_fit();
  auto whole = std::make_shared<const Entry>(std::move(answer));
  end(whole);
  return whole;
}

void Flight::fail(Error error) {
  const std::lock_guard lock(mutex_);
  end(std::unexpected(std::move(error)));
}

bool Flight::desert() {
  const std::lock_guard lock(mutex_);
  if (!bells_.empty()) return false;
  end(client_gone());
  return true;
}

void Flight::when_followed(std::function<void()> call) {
  const std::lock_guard lock(mutex_);
  if (!ended_) followed_ = std::move(call);
}

const std::string& Flight::bytes() const { return ended_ && *ended_ ? (**ended_)->body : bytes_; }

Flight::Seat::Seat(std::shared_ptr<Flight> flight, const Executor& executor)
    : flight_(std::move(flight)), bell_(std::make_shared<Bell>(executor)) {
  const std::lock_guard lock(flight_->mutex_);
  flight_->bells_.push_back(bell_);
  if (flight_->followers_.fetch_add(1, std::memory_order_acq_rel) == 0 && flight_->followed_) flight_->followed_();
}

Flight::Seat::~Seat() {
  const std::lock_guard lock(flight_->mutex_);
  std::erase(flight_->bells_, bell_);
  if (flight_->followers_.fetch_sub(1, std::memory_order_acq_rel) == 1 && flight_->followed_) flight_->followed_();
}

std::optional<Result<EntryPtr>> Flight::Seat::ended() const {
  const std::lock_guard lock(flight_->mutex_);
  return flight_->ended_;
}

bool Flight::Seat::fetch(std::string& bytes) {
  const std::lock_guard lock(flight_->mutex_);
  if (flight_->overflowed_) return false;
  const std::string& all = flight_->bytes();
  bytes.assign(all, place_);
  place_ = all.size();
  return true;
}

Task<void> Flight::Seat::wait(TimePoint due) {
  bell_->timer.expires_at(due);
  {
    const std::lock_guard lock(flight_->mutex_);
    if (flight_->ended_ || flight_->overflowed_ || flight_->bytes().size() > place_) co_return;
    bell_->listens = true;
  }
  // Nothing else runs on this thread in between, so no ringing is missed.
  co_await bell_->timer.async_wait(net::as_tuple(net::deferred));
}

}  // namespace sluice::cache
