#include "http/pending_read.hpp"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/post.hpp>
#include <new>
#include <utility>

#include "sluice/core/reserve.hpp"

namespace sluice::http {

PendingRead::PendingRead(net::io_context& io, TimerWheel& timers)
    : transport_(io, timers), timer_(timers, &PendingRead::on_timer, this) {}

PendingRead::PendingRead(TcpSocket socket, TimerWheel& timers)
    : transport_(std::move(socket), timers), timer_(timers, &PendingRead::on_timer, this) {}

void PendingRead::start(std::span<char> into) {
  transport_.start_read(
      into, [self = shared_from_this()](IoResult<std::size_t> result) { self->arrived(std::move(result)); });
  pending_ = true;
}

// The call may replace itself, end whoever made it, or throw.
class PendingRead::ArrivalCall {
 public:
  explicit ArrivalCall(PendingRead& read) : read_(read), made_(std::move(read.on_arrival_)) { read.replaced_ = false; }
  ~ArrivalCall() {
    if (!read_.replaced_) read_.on_arrival_ = std::move(made_);
  }
  ArrivalCall(const ArrivalCall&) = delete;
  ArrivalCall& operator=(const ArrivalCall&) = delete;
  void operator()() const { made_(); }

 private:
  PendingRead& read_;
  std::function<void()> made_;
};

void PendingRead::arrived(IoResult<std::size_t> result) {
  pending_ = false;
  result_ = std::move(result);
  if (waiter_) {
    std::exchange(waiter_, nullptr)();
  } else if (on_arrival_) {
    const ArrivalCall call(*this);
    call();
  }
}

void PendingRead::give_up(std::string buffer) {
  on_arrival(nullptr);
  kept_ = std::move(buffer);
  transport_.close();
}

Task<IoResult<std::size_t>> PendingRead::wait(TimePoint due) {
  if (!result_) {
    woken_by_ = IoFault::kOther;
    cancelled_ = false;
    reserve_operation();
    timer_.arm(due);
    co_await net::async_initiate<const net::deferred_t&, void()>(
        [this](auto handler) {
          slot_ = net::get_associated_cancellation_slot(handler);
          if (slot_.is_connected()) slot_.assign([this](net::cancellation_type) { cancel_wait(); });
          waiter_ = std::move(handler);
        },
        net::deferred);
    timer_.disarm();
    // The signal may outlive this connection.
    if (slot_.is_connected()) slot_.clear();
  }
  if (!result_)
    co_return std::unexpected(IoError{woken_by_, woken_by_ == IoFault::kTimeout ? "timed out" : "cancelled"});
  co_return take_result();
}

IoResult<std::size_t> PendingRead::take_result() {
  auto taken = std::move(*result_);
  result_.reset();
  return taken;
}

void PendingRead::wake(IoFault with) {
  if (!waiter_) return;
  woken_by_ = with;
  std::exchange(waiter_, nullptr)();
}

// Whoever cancels is still inside the signal, which the waiting task may own: it goes on from the loop.
void PendingRead::cancel_wait() {
  try {
    net::post(transport_.socket().get_executor(), [self = shared_from_this()] { self->wake(IoFault::kCancelled); });
  } catch (const std::bad_alloc&) {
    cancelled_ = true;
    timer_.arm(Clock::now());
  }
}

void PendingRead::on_timer(void* self) {
  auto& read = *static_cast<PendingRead*>(self);
  read.wake(std::exchange(read.cancelled_, false) ? IoFault::kCancelled : IoFault::kTimeout);
}

}  // namespace sluice::http
