#include "redis/command.hpp"

#include <algorithm>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/post.hpp>
#include <utility>

namespace sluice::redis {

void Command::finish(Outcome outcome) {
  if (std::exchange(over_, true)) return;
  outcome_ = std::move(outcome);
  if (waiter_) std::exchange(waiter_, nullptr)();
}

// Without an outcome.
void Command::cancel() {
  if (std::exchange(over_, true)) return;
  if (waiter_) std::exchange(waiter_, nullptr)();
}

// The waiting task owns a pointer to this command, which owns the task.
void Command::abandon() {
  over_ = true;
  const auto task = std::exchange(waiter_, nullptr);
}

Task<std::optional<Outcome>> Command::wait(net::io_context& io) {
  if (!over_) {
    net::cancellation_slot slot;
    auto initiate = [this, &io, &slot](auto handler) {
      slot = net::get_associated_cancellation_slot(handler);
      // Whoever cancels is still inside the signal, which the waiting task may own: it goes on from the loop.
      if (slot.is_connected()) {
        slot.assign(
            [this, &io](net::cancellation_type) { net::post(io, [self = shared_from_this()] { self->cancel(); }); });
      }
      waiter_ = std::move(handler);
    };
    co_await net::async_initiate<const net::deferred_t&, void()>(initiate, net::deferred);
    if (slot.is_connected()) slot.clear();
  }
  co_return std::exchange(outcome_, std::nullopt);
}

void CommandQueue::abandon() {
  for (const auto& command : take_all()) command->abandon();
}

CommandPtr CommandQueue::pop() {
  CommandPtr front = std::move(commands_.front());
  commands_.pop_front();
  return front;
}

void CommandQueue::dismiss_impatient(TimePoint now) {
  // Whoever is sent away may call again, and so add to the queue.
  std::vector<CommandPtr> impatient;
  for (const auto& command : commands_) {
    if (command->lost_patience(now)) impatient.push_back(command);
  }
  for (const auto& command : impatient)
    command->finish(std::unexpected(Trouble{Failure::kTimeout, "the caller could wait no longer"}));
}

bool CommandQueue::overdue(TimePoint now) const {
  return std::ranges::any_of(commands_, [&](const CommandPtr& command) { return command->due() <= now; });
}

// Mostly those at the front; a command that was sent twice is older than those before it.
std::vector<CommandPtr> CommandQueue::take_overdue(TimePoint now) {
  std::vector<CommandPtr> overdue;
  for (const auto& command : commands_) {
    if (command->due() <= now) overdue.push_back(command);
  }
  std::erase_if(commands_, [&](const CommandPtr& command) { return command->due() <= now; });
  return overdue;
}

TimePoint CommandQueue::next_due() const {
  TimePoint next = kNever;
  for (const auto& command : commands_) next = std::min(next, command->next_due());
  return next;
}

}  // namespace sluice::redis
