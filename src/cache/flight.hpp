#pragma once
// One answer on its way, to one client or to several who asked the same: whoever asked first leads and puts down what
// comes; those who follow read it from the beginning, each at its own pace and on its own thread, and none of them
// holds up the leader. Any thread; a short lock each time something comes or is fetched.

#include <atomic>
#include <boost/asio/basic_waitable_timer.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/cache/entry.hpp"
#include "sluice/core/async.hpp"
#include "sluice/core/clock.hpp"
#include "sluice/core/error.hpp"

namespace sluice::cache {

class Flight {
  struct Bell;

 public:
  // `most`: bytes that are kept of it; while somebody follows, kFollowedShare times as many.
  static constexpr std::size_t kFollowedShare = 8;
  // `born`: the epoch of purges in which it began.
  Flight(bool streams, std::size_t most, std::uint64_t born = 0) : streams_(streams), most_(most), born_(born) {}
  Flight(const Flight&) = delete;
  Flight& operator=(const Flight&) = delete;

  bool streams() const { return streams_; }
  std::uint64_t born() const { return born_; }

  // The leader's side.
  void append(std::string_view bytes);
  // It has come whole: `answer` gets the bytes. Null: they were too many.
  EntryPtr complete(Entry answer);
  // Why there is none; counts for nothing once there is.
  void fail(Error error);
  // Bytes that are kept of it while somebody follows.
  std::size_t most_followed() const { return most_ * kFollowedShare; }
  std::size_t followers() const { return followers_.load(std::memory_order_acquire); }
  // Ends it for want of anybody who reads it. False: somebody does, and nothing has changed. Whoever comes later is
  // told so before he has got a byte.
  bool desert();
  // Called when the first follower comes and when the last one leaves, on its thread and under the lock; not once it
  // has ended.
  void when_followed(std::function<void()> call);

  // A follower's place, for as long as it lives. Belongs to one task.
  class Seat {
   public:
    Seat(std::shared_ptr<Flight> flight, const Executor& executor);
    ~Seat();
    Seat(const Seat&) = delete;
    Seat& operator=(const Seat&) = delete;

    // Nothing: it is under way. An answer, or why there is none.
    std::optional<Result<EntryPtr>> ended() const;
    // What has come since the last time. False: it is not kept any more.
    bool fetch(std::string& bytes);
    // Until something has come, or `due`.
    Task<void> wait(TimePoint due);

   private:
    std::shared_ptr<Flight> flight_;
    std::shared_ptr<Bell> bell_;
    std::size_t place_ = 0;
  };

 private:
  void end(Result<EntryPtr> result);  // under the lock, as the rest
  void ring();
  const std::string& bytes() const;

  const bool streams_;
  const std::size_t most_;
  const std::uint64_t born_;
  std::atomic<std::size_t> followers_{0};
  mutable std::mutex mutex_;  // guards what follows
  std::function<void()> followed_;
  std::string bytes_;
  bool overflowed_ = false;
  std::optional<Result<EntryPtr>> ended_;
  std::vector<std::shared_ptr<Bell>> bells_;
};

}  // namespace sluice::cache
