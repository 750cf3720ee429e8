#pragma once
// One command on its way. Shared by the call that waits for it and by whoever carries it, which has to see its reply
// through even when nobody waits any more.

#include <boost/asio/cancellation_signal.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "redis/trouble.hpp"
#include "sluice/core/async.hpp"
#include "sluice/core/clock.hpp"

namespace sluice::redis {

class Command : public std::enable_shared_from_this<Command> {
 public:
  enum class Origin : std::uint8_t { kCaller, kOurselves };
  // `due`: when a reply must have come, or the connection is given up. `patience`: when the caller stops waiting.
  Command(std::string bytes, TimePoint begun, TimePoint due, TimePoint patience)
      : bytes_(std::move(bytes)), begun_(begun), due_(due), patience_(patience), origin_(Origin::kCaller) {}
  Command(std::string bytes, TimePoint begun, TimePoint due)
      : bytes_(std::move(bytes)), begun_(begun), due_(due), patience_(due), origin_(Origin::kOurselves) {}

  const std::string& bytes() const { return bytes_; }
  TimePoint begun() const { return begun_; }
  TimePoint due() const { return due_; }
  Origin origin() const { return origin_; }
  // The next time at which something has to be done about it.
  TimePoint next_due() const { return over_ ? due_ : std::min(due_, patience_); }

  // Ends the waiting, at once and within this call; what comes later changes nothing.
  void finish(Outcome outcome);
  bool over() const { return over_; }
  // The caller's patience has ended by `now`, though not the command.
  bool lost_patience(TimePoint now) const { return !over_ && patience_ <= now && now < due_; }

  // Nobody will ever carry it out: what waits is destroyed, not resumed. For the end of the loop.
  void abandon();

  // The outcome, or nothing if the waiting task was cancelled. One call, by the owner of a pointer to it.
  Task<std::optional<Outcome>> wait(net::io_context& io);

 private:
  void cancel();

  std::string bytes_;
  TimePoint begun_, due_, patience_;
  Origin origin_;
  bool over_ = false;
  std::optional<Outcome> outcome_;
  std::move_only_function<void()> waiter_;
};
using CommandPtr = std::shared_ptr<Command>;

// Commands in the order in which they were called.
class CommandQueue {
 public:
  CommandQueue() = default;
  ~CommandQueue() { abandon(); }
  CommandQueue(const CommandQueue&) = delete;
  CommandQueue& operator=(const CommandQueue&) = delete;

  bool empty() const { return commands_.empty(); }
  std::size_t size() const { return commands_.size(); }
  void push(CommandPtr command) { commands_.push_back(std::move(command)); }
  CommandPtr pop();
  std::deque<CommandPtr> take_all() { return std::exchange(commands_, {}); }
  std::vector<CommandPtr> take_overdue(TimePoint now);
  void abandon();  // all

  // Sends callers away whose patience has ended; their commands stay.
  void dismiss_impatient(TimePoint now);
  // Whether the deadline of one has passed.
  bool overdue(TimePoint now) const;
  TimePoint next_due() const;  // kNever if it is empty

 private:
  std::deque<CommandPtr> commands_;
};

}  // namespace sluice::redis
