#include "server/client_io.hpp"

#include <netinet/tcp.h>

#include <boost/asio/async_result.hpp>
#include <boost/asio/deferred.hpp>
#include <cstring>

namespace sluice::server {
namespace {

// With the read-ahead full no read can be pending, so the state of the connection is asked for instead.
constexpr auto kPollInterval = milliseconds(16);

}  // namespace

ClientIo::ClientIo(http::TcpSocket socket, TimerWheel& timers)
    : transport_(std::move(socket), timers), timer_(timers, &ClientIo::on_timer, this), buffer_(kBufferBytes, '\0') {}

void ClientIo::consume(std::size_t count) {
  begin_ += count;
  if (begin_ == end_ && !reading_) begin_ = end_ = 0;
}

void ClientIo::start_read() {
  if (reading_ || closed_) return;
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= std::exchange(begin_, 0);
  }
  if (end_ == buffer_.size()) buffer_.resize(buffer_.size() * 2);
  reading_ = true;
  transport_.start_read(
      {buffer_.data() + end_, buffer_.size() - end_},
      [self = shared_from_this()](http::IoResult<std::size_t> result) { self->on_read(std::move(result)); });
}

void ClientIo::on_read(http::IoResult<std::size_t> result) {
  reading_ = false;
  if (result) {
    end_ += *result;
  } else {
    closed_ = true;
  }
  if (waiter_) return resume(closed_ ? Input::kClosed : Input::kBytes);
  if (closed_) {
    if (auto gone = std::exchange(gone_, nullptr)) gone();
  } else if (gone_) {
    watch(std::exchange(gone_, nullptr));
  }
}

Task<ClientIo::Input> ClientIo::wait(TimePoint due) {
  if (closed_) co_return Input::kClosed;
  start_read();
  timer_.arm(due);
  co_await net::async_initiate<const net::deferred_t&, void()>([this](auto handler) { waiter_ = std::move(handler); },
                                                               net::deferred);
  timer_.disarm();
  co_return answer_;
}

void ClientIo::resume(Input with) {
  answer_ = with;
  std::exchange(waiter_, nullptr)();
}

Task<http::IoResult<std::size_t>> ClientIo::read_into(std::span<char> into, TimePoint due) {
  auto result = co_await transport_.read_some(into, due);
  if (!result && result.error().fault != http::IoFault::kTimeout) closed_ = true;
  co_return result;
}

void ClientIo::watch(std::function<void()> gone) {
  gone_ = std::move(gone);
  if (end_ - begin_ < kReadAhead) {
    start_read();
  } else {
    timer_.arm(Clock::now() + kPollInterval);
  }
}

void ClientIo::unwatch() {
  gone_ = nullptr;
  timer_.disarm();
}

void ClientIo::on_timer(void* self) {
  auto& io = *static_cast<ClientIo*>(self);
  if (io.waiter_) return io.resume(Input::kTimedOut);
  if (!io.gone_) return;
  if (!io.peer_has_left()) return io.watch(std::exchange(io.gone_, nullptr));
  io.closed_ = true;
  std::exchange(io.gone_, nullptr)();
}

bool ClientIo::peer_has_left() {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(transport_.socket().native_handle(), IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return true;
  return info.tcpi_state != TCP_ESTABLISHED;
}

}  // namespace sluice::server
