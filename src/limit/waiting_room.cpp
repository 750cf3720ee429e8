#include "sluice/limit/waiting_room.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <mutex>
#include <optional>
#include <set>
#include <utility>
#include <variant>

#include "limit/queue_errors.hpp"
#include "limit/waiting_list.hpp"
#include "sluice/core/patience.hpp"
#include "sluice/core/reserve.hpp"

namespace sluice::limit {
namespace {

constexpr milliseconds kTurnPatience{50};  // a try that takes longer no longer holds up the next
constexpr std::chrono::seconds kForgetEvery{10};

// What one who waits sleeps by. A timer that never fires, so that the loop owns the sleeping task and can end it.
class Bell : public std::enable_shared_from_this<Bell> {
 public:
  explicit Bell(const Executor& home) : home_(home), sleep_(home, kNever) {}

  auto heard() { return sleep_.async_wait(net::as_tuple(net::deferred)); }
  // Any thread. The task may have left before the loop comes to it.
  void ring() {
    reserve_operation_patiently();  // who is not told would sleep on
    net::post(home_, [self = shared_from_this()] { self->sleep_.cancel(); });
  }

 private:
  Executor home_;
  net::basic_waitable_timer<Clock, net::wait_traits<Clock>, Executor> sleep_;
};

enum class State : std::uint8_t { kWaiting, kTurn, kTimedOut, kEvicted };

// In the frame of the task that waits. Others touch it under the mutex, and not after it has left the list.
struct Waiter : WaitingList::Entry {
  Waiter(const Executor& home, Wish& wish, TimePoint now)
      : WaitingList::Entry(wish.priority, std::move(wish.key), slots_of(wish.takes)),
        bell(std::make_shared<Bell>(home)),
        since(now) {}
  const std::shared_ptr<Bell> bell;
  const TimePoint since;
  WaitingList::Wait left;  // what it still had before it when it had to go
  std::atomic<State> state = State::kWaiting;
};

// The limit that a try was short of a slot of; null: it was granted, or refused for another reason.
const Limit* lacking_slot(const Result<Verdict>& tried, std::span<const Take> takes) {
  if (!tried) return nullptr;
  const auto* refusal = std::get_if<Refusal>(&*tried);
  if (refusal == nullptr || refusal->index >= takes.size()) return nullptr;
  const Take& take = takes[refusal->index];
  return wants_slot(take) ? take.limit : nullptr;
}

bool granted(const Result<Verdict>& tried) { return tried && std::holds_alternative<Grant>(*tried); }

Weights weights_of(const config::Queue& queue) { return {queue.weight_high, queue.weight_normal, queue.weight_low}; }

// The lists are not to be left half changed, nor may those fail who leave them.
class Alone {
 public:
  explicit Alone(std::mutex& mutex) : lock_(mutex) {}

 private:
  std::scoped_lock<std::mutex> lock_;
  Patience patience_;
};

class SharedRoom final : public WaitingRoom {
 public:
  SharedRoom(const config::Queue& queue, std::function<TimePoint()> clock)
      : clock_(std::move(clock)), timeout_(queue.timeout), list_(queue.most, weights_of(queue)) {}

  Task<Result<Verdict>> enter(Wish wish, TryAdmit try_admit) override;
  void tick(TimePoint now) override;
  void configure(const config::Queue& queue) override;
  WaitCounts counts() const override;

 private:
  class Seat;

  bool anyone_needs(std::span<const Take> takes) override;
  void freed(std::span<const Take> takes) override;
  void freed_any() override;

  std::optional<Error> sit_down(Waiter& waiter, TimePoint due, const Limit* lacking);
  void not_yet(Waiter& waiter, const Limit& lacking);
  void served(Waiter& waiter, bool was_granted);
  void leave(Waiter& waiter);

  // Under the mutex.
  void pass_turn(TimePoint now, const Waiter* self = nullptr);
  void end_turn(const Waiter& waiter);
  void expire(Waiter& waiter, TimePoint now);
  void publish() { waiting_.store(list_.size(), std::memory_order_release); }

