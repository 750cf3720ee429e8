#pragma once
// The reading half of a client's connection. While a request is served one read stays pending on the socket: it is how
// a client's leaving is seen at once, and what it brings is the beginning of the next request.

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "http/pending_read.hpp"
#include "sluice/core/async.hpp"
#include "sluice/core/timer_wheel.hpp"

namespace sluice::server {

class ClientIo {
 public:
  static constexpr std::size_t kFirstBuffer = 2 * 1024;  // until a read has filled it
  static constexpr std::size_t kBuffer = 4 * 1024;       // then, while nothing larger is needed
  static constexpr std::size_t kReadAhead = 16 * 1024;   // of pipelined requests, while one is served

  ClientIo(http::TcpSocket socket, TimerWheel& timers);
  ~ClientIo();

  enum class Input : std::uint8_t { kBytes, kClosed, kTimedOut };
  // Waits until more bytes are there, unless `due` comes first.
  Task<Input> wait(TimePoint due);
  // The same for a connection that has been silent for a while: it holds no buffer meanwhile. kBytes: wait() gets
  // something now. Only while input() is empty and nobody watches.
  Task<Input> rest(TimePoint due);
  // Reads straight into `into`, past the buffer. Only while the buffer is empty and nothing is pending.
  Task<http::IoResult<std::size_t>> read_into(std::span<char> into, TimePoint due);
  bool can_read_directly() const { return begin_ == end_ && !read_->pending(); }

  std::string_view input() const { return {buffer_.data() + begin_, end_ - begin_}; }
  void consume(std::size_t count);

  // From now on `gone` is called once if the client closes or resets the connection; its half-close counts, since that
  // is how a client that has left looks while nothing is sent to it (as in Go's net/http).
  void watch(std::function<void()> gone);
  void unwatch();

  bool closed() const { return closed_; }
  http::Transport& transport() { return read_->transport(); }

 private:
  void start_read();
  bool try_to_read();  // false: no memory
  void take(const http::IoResult<std::size_t>& result);
  void on_arrival();
  static void on_poll(void* self);
  bool peer_has_left();

  std::shared_ptr<http::PendingRead> read_;
  TimerWheel::Timer poll_;
  std::string buffer_;  // empty at first and after a rest
  std::size_t wanted_ = kFirstBuffer;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool closed_ = false;
  std::function<void()> gone_;
};

}  // namespace sluice::server
