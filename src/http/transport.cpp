#include "http/transport.hpp"

#include <openssl/err.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>

namespace sluice::http {
namespace {

constexpr auto kAwait = net::as_tuple(net::deferred);
using boost::system::error_code;

void drop_front(std::vector<net::const_buffer>& buffers, std::size_t count) {
  auto done = buffers.begin();
  while (done != buffers.end() && count >= done->size()) count -= (done++)->size();
  if (done != buffers.end()) *done += count;
  buffers.erase(buffers.begin(), done);
}

}  // namespace

struct Transport::Tls {
  Tls(TcpSocket& socket, std::shared_ptr<const TlsContext> settings)
      : context(std::move(settings)), stream(socket, context->native()) {}
  std::shared_ptr<const TlsContext> context;  // outlives the stream that was made from it
  net::ssl::stream<TcpSocket&> stream;
};

Transport::Transport(net::io_context& io, TimerWheel& timers)
    : socket_(io.get_executor()), timer_(timers, &Transport::on_timeout, this) {}

Transport::Transport(TcpSocket socket, TimerWheel& timers)
    : socket_(std::move(socket)), timer_(timers, &Transport::on_timeout, this) {
  error_code ignored;
  socket_.non_blocking(true, ignored);
  socket_.set_option(net::ip::tcp::no_delay(true), ignored);
}

Transport::~Transport() { close(); }

// Cancelling makes the pending operation end with operation_aborted; `timed_out_` tells that from the client's leaving.
void Transport::on_timeout(void* self) {
  auto& transport = *static_cast<Transport*>(self);
  transport.timed_out_ = true;
  transport.cancel();
}

IoError Transport::fault_of(const error_code& error, bool timed_out) {
  namespace errors = net::error;
  if (timed_out) return {IoFault::kTimeout, "timed out"};
  if (error == errors::operation_aborted || error == errors::bad_descriptor) return {IoFault::kCancelled, "cancelled"};
  if (error == errors::eof) return {IoFault::kEof, "connection closed"};
  if (error == net::ssl::error::stream_truncated) return {IoFault::kReset, "TLS connection cut without close_notify"};
  if (error.category() == net::error::get_ssl_category()) return {IoFault::kTls, error.message()};
  return {IoFault::kReset, error.message()};
}

Task<IoResult<void>> Transport::connect(std::span<const TcpEndpoint> addresses, TimePoint due) {
  IoError last{IoFault::kOther, "no address"};
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const auto now = Clock::now();
    if (now >= due) co_return std::unexpected(IoError{IoFault::kTimeout, "timed out"});
    const auto share = (due - now) / static_cast<int>(addresses.size() - i);
    auto connected = co_await connect_one(addresses[i], now + share);
    if (connected) co_return IoResult<void>{};
    last = std::move(connected.error());
    if (last.fault == IoFault::kCancelled) break;
  }
  co_return std::unexpected(std::move(last));
}

Task<IoResult<void>> Transport::connect_one(const TcpEndpoint& address, TimePoint due) {
  close();
  error_code failed;
  socket_.open(address.protocol(), failed);
  if (failed) co_return std::unexpected(IoError{IoFault::kOther, failed.message()});
  socket_.non_blocking(true, failed);
  timed_out_ = false;
  timer_.arm(due);
  auto [error] = co_await socket_.async_connect(address, kAwait);
  timer_.disarm();
  if (error) co_return std::unexpected(fault_of(error, timed_out_));
  socket_.set_option(net::ip::tcp::no_delay(true), failed);
  socket_.set_option(net::socket_base::keep_alive(true), failed);
  co_return IoResult<void>{};
}

Task<IoResult<void>> Transport::handshake(std::shared_ptr<const TlsContext> tls, const std::string& host,
                                          TimePoint due) {
  tls_ = std::make_unique<Tls>(socket_, std::move(tls));
  SSL* native = tls_->stream.native_handle();
  error_code is_name;
  net::ip::make_address(host, is_name);
  if (is_name) SSL_set_tlsext_host_name(native, host.c_str());  // RFC 6066: names only, no addresses
  if (tls_->context->verify()) {
    error_code failed;
    tls_->stream.set_verify_callback(net::ssl::host_name_verification(host), failed);
    if (failed) co_return std::unexpected(IoError{IoFault::kTls, failed.message()});
  }
  timed_out_ = false;
  timer_.arm(due);
  auto [error] = co_await tls_->stream.async_handshake(net::ssl::stream_base::client, kAwait);
  timer_.disarm();
  if (!error) co_return IoResult<void>{};
  auto fault = fault_of(error, timed_out_);
  if (fault.fault == IoFault::kReset || fault.fault == IoFault::kEof) fault.fault = IoFault::kTls;
  co_return std::unexpected(std::move(fault));
}

Task<IoResult<std::size_t>> Transport::read_some(std::span<char> into, TimePoint due) {
  timed_out_ = false;
  timer_.arm(due);
  const auto buffer = net::buffer(into.data(), into.size());
  auto [error, count] =
      tls_ ? co_await tls_->stream.async_read_some(buffer, kAwait) : co_await socket_.async_read_some(buffer, kAwait);
  timer_.disarm();
  if (error) co_return std::unexpected(fault_of(error, timed_out_));
  co_return count;
}

IoResult<bool> Transport::write_now(std::span<const std::string_view> pieces) {
  left_.clear();
  for (auto piece : pieces) {
    if (!piece.empty()) left_.emplace_back(piece.data(), piece.size());
  }
  interrupted_ = false;
  if (tls_) return left_.empty();
  error_code error;
  const std::size_t sent = socket_.write_some(left_, error);
  if (error && error != net::error::would_block) return std::unexpected(fault_of(error, false));
  drop_front(left_, sent);
  return left_.empty();
}

Task<IoResult<void>> Transport::flush(TimePoint due) {
  error_code error;
  timed_out_ = false;
  timer_.arm(due);
  while (!left_.empty() && !error) {
    std::size_t sent = 0;
    if (tls_) {
      std::tie(error, sent) = co_await tls_->stream.async_write_some(left_, kAwait);
    } else {
      std::tie(error, sent) = co_await socket_.async_write_some(left_, kAwait);
    }
    drop_front(left_, sent);
    // A cancellation that came between two steps has nothing to cancel; it counts all the same.
    if ((interrupted_ || timed_out_) && !left_.empty()) error = net::error::operation_aborted;
  }
  timer_.disarm();
  if (error) co_return std::unexpected(fault_of(error, timed_out_));
  co_return IoResult<void>{};
}

void Transport::interrupt_write() {
  interrupted_ = true;
  cancel();
}

void Transport::start_read(std::span<char> into, OnRead done) {
  auto finish = [this, done = std::move(done)](const error_code& error, std::size_t count) {
    if (error) return done(std::unexpected(fault_of(error, false)));
    done(count);
  };
  const auto buffer = net::buffer(into.data(), into.size());
  if (tls_) {
    tls_->stream.async_read_some(buffer, std::move(finish));
  } else {
    socket_.async_read_some(buffer, std::move(finish));
  }
}

bool Transport::is_quiet() {
  char byte = 0;
  return ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
         (errno == EAGAIN || errno == EWOULDBLOCK);
}

void Transport::cancel() {
  error_code ignored;
  socket_.cancel(ignored);
}

void Transport::close() {
  timer_.disarm();
  error_code ignored;
  socket_.close(ignored);
}

void Transport::shutdown_send() {
  error_code ignored;
  socket_.shutdown(net::socket_base::shutdown_send, ignored);
}

}  // namespace sluice::http
