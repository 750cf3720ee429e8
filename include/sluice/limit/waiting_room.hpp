#pragma once
// Where requests wait for a slot of concurrency, in fair order: weighted between the classes of priority, in turn
// between the keys of a class, first come first served within a key; for each limit on its own. One room for the whole
// process, shared by all workers. It has a mutex, since whoever enters waits anyway; a request that finds a slot while
// nobody waits reads one atomic.

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "sluice/config/config.hpp"
#include "sluice/core/admission.hpp"
#include "sluice/core/async.hpp"
#include "sluice/core/clock.hpp"
#include "sluice/core/error.hpp"
#include "sluice/limit/ledger.hpp"
#include "sluice/observe/metrics.hpp"

namespace sluice::limit {

struct Wish {
  Priority priority = Priority::kNormal;
  std::string key;         // whose turn it is within the class
  TimePoint due = kNever;  // the client's deadline; the queue's own time-out bounds the wait anyway
  // What the tries take, in their order; stays until enter() is over.
  std::span<const Take> takes;
  // Of a try that was made just now and refused for lack of a slot: its limit. Null: none was made.
  const Limit* lacking = nullptr;
};

// Tries to take all of it from the ledger; called on the waiting request's own thread.
using TryAdmit = std::function<Task<Result<Verdict>>()>;

inline constexpr std::array kWaitBounds = {.001, .0025, .005, .01, .025, .05, .1,  .25,
                                           .5,   1.0,   2.5,  5.0, 10.,  30., 60., 120.};  // seconds

struct WaitCounts {
  std::array<std::size_t, kPriorities> queued{};  // now
  // How waits ended.
  std::uint64_t granted = 0;
  std::uint64_t refused = 0;  // when its turn came, for another reason than a slot
  std::uint64_t timed_out = 0;
  std::uint64_t gone = 0;  // the client left
  std::array<std::uint64_t, kPriorities> evicted{};
  // Who was not let in.
  std::uint64_t full = 0;
  std::uint64_t late = 0;     // could not have started in time
  observe::Histogram waited;  // seconds until granted, with kWaitBounds
};

class WaitingRoom {
 public:
  virtual ~WaitingRoom() = default;  // nobody is in it any more

  // How many wait. Any thread; a single load.
  std::size_t waiting() const { return waiting_.load(std::memory_order_acquire); }
  // Whether somebody waits for a slot of one of the same limits, so that whoever comes now has to queue behind. One who
  // need not may take from the ledger at once, and enter when that is refused. Any thread; a single load if nobody
  // waits.
  bool must_wait(std::span<const Take> takes) { return waiting() != 0 && anyone_needs(takes); }

  // Calls `try_admit` when its turn has come, which is at once if must_wait() is false, until it is granted or refused
  // for another reason than the lack of a slot. Gives back what it said last. Several calls may be needed: a slot that
  // is free may be gone again. Errors besides the try's own, with retry_after by the rate at which slots became free:
  // kConcurrencyExceeded: a slot of a node did not become free in time, would not, or too many wait already;
  // kOverloaded: the same of the process's own limit, or the request had to make room for one of higher priority;
  // kClientGone: the task was cancelled; its turn, if it had it, has gone on to the next.
  virtual Task<Result<Verdict>> enter(Wish wish, TryAdmit try_admit) = 0;

  // After slots were given back to the ledger: of the limits of `takes`, or of any. Whoever settles a grant tells it.
  // Any thread; a fence and a load if nobody waits.
  void slot_freed(std::span<const Take> takes) {
    if (anyone_after_the_slot()) freed(takes);
  }
  void slot_freed() {
    if (anyone_after_the_slot()) freed_any();
  }

  // Ends the waits that are due, and lets one of each limit try for slots of which nobody told: other replicas give
  // back, too. Any thread, about each 50 ms.
  virtual void tick(TimePoint now) = 0;

  virtual void configure(const config::Queue& queue) = 0;  // whoever waits already stays. Any thread
  virtual WaitCounts counts() const = 0;                   // any thread

 protected:
  // Written under the room's mutex.
  alignas(64) std::atomic<std::size_t> waiting_ = 0;

 private:
  // Either whoever begins to wait sees the free slot in its try, or whoever gave it back sees the one who waits: both
  // write, pass a fence, and read what the other wrote.
  bool anyone_after_the_slot() const {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    return waiting_.load(std::memory_order_relaxed) != 0;
  }
  virtual bool anyone_needs(std::span<const Take> takes) = 0;
  virtual void freed(std::span<const Take> takes) = 0;
  virtual void freed_any() = 0;
};

std::unique_ptr<WaitingRoom> make_waiting_room(
    const config::Queue& queue, std::function<TimePoint()> clock = [] { return Clock::now(); });

}  // namespace sluice::limit
