#pragma once
// One TCP connection, plain or TLS, with a time-out on every wait. The only file that instantiates Asio's stream
// operations. Belongs to one worker thread.

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "http/io_result.hpp"
#include "http/tls_stream.hpp"
#include "sluice/core/async.hpp"
#include "sluice/core/timer_wheel.hpp"

namespace sluice::http {

using TcpEndpoint = net::ip::tcp::endpoint;
using TcpSocket = net::basic_stream_socket<net::ip::tcp, Executor>;

class Transport {
 public:
  Transport(net::io_context& io, TimerWheel& timers);
  Transport(TcpSocket socket, TimerWheel& timers);  // an accepted connection
  ~Transport();

  // Tries the addresses in order, sharing the time until `due` among those that are left.
  Task<IoResult<void>> connect(std::span<const TcpEndpoint> addresses, TimePoint due);
  // TLS from here on, as a client of `host` or as the server. kTls: no agreement; kTimeout, kCancelled. After a failed
  // accept_tls() the connection is plain: a request in the clear can be answered, the rest be read and dropped.
  Task<IoResult<void>> handshake(const TlsContext& tls, const std::string& host, TimePoint due);
  Task<IoResult<void>> accept_tls(const TlsContext& tls, TimePoint due);

  Task<IoResult<std::size_t>> read_some(std::span<char> into, TimePoint due);
  // Until something has come in, or an end: a wait that needs no buffer.
  Task<IoResult<void>> wait_readable(TimePoint due);
  // Writing has two halves, so that what fits the socket's buffer costs no coroutine. write_now() says whether all of
  // it went; if not, flush() sends the rest, and the pieces must stay where they are until it has.
  IoResult<bool> write_now(std::span<const std::string_view> pieces);
  Task<IoResult<void>> flush(TimePoint due);

  // A read that runs beside the owner's coroutine. One read of either form at a time. `done` keeps the connection
  // alive until it has been called.
  using OnRead = std::function<void(IoResult<std::size_t>)>;
  void start_read(std::span<char> into, OnRead done);

  // Whether the socket holds nothing to read, not even an end: a look past what the event loop has got round to.
  bool is_quiet();
  void interrupt_write();  // the write under way ends with kCancelled, unless it is complete
  void cancel();           // what waits on this connection ends with kCancelled
  void close();
  void say_goodbye();    // TLS: all that was to be sent has been, which a cut connection cannot claim
  void shutdown_send();  // the same, and TCP's own end
  TcpSocket& socket() { return socket_; }

 private:
  class Until;
  static void on_timeout(void* self);
  static IoError fault_of(const boost::system::error_code& error, bool timed_out);
  Task<IoResult<void>> connect_one(const TcpEndpoint& address, TimePoint due);
  using Attempt = std::function<IoResult<TlsStep>()>;
  Task<IoResult<std::size_t>> repeat(Attempt attempt, TimePoint due);
  Task<IoResult<void>> flush_tls(TimePoint due);
  IoResult<TlsStep> write_tls();
  void read_tls(std::span<char> into, OnRead done, bool in_loop);

  TcpSocket socket_;
  std::unique_ptr<TlsStream> tls_;
  TimerWheel::Timer timer_;
  std::vector<net::const_buffer> left_;  // of what is being written
  bool timed_out_ = false;
  bool interrupted_ = false;
};

}  // namespace sluice::http
