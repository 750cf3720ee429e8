#include "server/client_io.hpp"

#include <netinet/tcp.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>
#include "sluice/core/text.hpp"

namespace sluice::server {
namespace {

// With the read-ahead full, or no memory for a read, none can be pending: the connection's state is asked for instead.
constexpr auto kPollInterval = milliseconds(16);

}  // namespace

ClientIo::ClientIo(http::TcpSocket socket, TimerWheel& timers)
    : read_(std::make_shared<http::PendingRead>(std::move(socket), timers)), poll_(timers, &ClientIo::on_poll, this) {
  read_->on_arrival([this] { on_arrival(); });
}

ClientIo::~ClientIo() { read_->give_up(std::move(buffer_)); }

void ClientIo::consume(std::size_t count) {
  begin_ += count;
  if (begin_ == end_ && !read_->pending()) begin_ = end_ = 0;
}

void ClientIo::start_read() {
  if (read_->pending() || read_->has_result() || closed_) return;
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= std::exchange(begin_, 0);
  }
  if (end_ == buffer_.size()) wanted_ = std::max(wanted_, 2 * end_);
  if (buffer_.size() < wanted_) buffer_.resize(wanted_);
  // A head may have made the buffer larger than what may be read ahead.
  const std::size_t room = buffer_.size() - end_;
  read_->start({buffer_.data() + end_, gone_ ? std::min(room, kReadAhead - end_) : room});
}

void ClientIo::take(const http::IoResult<std::size_t>& result) {
  if (result) {
    end_ += *result;
    // The next request will probably be as large.
    if (end_ == buffer_.size()) wanted_ = std::max(wanted_, kBuffer);
  } else if (result.error().fault != http::IoFault::kTimeout) {
    closed_ = true;
  }
}

Task<ClientIo::Input> ClientIo::wait(TimePoint due) {
  if (closed_) co_return Input::kClosed;
  start_read();
  auto result = co_await read_->wait(due);
  take(result);
  if (result) co_return Input::kBytes;
  co_return closed_ ? Input::kClosed : Input::kTimedOut;
}

Task<ClientIo::Input> ClientIo::rest(TimePoint due) {
  if (read_->pending() || read_->has_result()) {
    if (read_->pending()) transport().cancel();
    auto result = co_await read_->wait(kNever);
    if (result || result.error().fault != http::IoFault::kCancelled) {
      take(result);
      co_return closed_ ? Input::kClosed : Input::kBytes;
    }
  }
  release(buffer_);
  wanted_ = kFirstBuffer;
  const auto readable = co_await transport().wait_readable(due);
  if (readable) co_return Input::kBytes;
  closed_ = readable.error().fault != http::IoFault::kTimeout;
  co_return closed_ ? Input::kClosed : Input::kTimedOut;
}

Task<http::IoResult<std::size_t>> ClientIo::read_into(std::span<char> into, TimePoint due) {
  auto result = co_await transport().read_some(into, due);
  if (!result && result.error().fault != http::IoFault::kTimeout) closed_ = true;
  co_return result;
}

void ClientIo::watch(std::function<void()> gone) {
  gone_ = std::move(gone);
  if (end_ - begin_ >= kReadAhead || !try_to_read()) poll_.arm(Clock::now() + kPollInterval);
}

bool ClientIo::try_to_read() {
  try {
    start_read();
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

void ClientIo::unwatch() {
  gone_ = nullptr;
  poll_.disarm();
}

// Something came, or the client left, while a request was served. Its result is taken at once only then: between two
// requests wait() finds it.
void ClientIo::on_arrival() {
  if (!gone_) return;
  take(read_->take_result());
  auto gone = std::exchange(gone_, nullptr);
  if (closed_) {
    gone();
  } else {
    watch(std::move(gone));
  }
}

void ClientIo::on_poll(void* self) {
  auto& io = *static_cast<ClientIo*>(self);
  if (!io.gone_) return;
  auto gone = std::exchange(io.gone_, nullptr);
  if (!io.peer_has_left()) return io.watch(std::move(gone));
  io.closed_ = true;
  gone();
}

bool ClientIo::peer_has_left() {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(transport().socket().native_handle(), IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return true;
  return info.tcpi_state != TCP_ESTABLISHED;
}

}  // namespace sluice::server
