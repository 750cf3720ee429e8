#pragma once
// A connection with a read that may be under way long before anyone waits for it: on the client's side it notices that
// the client has left, on the upstream's that an idle connection has died, and both get the next message's first bytes
// from it without another system call. Belongs to one worker thread; kept alive by its own pending operation.

#include <boost/asio/cancellation_signal.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "http/transport.hpp"
#include "sluice/core/timer_wheel.hpp"

namespace sluice::http {

class PendingRead : public std::enable_shared_from_this<PendingRead> {
 public:
  PendingRead(net::io_context& io, TimerWheel& timers);
  PendingRead(TcpSocket socket, TimerWheel& timers);

  Transport& transport() { return transport_; }

  // `into` must stay where it is until the read has ended. Not while one is pending or has a result to be taken.
  void start(std::span<char> into);
  bool pending() const { return pending_; }
  bool has_result() const { return result_.has_value(); }

  // The result of the read that was started. kTimeout and kCancelled (the waiting task was cancelled) leave it pending.
  Task<IoResult<std::size_t>> wait(TimePoint due);

  IoResult<std::size_t> take_result();  // has_result() is true

  // Called when a read ends and nobody waits; its result stays to be taken.
  void on_arrival(std::function<void()> call) {
    on_arrival_ = std::move(call);
    replaced_ = true;
  }

  // The end of whoever read: closes the connection, and keeps `buffer` until the read that writes into it has ended.
  // Needs no memory.
  void give_up(std::string buffer);

 private:
  class ArrivalCall;
  void arrived(IoResult<std::size_t> result);
  void wake(IoFault with);
  void cancel_wait();
  static void on_timer(void* self);

  Transport transport_;
  TimerWheel::Timer timer_;
  bool pending_ = false;
  std::optional<IoResult<std::size_t>> result_;
  std::move_only_function<void()> waiter_;
  net::cancellation_slot slot_;
  IoFault woken_by_ = IoFault::kOther;
  bool cancelled_ = false;  // and the timer tells the waiting task, for want of memory
  std::function<void()> on_arrival_;
  bool replaced_ = false;  // on_arrival() was called while the call was running
  std::string kept_;
};

}  // namespace sluice::http
