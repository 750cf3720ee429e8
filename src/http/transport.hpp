#pragma once
// One TCP connection, plain or TLS, with a time-out on every wait. The only file that instantiates Asio's stream
// operations. Belongs to one worker thread.

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <expected>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/core/async.hpp"
#include "sluice/core/timer_wheel.hpp"
#include "sluice/http/tls.hpp"

namespace sluice::http {

using TcpEndpoint = net::ip::tcp::endpoint;
using TcpSocket = net::basic_stream_socket<net::ip::tcp, Executor>;

enum class IoFault : std::uint8_t { kEof, kReset, kTimeout, kCancelled, kTls, kOther };
struct IoError {
  IoFault fault = IoFault::kOther;
  std::string detail;
};
template <class T>
using IoResult = std::expected<T, IoError>;

class Transport {
 public:
  Transport(net::io_context& io, TimerWheel& timers);
  Transport(TcpSocket socket, TimerWheel& timers);  // an accepted connection
  ~Transport();

  // Tries the addresses in order, sharing the time until `due` among those that are left.
  Task<IoResult<void>> connect(std::span<const TcpEndpoint> addresses, TimePoint due);
  Task<IoResult<void>> handshake(std::shared_ptr<const TlsContext> tls, const std::string& host, TimePoint due);

  Task<IoResult<std::size_t>> read_some(std::span<char> into, TimePoint due);
  // Writing has two halves, so that what fits the socket's buffer costs no coroutine. write_now() says whether all of
  // it went; if not, flush() sends the rest, and the pieces must stay where they are until it has.
  IoResult<bool> write_now(std::span<const std::string_view> pieces);
  Task<IoResult<void>> flush(TimePoint due);

  // A read that runs beside the owner's coroutine. One read of either form at a time.
  using OnRead = std::function<void(IoResult<std::size_t>)>;
  void start_read(std::span<char> into, OnRead done);

  // Whether the socket holds nothing to read, not even an end: a look past what the event loop has got round to.
  bool is_quiet();
  void interrupt_write();  // the write under way ends with kCancelled, unless it is complete
  void cancel();           // what waits on this connection ends with kCancelled
  void close();
  void shutdown_send();
  TcpSocket& socket() { return socket_; }

 private:
  struct Tls;
  static void on_timeout(void* self);
  IoError fault_of(const boost::system::error_code& error, bool timed_out);
  Task<IoResult<void>> connect_one(const TcpEndpoint& address, TimePoint due);

  TcpSocket socket_;
  std::unique_ptr<Tls> tls_;
  TimerWheel::Timer timer_;
  std::vector<net::const_buffer> left_;  // of what is being written
  bool timed_out_ = false;
  bool interrupted_ = false;
};

}  // namespace sluice::http