  const std::function<TimePoint()> clock_;
  mutable std::mutex mutex_;
  milliseconds timeout_;
  WaitingList list_;
  std::set<std::pair<TimePoint, Waiter*>> dues_;
  const Waiter* turn_ = nullptr;  // one at a time tries, so that the order is kept; null: nobody
  TimePoint turn_since_;
  TimePoint forgot_;
  WaitCounts counts_;
};

// Whatever ends the task: its place is given up and its turn passed on.
class SharedRoom::Seat {
 public:
  Seat(SharedRoom& room, Waiter& waiter) : room_(room), waiter_(waiter) {}
  Seat(const Seat&) = delete;
  Seat& operator=(const Seat&) = delete;
  ~Seat() { room_.leave(waiter_); }

 private:
  SharedRoom& room_;
  Waiter& waiter_;
};

Task<Result<Verdict>> SharedRoom::enter(Wish wish, TryAdmit try_admit) {
  const Limit* lacking = wish.lacking;
  if (lacking == nullptr && !must_wait(wish.takes)) {
    auto tried = co_await try_admit();
    lacking = lacking_slot(tried, wish.takes);
    if (lacking == nullptr) {
      if (!granted(tried)) slot_freed(wish.takes);  // it may have held some for a moment
      co_return tried;
    }
  }
  Waiter waiter(co_await net::this_coro::executor, wish, clock_());
  Seat seat(*this, waiter);
  if (auto error = sit_down(waiter, wish.due, lacking)) co_return std::unexpected(std::move(*error));
  while (true) {
    while (waiter.state == State::kWaiting) {
      reserve_operation();
      co_await waiter.bell->heard();
      if ((co_await net::this_coro::cancellation_state).cancelled() != net::cancellation_type::none) {
        co_return client_gone("while it waited for a slot");
      }
    }
    if (waiter.state != State::kTurn) {
      const auto why = waiter.state == State::kEvicted ? Unserved::kEvicted : Unserved::kTimedOut;
      co_return std::unexpected(queue_error(why, waiter.waits_for(), waiter.left));
    }
    auto tried = co_await try_admit();
    lacking = lacking_slot(tried, wish.takes);
    if (lacking == nullptr) {
      served(waiter, granted(tried));
      co_return tried;
    }
    not_yet(waiter, *lacking);
  }
}

std::optional<Error> SharedRoom::sit_down(Waiter& waiter, TimePoint due, const Limit* lacking) {
  const Alone alone(mutex_);
  waiter.due = std::min(due, waiter.since + timeout_);
  const auto added = list_.add(waiter, lacking, waiter.since);
  if (added.answer != WaitingList::Answer::kWaits) {
    const bool late = added.answer == WaitingList::Answer::kLate;
    ++(late ? counts_.late : counts_.full);
    return queue_error(late ? Unserved::kLate : Unserved::kFull, waiter.waits_for(), added.wait);
  }
  if (added.evicted != nullptr) {
    auto& evicted = static_cast<Waiter&>(*added.evicted);
    dues_.erase({evicted.due, &evicted});
    evicted.left = added.evicted_wait;
    ++counts_.evicted[static_cast<std::size_t>(evicted.priority)];
    evicted.state = State::kEvicted;
    evicted.bell->ring();
  }
  dues_.emplace(waiter.due, &waiter);
  publish();
  std::atomic_thread_fence(std::memory_order_seq_cst);  // see anyone_after_the_slot()
  pass_turn(waiter.since, &waiter);
  return std::nullopt;
}

void SharedRoom::not_yet(Waiter& waiter, const Limit& lacking) {
  const TimePoint now = clock_();
  const Alone alone(mutex_);
  list_.refused(waiter, lacking, now);
  end_turn(waiter);
  if (waiter.due <= now) {
    expire(waiter, now);
  } else {
    dues_.emplace(waiter.due, &waiter);  // a tick may have seen it as due
    waiter.state = State::kWaiting;
  }
  pass_turn(now, &waiter);
}

void SharedRoom::served(Waiter& waiter, bool was_granted) {
  const TimePoint now = clock_();
  const Alone alone(mutex_);
  if (was_granted) {
    list_.granted(waiter, now);
    ++counts_.granted;
    counts_.waited.observe(std::chrono::duration<double>(now - waiter.since).count(), kWaitBounds);
  } else {
    list_.refused_otherwise(waiter, now);
    ++counts_.refused;
  }
  dues_.erase({waiter.due, &waiter});
  publish();
  end_turn(waiter);
  pass_turn(now);
}

void SharedRoom::leave(Waiter& waiter) {
  const Alone alone(mutex_);
  if (!waiter.listed()) return;
  const TimePoint now = clock_();
  list_.remove(waiter, now);
  dues_.erase({waiter.due, &waiter});
  ++counts_.gone;
  publish();
  end_turn(waiter);
  pass_turn(now);
}

void SharedRoom::end_turn(const Waiter& waiter) {
  if (turn_ == &waiter) turn_ = nullptr;
}

// After everything that may have changed whose turn it is. `self` is the one that is not asleep. Bells are rung under
// the mutex: whoever sleeps cannot leave meanwhile, nor its loop end.
void SharedRoom::pass_turn(TimePoint now, const Waiter* self) {
  while (turn_ == nullptr) {
    auto* next = static_cast<Waiter*>(list_.next(now));
    if (next == nullptr) return;
    if (next->due <= now) {
      expire(*next, now);
      continue;
    }
    turn_ = next;
    turn_since_ = now;
    next->state = State::kTurn;
    if (next != self) next->bell->ring();
  }
}

void SharedRoom::expire(Waiter& waiter, TimePoint now) {
  waiter.left = list_.expected_wait(waiter, now);
  list_.remove(waiter, now);
  dues_.erase({waiter.due, &waiter});
  ++counts_.timed_out;
  publish();
  waiter.state = State::kTimedOut;
  waiter.bell->ring();
}

bool SharedRoom::anyone_needs(std::span<const Take> takes) {
  const Alone alone(mutex_);
  return list_.anyone_needs(takes);
}

void SharedRoom::freed(std::span<const Take> takes) {
  const TimePoint now = clock_();
  const Alone alone(mutex_);
  for (const Take& take : takes) {
    if (wants_slot(take)) list_.open(take.limit->id);
  }
  pass_turn(now);
}

void SharedRoom::freed_any() {
  const TimePoint now = clock_();
  const Alone alone(mutex_);
  list_.open_all(WaitingList::Sure::kYes);
  pass_turn(now);
}

void SharedRoom::tick(TimePoint now) {
  const Alone alone(mutex_);
  while (!dues_.empty() && dues_.begin()->first <= now) {
    Waiter& due = *dues_.begin()->second;
    // One that is just being tried ends itself when that fails.
    dues_.erase(dues_.begin());
    if (due.state != State::kTurn) expire(due, now);
  }
  if (turn_ != nullptr && now - turn_since_ >= kTurnPatience) turn_ = nullptr;
  if (now - forgot_ >= kForgetEvery) {
    list_.forget_idle(now);
    forgot_ = now;
  }
  list_.open_all(WaitingList::Sure::kNo);
  pass_turn(now);
}

void SharedRoom::configure(const config::Queue& queue) {
  const Alone alone(mutex_);
  timeout_ = queue.timeout;
  list_.configure(queue.most, weights_of(queue));
}

WaitCounts SharedRoom::counts() const {
  const Alone alone(mutex_);
  WaitCounts counts = counts_;
  counts.queued = list_.queued();
  return counts;
}

}  // namespace

std::unique_ptr<WaitingRoom> make_waiting_room(const config::Queue& queue, std::function<TimePoint()> clock) {
  return std::make_unique<SharedRoom>(queue, std::move(clock));
}

}  // namespace sluice::limit
